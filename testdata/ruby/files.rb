# Files that are read beside metadata.rb. `#@ path "content"` puts one there; `#@ path -> target` a link,
# `#@ path latin-1 "content"` one that is not UTF-8.

#--- the README, the usual way
#@ README.md "# Über\n"
long_description IO.read(File.join(File.dirname(__FILE__), 'README.md'))
#=> long_description: "# Über\n"

#--- a version from a file, in many ways
#@ VERSION "1.2.3\n"
ways = [
  IO.read('VERSION'),
  File.read(File.expand_path('../VERSION', __FILE__)),
  File.read(File.expand_path('VERSION', __dir__)),
  File.open(File.join(__dir__, 'VERSION')) { |f| f.read },
  File.open(File.join(__dir__, 'VERSION'), 'r:UTF-8').read,
  File.readlines(File.join(__dir__, 'VERSION'), chomp: true).first,
  File.open('VERSION', &:gets),
  Pathname.new(__FILE__).dirname.join('VERSION').read,
]
description ways.map(&:strip).uniq.inspect
version ways.first
#=> description: "[\"1.2.3\"]"
#=> version: "1.2.3"

#--- a missing file, rescued
version IO.read(File.join(__dir__, 'VERSION')) rescue '9.9.9'
#=> version: "0.0.0"

#--- a missing file, rescued by its class
begin
  File.read('VERSION')
rescue Errno::ENOENT => error
  description error.class.name
end
#=> description: "Errno::ENOENT"

#--- what is there and what is not
#@ d/a.rb ""
#@ f ""
description [
  File.exist?('f'), File.exist?('g'), File.file?('f'), File.file?('d'), File.directory?('d'),
  Dir.exist?('d'), Dir.exist?('f'), File.exist?('d/../f'), File.exist?('nope/../f'),
].inspect
#=> description: "[true, false, true, false, true, true, false, true, false]"

#--- folders are listed in order
#@ r/b.rb ""
#@ r/a.rb ""
#@ r/.c.rb ""
#@ r/sub/d.rb ""
description [
  Dir['r/*'], Dir['r/*.rb'], Dir.glob('r/**/*.rb'), Dir.glob('{r,x}/{a,b}.rb'), Dir['r/*/'],
  Dir.glob('**/*', base: 'r'), Dir.children('r').sort, Dir.entries('r').sort, Dir['r/.*.rb'], Dir['nope/*'],
].inspect
#=> description: "[[\"r/a.rb\", \"r/b.rb\", \"r/sub\"], [\"r/a.rb\", \"r/b.rb\"], [\"r/a.rb\", \"r/b.rb\", \"r/sub/d.rb\"], [\"r/a.rb\", \"r/b.rb\"], [\"r/sub/\"], [\"a.rb\", \"b.rb\", \"sub\", \"sub/d.rb\"], [\".c.rb\", \"a.rb\", \"b.rb\", \"sub\"], [\".\", \"..\", \".c.rb\", \"a.rb\", \"b.rb\", \"sub\"], [\"r/.c.rb\"], []]"

#--- a recipe for each file
#@ recipes/b.rb ""
#@ recipes/a.rb ""
Dir[File.join(__dir__, 'recipes', '*.rb')].each { |file| recipe "x::#{File.basename(file, '.rb')}", '' }
#=> recipes: {"x::a": "", "x::b": ""}

#--- another file's methods and constants
#@ lib/more.rb "MORE = 'm'\ndef more\n  depends MORE\nend\n"
require_relative 'lib/more'
require_relative 'lib/more'
more
#=> dependencies: {"m": ">= 0.0.0"}

#--- another file's words
#@ more.rb "depends 'm'\n"
instance_eval(IO.read(File.expand_path('../more.rb', __FILE__)), 'more.rb')
#=> dependencies: {"m": ">= 0.0.0"}

#--- a link inside the source is followed
#@ docs/README.md "linked\n"
#@ README.md -> docs/../docs/README.md
#@ also -> docs
long_description IO.read('README.md') + IO.read('also/README.md')
#=> long_description: "linked\nlinked\n"

#--- a link to a folder is not searched for more
#@ real/a.rb ""
#@ link -> real
description [Dir['**/a.rb'], Dir['link/*.rb']].inspect
#=> description: "[[\"real/a.rb\"], [\"link/a.rb\"]]"

#--- files above the cookbook, within the source
#@ ../VERSION "4.5.6\n"
version File.read(File.expand_path('../../VERSION', __FILE__))
#=> version: "4.5.6"

#--- the cookbook's folder within the source has a name
name File.basename(File.dirname(__FILE__))
#=> name: "web"

#--- words that a required file does not have
#@ lib/bad.rb "depends 'z'\n"
require_relative 'lib/bad'
#! undefined method `depends' for main:Object (NoMethodError)
#! marks: depends
#! in: cookbooks/web/lib/bad.rb:1

#--- a folder is no text
#@ d/a ""
IO.read('d')
#! Is a directory @ io_fread - d (Errno::EISDIR)
#! marks: IO.read('d')

#--- a missing file
long_description IO.read(File.join(File.dirname(__FILE__), 'README.md'))
#! No such file or directory @ rb_sysopen - cookbooks/web/README.md (Errno::ENOENT)
#! marks: IO.read(File.join(File.dirname(__FILE__), 'README.md'))
#! in: cookbooks/web/metadata.rb:1

#--- a missing library of its own
require_relative 'lib/more'
#! cannot load such file -- lib/more (LoadError)

#--- outside by an absolute path
long_description IO.read('/etc/passwd')
#! `/etc/passwd` lies outside of the source
#! marks: IO.read('/etc/passwd')

#--- outside by going up
File.exist?('../../../x')
#! `../../../x` lies outside of the source

#--- outside and rescued all the same
version(IO.read('/etc/hostname')) rescue '1.0.0'
#! `/etc/hostname` lies outside of the source

#--- a link that leads out
#@ README.md -> ../../../../etc/passwd
long_description IO.read('README.md')
#! a file that this needs cannot be read: the symbolic link `cookbooks/web/README.md` leads to `../../../../etc/passwd`, outside of the source

#--- a link that is absolute
#@ README.md -> /etc/passwd
File.exist?('README.md')
#! a file that this needs cannot be read: the symbolic link `cookbooks/web/README.md` leads to `/etc/passwd`, outside of the source

#--- a link to itself
#@ README.md -> README.md
File.exist?('README.md')
#! a file that this needs cannot be read: `cookbooks/web/README.md` leads through more than 40 symbolic links

#--- a value that depends on where the source lies
maintainer File.dirname(__FILE__)
#! this value holds the path of the folder that the source lies in

#--- the home folder
File.read(File.expand_path('~/.chef/x'))
#! cookpack does not evaluate the home folder `~`

#--- a text that is not UTF-8
#@ README.md latin-1 "café\n"
long_description IO.read('README.md')
#! cookpack does not evaluate `cookbooks/web/README.md`, which is not UTF-8, as a text

#--- a library of its own by the load path
#@ lib/own/version.rb "module Own\n  VERSION = '3.2.1'.freeze\nend\n"
$LOAD_PATH.unshift File.expand_path('../lib', __FILE__)
require 'own/version'
version Own::VERSION
#=> version: "3.2.1"
