# Programs, several lines each. `#---` begins a case, `#=> field: json` says what a field must be.

#--- heredocs keep, lose and squeeze their indentation
description <<-PLAIN + <<~SQUEEZED + <<~'RAW'
  kept
  PLAIN
    first
      second

    third #{1 + 1}
  SQUEEZED
  no #{interpolation}
  RAW
#=> description: "  kept\nfirst\n  second\n\nthird 2\nno #{interpolation}\n"

#--- two lines of one string
description 'one
two' \
  ' three'
#=> description: "one\ntwo three"

#--- a word alone is a local of the file that evaluates this one
#@ more.rb "depends outer, \"> #{inner}\"\n"
outer = 'apt'
inner = 1.0
instance_eval(File.read(File.join(__dir__, 'more.rb')))
#=> dependencies: {"apt": "> 1.0"}

#--- constants, once and again
LIST = %w(b a).freeze
LIST ||= []
SORTED = LIST.sort
SORTED.each { |name| depends name }
#=> dependencies: {"a": ">= 0.0.0", "b": ">= 0.0.0"}

#--- methods of its own, with all kinds of parameters
def all(required, optional = 'o', *rest, last, keyword: 'k', **others, &block)
  [required, optional, rest, last, keyword, others.to_a, block ? block.call : nil].inspect
end
description all(1, 2) + all(1, 2, 3, 4, keyword: 5, other: 6) { 7 }
#=> description: "[1, \"o\", [], 2, \"k\", [], nil][1, 2, [3], 4, 5, [[:other, 6]], 7]"

#--- a method declares things
def needs(name, constraint = nil)
  constraint ? depends(name, constraint) : depends(name)
end
needs 'a'
needs 'b', '~> 1.0'
#=> dependencies: {"a": ">= 0.0.0", "b": "~> 1.0"}

#--- a method of its own hides a word
def supports(name)
  depends name
end
supports 'a'
#=> dependencies: {"a": ">= 0.0.0"}
#=> platforms: {}

#--- yield, next, break and return
def twice
  [yield(1), yield(2)]
end
def first_big(list)
  list.each { |x| return x if x > 1 }
  nil
end
found = [1, 2, 3].each { |x| break x * 10 if x == 2 }
description [twice { |x| next 9 if x == 1; x }, first_big([1, 5]), found].inspect
#=> description: "[[9, 2], 5, 20]"

#--- return ends the file
depends 'a'
return if true
depends 'b'
#=> dependencies: {"a": ">= 0.0.0"}

#--- rescue, else, ensure, retry
seen = []
tries = 0
begin
  tries += 1
  raise ArgumentError, 'again' if tries < 3
  seen << :body
rescue ArgumentError => error
  seen << error.message
  retry
else
  seen << :else
ensure
  seen << :ensure
end
description seen.inspect
#=> description: "[\"again\", \"again\", :body, :else, :ensure]"

#--- a rescue in a method and in a block
def safe
  raise 'x'
rescue
  'method'
end
inside = [1].map do |_|
  raise 'y'
rescue => error
  error.message
end
description [safe, inside].inspect
#=> description: "[\"method\", [\"y\"]]"

#--- loops
text = +''
i = 0
while i < 5
  i += 1
  next if i == 2
  break if i == 4
  text << i.to_s
end
until i == 0 do i -= 1 end
begin i += 1 end while i < 3
for a, b in { x: 1, y: 2 }
  text << "#{a}#{b}"
end
loop { break }
description text + i.to_s
#=> description: "13x1y23"

#--- case in all its forms
kinds = [5, 'abc', :sym, nil, 0.5, [1], 'x'].map do |value|
  case value
  when 1..9 then :digit
  when /b/, 'q' then $&.to_sym
  when Symbol then :symbol
  when nil then :none
  when ->(v) { v.is_a?(Float) } then :float
  when *[[1], [2]] then :list
  else :other
  end
end
description kinds.inspect
#=> description: "[:digit, :b, :symbol, :none, :float, :list, :other]"

#--- what a match leaves behind
'v1.22' =~ /v(\d+)\.(\d+)/
parts = [$1, $2, $~[0], $`, $']
if /(?<major>\d+)\.(?<minor>\d+)/ =~ 'is 3.4 now'
  parts << major << minor
end
description parts.inspect
#=> description: "[\"1\", \"22\", \"v1.22\", \"\", \"\", \"3\", \"4\"]"

#--- a namespace of constants
module Own
  VERSION = '1.2.3'
  class Inner
    LIST = [VERSION, 'x'].freeze
  end
end
version Own::VERSION
description Own::Inner::LIST.join(' ')
#=> version: "1.2.3"
#=> description: "1.2.3 x"

#--- instance variables and globals
@list ||= []
@list << 'a'
$shared = @list
$shared << 'b'
description @list.join
#=> description: "ab"

#--- assignments to many places
a, (b, *c), d = 1, [2, 3, 4], 5
hash = {}
hash[:x], hash[:y] = c
first, = [6, 7]
a, b = b, a
description [a, b, c, d, hash.to_a, first].inspect
#=> description: "[2, 1, [3, 4], 5, [[:x, 3], [:y, 4]], 6]"

#--- strings are changed in place, and shared
a = 'x'.dup
b = a
b << 'y'
a += 'z'
description [a, b].inspect
#=> description: "[\"xyz\", \"xy\"]"

#--- procs, lambdas, methods as values
double = ->(x) { x * 2 }
pair = proc { |x, y| [x, y] }
early = lambda { |x| return x; 0 }
description [double.(2), double[3], pair.call([1, 2]), pair.call(1), early.call(7), %w(a b).map(&method(:String))].inspect
#=> description: "[4, 6, [1, 2], [1, nil], 7, [\"a\", \"b\"]]"

#--- catch and throw
description catch(:found) { 10.times { |i| throw :found, i.to_s if i == 3 }; 'none' }
#=> description: "3"

#--- text behind the end of the program
description 'x'
__END__
this is ( no Ruby
#=> description: "x"

#--- a comment in the magic place makes strings frozen
# frozen_string_literal: true
begin
  'a' << 'b'
rescue FrozenError => error
  description error.class.name
end
#=> description: "FrozenError"

#--- what is printed goes nowhere
puts 'hello'
print 'x'
$stderr.puts 'y'
STDOUT.print 'z'
warn 'careful'
p 1
description 'x'
#=> description: "x"

#--- libraries that only define things
require 'json'
require 'chef/version_constraint'
description JSON.parse('{"a": [1, 2.5, null, {"b": "c"}]}')['a'].last.fetch('b')
#=> description: "c"

#--- an evaluated text changes the locals around it
#@ more.rb "outer = outer + 1\n[1].each { outer += 1; inner = 5 }\n"
outer = 1
inner = 0
instance_eval(File.read('more.rb'))
[1].each { instance_eval("outer += 1; inner ||= 7") }
description [outer, inner].inspect
#=> description: "[4, 5]"
