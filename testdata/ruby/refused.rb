# What is refused, each with its message and the place that it marks. Nothing here may give a value.

#--- no Ruby
depends 'a
#! this is not valid Ruby: 
#! in: cookbooks/web/metadata.rb:1

#--- a method that is not known
description 'x'.frobnicate(1)
#! cookpack does not know the method `frobnicate` of `String`
#! marks: frobnicate
#! hint: declare `name`, `version` and `depends` of this cookbook under `override` in cookpack.toml

#--- and not rescued
description 'x'.frobnicate rescue 'y'
#! cookpack does not know the method `frobnicate` of `String`

#--- a constant that is not known
description Frobnicator.new
#! cookpack does not know the constant `Frobnicator`
#! marks: Frobnicator
#! hint: override

#--- a constant that may be defined
description 'x' if defined?(Chef::Recipe)
#! cookpack does not know the constant `Chef::Recipe`

#--- an exception of its own
raise ArgumentError, 'this cookbook is gone'
#! this cookbook is gone (ArgumentError)
#! marks: raise

#--- nil has few methods
description nil.upcase
#! undefined method `upcase' for nil:NilClass (NoMethodError)

#--- running a command
version `git describe`
#! cookpack does not evaluate running a command
#! marks: `git describe`

#--- system
system 'rm -rf /'
#! cookpack does not evaluate `system`
#! marks: system

#--- exit
exit 1
#! cookpack does not evaluate `exit`

#--- eval
eval "depends 'a'"
#! cookpack does not evaluate `eval`

#--- a class below another one
class Mine < String; end
#! cookpack does not evaluate a `class` below another one

#--- methods of a module
module Own
  def self.version; '1.0.0'; end
end
version Own.version
#! cookpack does not know the method `version` of `Own`

#--- words in a module
module Own
  include Comparable
end
#! cookpack does not evaluate `include` in a module

#--- alias
alias needs depends
#! cookpack does not evaluate `alias`

#--- undef
undef name
#! cookpack does not evaluate `undef`

#--- BEGIN
BEGIN { 1 }
#! cookpack does not evaluate `BEGIN` or `END`

#--- pattern matching
case [1, 2]
in [a, b] then a
end
#! cookpack does not evaluate pattern matching with `in` or `=>`

#--- class variables
@@x = 1
#! cookpack does not evaluate a class variable

#--- numbers beyond 64 bits
description (2**64).to_s
#! cookpack does not evaluate an integer of more than 64 bits

#--- a literal beyond 64 bits
description 99999999999999999999.to_s
#! cookpack does not evaluate an integer of more than 64 bits

#--- rational and complex numbers
1r
#! cookpack does not evaluate a rational number

#--- a hash as a text, which Ruby 3.4 writes in another way
description "#{{ a: 1 }}"
#! cookpack does not evaluate a hash as a text

#--- look-around in a pattern
description 'ab'[/a(?=b)/]
#! cookpack does not evaluate a regular expression with look-around

#--- a back reference in a pattern
description 'aa'[/(a)\1/]
#! cookpack does not evaluate a regular expression with a back reference

#--- a library that is not known
require 'aws-sdk'
#! cookpack does not evaluate `require` of the library `aws-sdk`

#--- a global variable of Ruby's
description $0
#! cookpack does not evaluate the global variable `$0`

#--- arguments that a method is not known to take
description '10'.to_i(2).to_s
#! cookpack does not evaluate `to_i` in another base

#--- the time
description Time.now.to_s
#! cookpack does not know the constant `Time`

#--- chance
description rand(5).to_s
#! cookpack does not evaluate `rand`

#--- break outside
break
#! this is not valid Ruby: 

#--- a loop without an end
loop {}
#! this takes more than 500000 steps to evaluate

#--- another one
while true do end
#! this takes more than 500000 steps to evaluate

#--- a loop that rescues
loop { begin; raise 'x'; rescue; end }
#! this takes more than 500000 steps to evaluate

#--- a method that calls itself
def f(x) f(x + 1) end
f(0)
#! calls are nested more than 1000 levels deep

#--- and rescues
def f(x) f(x + 1) rescue f(x) end
f(0)
#! calls are nested more than 1000 levels deep

#--- a string that doubles itself
s = 'x'
loop { s << s }
#! this builds more than 67108864 bytes of values

#--- a large string at once
description 'x' * 1_000_000_000
#! this builds more than 67108864 bytes of values

#--- a large array at once
description ([1] * 1_000_000_000).size
#! this builds more than 67108864 bytes of values

#--- an array with a large hole
a = []
a[1_000_000_000] = 1
#! this builds more than 67108864 bytes of values

#--- a large range
(1..1_000_000_000_000).to_a
#! this builds more than 67108864 bytes of values

#--- an endless range
(1..).each { |x| x }
#! this takes more than 500000 steps to evaluate

#--- a large pad
description 'x'.ljust(1_000_000_000)
#! this builds more than 67108864 bytes of values

#--- a large width
description format('%1000000000d', 1)
#! cookpack does not evaluate `format` of this width

#--- an array that holds itself
a = []
a << a
description a.inspect
#! calls are nested more than 1000 levels deep

#--- deep nesting made at run time
a = []
5_000.times { a = [a] }
description a.flatten.inspect
#! calls are nested more than 1000 levels deep

#--- a pattern that takes very much memory
description 'x' if 'x' =~ /(((a{1000}){1000}){1000})/
#! cookpack does not evaluate this regular expression

#--- a file that evaluates itself
instance_eval(File.read('metadata.rb'))
#! calls are nested more than 1000 levels deep

#--- a hash that grows while it is gone through
hash = { a: 1 }
hash.each { |key, value| hash[:b] = 2 }
#! can't add a new key into hash during iteration (RuntimeError)

#--- a small value that is long to go through
x = []
40.times { x = [x, x] }
x.join
#! this takes more than 500000 steps to evaluate

#--- and to write down
x = []
40.times { x = [x, x] }
gem x
#! this takes more than 500000 steps to evaluate

#--- and to flatten
x = []
40.times { x = [x, x] }
x.flatten
#! this takes more than 500000 steps to evaluate

#--- and to compare
x = []
y = []
40.times { x = [x, x]; y = [y, y] }
x == y
#! this takes more than 500000 steps to evaluate

#--- and to take for a path
x = []
40.times { x = [x, x] }
File.join(x)
#! this takes more than 500000 steps to evaluate
