# The words of metadata.rb.

#--- every word
name 'web'
maintainer 'Ops'
maintainer_email 'ops@example.com'
license 'MIT'
description 'short'
long_description 'long'
version '1.2'
source_url 'https://example.com/web'
issues_url 'https://example.com/web/issues'
privacy true
eager_load_libraries ['a', 'b']
supports 'ubuntu', '>= 16.04'
supports :debian
depends 'apt', '~> 2.0'
depends 'yum'
provides 'web::x', '1.0'
recipe 'web', 'all'
recipe 'web::a', :description => 'one', 'n' => [1, 2.5, nil, :s]
chef_version '>= 12.5', '< 14'
chef_version '~> 15'
ohai_version '>= 8'
gem 'aws', '~> 3', require: false
#=> name: "web"
#=> maintainer: "Ops"
#=> maintainer_email: "ops@example.com"
#=> license: "MIT"
#=> description: "short"
#=> long_description: "long"
#=> version: "1.2.0"
#=> source_url: "https://example.com/web"
#=> issues_url: "https://example.com/web/issues"
#=> privacy: true
#=> eager_load_libraries: ["a", "b"]
#=> platforms: {"ubuntu": ">= 16.04", "debian": ">= 0.0.0"}
#=> dependencies: {"apt": "~> 2.0", "yum": ">= 0.0.0"}
#=> providing: {"web::x": "= 1.0"}
#=> recipes: {"web": "all", "web::a": {"description": "one", "n": [1, 2.5, null, "s"]}}
#=> chef_versions: [["< 14", ">= 12.5"], ["~> 15"]]
#=> ohai_versions: [[">= 8"]]
#=> gems: [["aws", "~> 3", {"require": false}]]

#--- nothing at all
#=> name: null
#=> version: "0.0.0"
#=> license: "All rights reserved"
#=> eager_load_libraries: true

#--- the last word counts, at the first one's place
depends 'a'
depends 'b'
depends 'a', '> 1.0'
version '1.0.0'
version '2.0.0'
#=> dependencies: {"a": "> 1.0", "b": ">= 0.0.0"}
#=> version: "2.0.0"

#--- without an argument a word reads
name 'web'
version '1.2'
description "#{name} #{version} #{license} #{privacy}"
#=> description: "web 1.2.0 All rights reserved false"

#--- words that Chef ignores
attribute 'a/b', :default => 'x'
grouping 'a'
suggests 'b'
future_word 1, 2
self.maintainer = 'nobody'
description 'x'
#=> description: "x"
#=> maintainer: ""
#=> ignored: ["attribute", "grouping", "suggests", "future_word", "maintainer="]

#--- what the metadata answers to
answers = [:chef_version, 'source_url', :suggests, :puts, :nope].map { |word| respond_to?(word) }
defined = [defined?(gem), defined?(suggests), defined?(Chef::VERSION), defined?(ChefSpec)]
description (answers + defined).inspect
#=> description: "[true, true, false, false, false, \"method\", nil, \"constant\", nil]"

#--- the version of Chef
old = Gem::Version.new(Chef::VERSION) < Gem::Version.new('12.9')
description [old, Chef::VERSION >= '14', Chef::VERSION.to_i, Chef::VERSION.instance_of?(String), Chef::VERSION.class.to_s].inspect
#=> description: "[false, true, 19, false, \"ChefUtils::VersionString\"]"

#--- the environment is empty
description [ENV['HOME'], ENV.fetch('X', 'y'), ENV.key?('PATH')].inspect
#=> description: "[nil, \"y\", false]"

#--- a platform of a strange name
supports %w(ubuntu centos)
#=> platforms: {"[\"ubuntu\", \"centos\"]": ">= 0.0.0"}

#--- constraints as Chef takes them
depends 'a', '1.2.3'
depends 'b', '>= 12'
depends 'c', '~>   1.2'
depends 'd', nil
depends 'e', []
depends 'f', ['> 1.0']
#=> dependencies: {"a": "= 1.2.3", "b": ">= 12", "c": "~> 1.2", "d": ">= 0.0.0", "e": ">= 0.0.0", "f": "> 1.0"}

#--- a constraint that is none
depends 'a', '<< 1.0'
#! `<< 1.0` is not a version constraint: write one of `=`, `>`, `<`, `>=`, `<=`, `~>` and a version, as in `~> 1.2` (Chef::Exceptions::InvalidVersionConstraint)
#! marks: 'a', '<< 1.0'

#--- two constraints
depends 'a', '> 1.0', '< 2.0'
#! `depends 'a'` has more than one version constraint (Chef::Exceptions::ObsoleteDependencySyntax)

#--- a cookbook that depends on itself
name 'web'
depends 'web'
#! the cookbook `web` depends on itself (RuntimeError)

#--- a version that is none
version 'one'
#! `one` is not a version: write `x.y.z` or `x.y`, digits only (Chef::Exceptions::InvalidCookbookVersion)

#--- errors of words can be rescued
begin
  version 'one'
rescue ArgumentError
  version '1.0.0'
end
#=> version: "1.0.0"

#--- a field of the wrong kind
description :sym
#! `description` must be of String, not Symbol (Chef::Exceptions::ValidationFailed)

#--- too few and too many arguments
recipe 'a'
#! wrong number of arguments (given 1, expected 2) (ArgumentError)

#--- an unknown word with a block
frobnicate { 1 }
#! undefined method `frobnicate' for the cookbook's metadata (NoMethodError)

#--- a requirement of Chef that is none
chef_version '=> 12'
#! `=> 12` is not a version constraint (Gem::Requirement::BadRequirementError)

#--- words of the object that are not known
platforms
#! cookpack does not evaluate `platforms`
#! hint: override

#--- the object's own variables
@name = 'y'
#! cookpack does not evaluate assigning to `@name`

#--- what was given may change afterwards, as in Chef
text = 'a'.dup
description text
text << 'b'
license << '!'
long_description.concat 'more'
list = ['x']
gem list
list << 'y'
hash = { 'k' => 'v' }
recipe 'web', hash
hash['z'] = 1
name 'web'.dup
name << '2'
#=> description: "ab"
#=> license: "All rights reserved!"
#=> long_description: "more"
#=> gems: [[["x", "y"]]]
#=> recipes: {"web": {"k": "v"}}
#=> name: "web2"
