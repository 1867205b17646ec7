# Expressions and what Ruby 3.1 makes of them: each line is `expression #=> its inspect`.
# Where Rubies differ there is no line here but one in refused.rb.

1 + 2 * 3 #=> 7
7 / 2 #=> 3
-7 / 2 #=> -4
-7 % 3 #=> 2
7.fdiv(2) #=> 3.5
2 ** 10 #=> 1024
10.divmod(3) #=> [3, 1]
1_000.to_s #=> "1000"
255.to_s(16) #=> "ff"
3.14.to_i #=> 3
3.7.round #=> 4
-3.5.round #=> -4
1.0 / 3 #=> 0.3333333333333333
12.14 #=> 12.14
1e3 #=> 1000.0
5.between?(1, 10) #=> true
5.clamp(1, 3) #=> 3
10.digits #=> [0, 1]
3.zero? #=> false
0.zero? #=> true
5.pred #=> 4
"a" + "b" #=> "ab"
"a" * 3 #=> "aaa"
"%s-%d" % ["x", 3] #=> "x-3"
"%05.2f|%-5s|%5s|%+d|%x" % [3.14159, "ab", "cd", 5, 255] #=> "03.14|ab   |   cd|+5|ff"
format("%<a>d %{b}", a: 1, b: 2) #=> "1 2"
"abc"[1] #=> "b"
"abc"[-1] #=> "c"
"abc"[3] #=> nil
"abc"[4] #=> nil
"abc"[0, 2] #=> "ab"
"abc"[1..] #=> "bc"
"abc"[1..-2] #=> "b"
"abc"[0...-1] #=> "ab"
"abc"[3, 1] #=> ""
"abc"[4, 1] #=> nil
"abc"["b"] #=> "b"
"abc"[/b(.)/] #=> "bc"
"abc"[/b(.)/, 1] #=> "c"
"abc"[/x/] #=> nil
"abc".upcase #=> "ABC"
"Abc dEf".swapcase #=> "aBC DeF"
"hello world".capitalize #=> "Hello world"
"  x ".strip #=> "x"
"\tx\n".rstrip #=> "\tx"
"x\n\n".chomp #=> "x\n"
"x\r\n".chomp #=> "x"
"xy".chomp("y") #=> "x"
"xyz".chop #=> "xy"
"a,b,c".split(",") #=> ["a", "b", "c"]
"a,b,,".split(",") #=> ["a", "b"]
"a,b,,".split(",", -1) #=> ["a", "b", "", ""]
"a b  c ".split #=> ["a", "b", "c"]
" a b".split(" ") #=> ["a", "b"]
"abc".split("") #=> ["a", "b", "c"]
"a1b2c".split(/\d/) #=> ["a", "b", "c"]
"a1b2c".split(/(\d)/) #=> ["a", "1", "b", "2", "c"]
"1.2.3".split(".", 2) #=> ["1", "2.3"]
"".split(",") #=> []
"abc".chars #=> ["a", "b", "c"]
"a\nb\n".lines #=> ["a\n", "b\n"]
"a\nb".lines.map(&:chomp) #=> ["a", "b"]
"a-b_c".tr("-_", "  ") #=> "a b c"
"hello".tr("a-y", "b-z") #=> "ifmmp"
"hello".tr("lo", "x") #=> "hexxx"
"hello".delete("l") #=> "heo"
"aaabbb".squeeze #=> "ab"
"aaabbb".squeeze("a") #=> "abbb"
"hello".count("l") #=> 2
"hello".index("l") #=> 2
"hello".rindex("l") #=> 3
"hello".index("z") #=> nil
"hello".include?("ell") #=> true
"hello".start_with?("he", "x") #=> true
"hello".end_with?("lo") #=> true
"hello".sub("l", "L") #=> "heLlo"
"hello".gsub("l", "L") #=> "heLLo"
"hello".gsub(/l/) { |m| m.upcase } #=> "heLLo"
"hello".gsub(/(l)(l)/, '\2-\1') #=> "hel-lo"
"hello".gsub(/[el]/, "e" => "3", "l" => "1") #=> "h311o"
"john smith".gsub(/(?<f>\w+) (?<l>\w+)/, '\k<l> \k<f>') #=> "smith john"
"abc".gsub(/b*/, "-") #=> "-a--c-"
"abc".gsub(/x*/, "-") #=> "-a-b-c-"
"a\nb\n".gsub(/^/, "  ") #=> "  a\n  b\n"
"a.b".gsub(".", "\\\\.") #=> "a\\.b"
"test".sub(/t$/, "T") #=> "tesT"
"a-b".match(/(\w)-(\w)/).captures #=> ["a", "b"]
"a-b".match(/(?<x>\w)-(?<y>\w)/)[:y] #=> "b"
"a-b" =~ /b/ #=> 2
"abc" =~ /z/ #=> nil
"abc" !~ /z/ #=> true
("v1.2.3" =~ /v(\d+)\.(\d+)/) && "#{$1}-#{$2}" #=> "1-2"
"a1b22".scan(/\d+/) #=> ["1", "22"]
"a1b22".scan(/([a-z])(\d+)/) #=> [["a", "1"], ["b", "22"]]
"k=v".partition("=") #=> ["k", "=", "v"]
"a=b=c".rpartition("=") #=> ["a=b", "=", "c"]
"abc".reverse #=> "cba"
"abc".center(9, "*") #=> "***abc***"
"abc".ljust(5) + "|" #=> "abc  |"
"abc".rjust(5) + "|" #=> "  abc|"
"az".succ #=> "ba"
"zz".succ #=> "aaa"
"a9".succ #=> "b0"
"Zz".succ #=> "AAa"
"12abc".to_i #=> 12
"0x1A".to_i #=> 0
"abc".to_i #=> 0
"1_000".to_i #=> 1000
"3.7xyz".to_f #=> 3.7
"1e3".to_f #=> 1000.0
".5".to_f #=> 0.5
"abc".to_sym #=> :abc
"a b".to_sym #=> :"a b"
:abc.to_s #=> "abc"
:a <=> :b #=> -1
"a" <=> "b" #=> -1
"a".casecmp("A") #=> 0
"a".casecmp?("A") #=> true
"abc".eql?("abc") #=> true
"abc".equal?("abc") #=> false
"abc".frozen? #=> false
:a.frozen? #=> true
"abc".ord #=> 97
97.chr #=> "a"
"abc".bytes #=> [97, 98, 99]
"é".bytes #=> [195, 169]
"é".length #=> 1
"é".bytesize #=> 2
"abc".delete_prefix("a").delete_suffix("c") #=> "b"
"abc".insert(1, "x") #=> "axbc"
"abc".prepend("x") #=> "xabc"
"abc".replace("z") #=> "z"
s = "a"; s << "b"; s #=> "ab"
s = "a"; t = s; t << "b"; s #=> "ab"
s = +"a"; s.concat("b", "c"); s #=> "abc"
s = "x"; s.upcase!; s #=> "X"
s = "X"; s.upcase! #=> nil
s = "hello"; s.sub!(/l/, "L"); s #=> "heLlo"
s = "hello"; s.gsub!(/z/, "L") #=> nil
"abc".each_char.to_a #=> ["a", "b", "c"]
"abc".each_char.with_index.map { |c, i| c * i } rescue "err" #=> ["", "b", "cc"]
"a".upto("e").to_a #=> ["a", "b", "c", "d", "e"]
"ab\tc\"d\\".inspect #=> "\"ab\\tc\\\"d\\\\\""
'a#{b}'.inspect #=> "\"a\\\#{b}\""
"#{1}#{nil}#{:a}#{[1, "x"]}#{1.5}" #=> "1a[1, \"x\"]1.5"
"a" "b" 'c' #=> "abc"
%w(a b c) #=> ["a", "b", "c"]
%w[a#{1} b] #=> ["a\#{1}", "b"]
%W[a#{1} b] #=> ["a1", "b"]
%i(a b) #=> [:a, :b]
%q(a 'b') #=> "a 'b'"
%Q(a #{1}) #=> "a 1"
?a #=> "a"
:"a b" #=> :"a b"
:"a#{1}" #=> :a1
[1, 2, 3].sum #=> 6
[1, 2, 3].map { |x| x * 2 } #=> [2, 4, 6]
[1, 2, 3].select(&:odd?) #=> [1, 3]
[1, 2, 3].reject { |x| x > 1 } #=> [1]
[1, 2, 3].inject(:+) #=> 6
[1, 2, 3].inject { |a, b| a * b } #=> 6
[1, 2, 3].reduce(10) { |a, b| a + b } #=> 16
[1, 2, 3].reduce(1, :*) #=> 6
[3, 1, 2].sort #=> [1, 2, 3]
[3, 1, 2].sort { |a, b| b <=> a } #=> [3, 2, 1]
%w(bb a ccc).sort_by { |x| x.length } #=> ["a", "bb", "ccc"]
%w(bb a ccc).sort_by(&:size).reverse #=> ["ccc", "bb", "a"]
%w(bb a ccc).min_by(&:size) #=> "a"
%w(bb a ccc).max_by(&:size) #=> "ccc"
%w(aa bb).max_by(&:size) #=> "aa"
[3, 1, 2].min #=> 1
[3, 1, 2].max #=> 3
[3, 1, 2].minmax #=> [1, 3]
[[2, "b"], [1, "a"]].sort #=> [[1, "a"], [2, "b"]]
[1, [2, [3, nil]]].flatten #=> [1, 2, 3, nil]
[1, [2, [3]]].flatten(1) #=> [1, 2, [3]]
[1, nil, 2].compact #=> [1, 2]
[1, 1, 2].uniq #=> [1, 2]
%w(a A b).uniq(&:downcase) #=> ["a", "b"]
[1, 2] + [3] #=> [1, 2, 3]
[1, 2, 2] - [2] #=> [1]
[1, 2] & [2, 3] #=> [2]
[1, 2] | [2, 3] #=> [1, 2, 3]
[1, 2] * 2 #=> [1, 2, 1, 2]
[1, 2] * "," #=> "1,2"
[1, 2].join("-") #=> "1-2"
[1, [2, [3]]].join(",") #=> "1,2,3"
[1, 2, 3].first #=> 1
[1, 2, 3].first(2) #=> [1, 2]
[1, 2, 3].last #=> 3
[1, 2, 3].last(2) #=> [2, 3]
[].first #=> nil
[1, 2, 3][1] #=> 2
[1, 2, 3][-1] #=> 3
[1, 2, 3][5] #=> nil
[1, 2, 3][1..] #=> [2, 3]
[1, 2, 3][3..] #=> []
[1, 2, 3][4..] #=> nil
[1, 2, 3][0, 2] #=> [1, 2]
[1, 2, 3][-2, 2] #=> [2, 3]
[1, 2, 3].take(2) #=> [1, 2]
[1, 2, 3].drop(1) #=> [2, 3]
[1, 2, 3, 4].take_while { |x| x < 3 } #=> [1, 2]
[1, 2, 3, 4, 1].drop_while { |x| x < 3 } #=> [3, 4, 1]
[1, 2, 3, 4].partition(&:even?) #=> [[2, 4], [1, 3]]
[1, 2, 3, 4].each_slice(2).to_a #=> [[1, 2], [3, 4]]
[1, 2, 3, 4].each_slice(3).map(&:sum) #=> [6, 4]
[1, 2, 3].each_cons(2).to_a #=> [[1, 2], [2, 3]]
[1, 2, 3].each_with_index.map { |x, i| x * i } #=> [0, 2, 6]
[1, 2, 3].map.with_index(1) { |x, i| [i, x] } #=> [[1, 1], [2, 2], [3, 3]]
[1, 2, 3].each.with_index(1).to_a #=> [[1, 1], [2, 2], [3, 3]]
[1, 2, 3].each_with_object([]) { |x, acc| acc << x } #=> [1, 2, 3]
%w(a b c).each_with_index.to_a #=> [["a", 0], ["b", 1], ["c", 2]]
[1, 2, 3].zip([4, 5], [7]) #=> [[1, 4, 7], [2, 5, nil], [3, nil, nil]]
[[1, 2], [3, 4]].transpose #=> [[1, 3], [2, 4]]
[1, 2, 3].find { |x| x > 1 } #=> 2
[1, 2, 3].detect { |x| x > 5 } #=> nil
[1, 2, 3].find_index(2) #=> 1
[1, 2, 3].index { |x| x > 1 } #=> 1
[1, 2, 3].include?(2) #=> true
[1, 2, 3].any? { |x| x > 2 } #=> true
[1, 2, 3].all?(Integer) #=> true
[].any? #=> false
[].all? #=> true
[nil, 1].none? #=> false
[1, 2].one? { |x| x > 1 } #=> true
[1, 2, 2].count(2) #=> 2
[1, 2, 3].count(&:odd?) #=> 2
%w(a.rb b.txt).grep(/\.rb$/) #=> ["a.rb"]
%w(a.rb b.txt).grep_v(/\.rb$/) #=> ["b.txt"]
%w(a.rb).grep(/(.*)\.rb/) { $1 } #=> ["a"]
[1, "a", :b].grep(String) #=> ["a"]
[1, 2, 3].reverse #=> [3, 2, 1]
[1, 2, 3].rotate #=> [2, 3, 1]
[1, 2, 3].values_at(0, 2, 5) #=> [1, 3, nil]
[1, 2, 3].fetch(1) #=> 2
[1, 2, 3].fetch(9, :x) #=> :x
[1, 2, 3].fetch(9) { |i| i * 2 } #=> 18
[1, [2, [3]]].dig(1, 1, 0) #=> 3
a = [1]; a.push(2, 3); a #=> [1, 2, 3]
a = [1, 2]; a.unshift(0); a #=> [0, 1, 2]
a = [1, 2, 3]; [a.pop, a.shift, a] #=> [3, 1, [2]]
a = [1, 2, 3]; a.delete(2); a #=> [1, 3]
a = [1, 2, 3]; a.delete_at(0); a #=> [2, 3]
a = [1, 2, 3]; a.delete_if { |x| x > 1 }; a #=> [1]
a = [1]; a[3] = 4; a #=> [1, nil, nil, 4]
a = [3, 1]; a.sort!; a #=> [1, 3]
a = [1, 2]; a.map! { |x| x + 1 }; a #=> [2, 3]
a = [1, 1]; a.uniq! #=> [1]
a = [1, 2]; a.uniq! #=> nil
a = [1, 2]; a.concat([3], [4]); a #=> [1, 2, 3, 4]
a = [1, 2, 3]; a.insert(1, :x) rescue "err" #=> [1, :x, 2, 3]
[1, 2] <=> [1, 3] #=> -1
[1, 2] == [1, 2] #=> true
[1, 2].eql?([1.0, 2]) #=> false
[1, 2].empty? #=> false
Array(nil) #=> []
Array([1]) #=> [1]
Array("a") #=> ["a"]
Array(1..3) #=> [1, 2, 3]
Array.new(3, 0) #=> [0, 0, 0]
[*1..3, *[4]] #=> [1, 2, 3, 4]
a, b = 1, 2; [a, b] #=> [1, 2]
a, *b = 1, 2, 3; [a, b] #=> [1, [2, 3]]
*a, b = 1, 2, 3; [a, b] #=> [[1, 2], 3]
a, (b, c), d = 1, [2, 3], 4; [a, b, c, d] #=> [1, 2, 3, 4]
a, b = [1]; [a, b] #=> [1, nil]
a = b = 3; [a, b] #=> [3, 3]
a, b = b, a; [a, b] #=> [nil, nil]
a = *nil; a #=> []
a = *1; a #=> [1]
a = 1, 2; a #=> [1, 2]
{ a: 1, "b" => 2 }.keys #=> [:a, "b"]
{ a: 1 }[:a] #=> 1
{ a: 1 }["a"] #=> nil
{ a: 1 }.fetch(:a) #=> 1
{ a: 1 }.fetch(:b, 3) #=> 3
{ a: 1 }.fetch(:b) { |k| k.to_s } #=> "b"
{ a: 1 }.key?(:a) #=> true
{ a: 1, b: 2 }.map { |k, v| [k, v * 2] } #=> [[:a, 2], [:b, 4]]
{ a: 1, b: 2 }.map { |p| p } #=> [[:a, 1], [:b, 2]]
{ a: 1, b: 2 }.select { |k, v| v > 1 }.to_a #=> [[:b, 2]]
{ a: 1, b: 2 }.reject { |k, v| v > 1 }.to_a #=> [[:a, 1]]
{ a: 1, b: 2 }.find { |k, v| v == 2 } #=> [:b, 2]
{ a: 1, b: 2 }.sort_by { |k, v| -v } #=> [[:b, 2], [:a, 1]]
{ b: 1, a: 2 }.sort #=> [[:a, 2], [:b, 1]]
{ a: 1, b: 2 }.min_by { |k, v| v } #=> [:a, 1]
{ a: 1 }.merge(b: 2).to_a #=> [[:a, 1], [:b, 2]]
{ a: 1 }.merge({ a: 2 }) { |k, o, n| o + n }.to_a #=> [[:a, 3]]
{ a: 1, b: 2 }.invert.to_a #=> [[1, :a], [2, :b]]
{ a: 1, b: 2 }.to_a #=> [[:a, 1], [:b, 2]]
{ a: 1, b: 2 }.values #=> [1, 2]
{ a: 1, b: nil }.compact.to_a #=> [[:a, 1]]
{ a: 1, b: 2 }.transform_values { |v| v + 1 }.to_a #=> [[:a, 2], [:b, 3]]
{ a: 1 }.transform_keys(&:to_s).to_a #=> [["a", 1]]
{ a: 1, b: 2 }.each_with_object([]) { |(k, v), acc| acc << k } #=> [:a, :b]
{ a: 1, b: 2 }.each_with_index.map { |(k, v), i| [k, v, i] } #=> [[:a, 1, 0], [:b, 2, 1]]
{ a: 1, b: 2 }.inject(0) { |s, (k, v)| s + v } #=> 3
{ a: 1, b: 2 }.any? { |k, v| v > 1 } #=> true
{ a: 1, b: 2 }.all? { |k, v| v > 1 } #=> false
{ a: 1, b: 2 }.count { |k, v| v > 1 } #=> 1
{ a: 1, b: 2 }.partition { |k, v| v > 1 } #=> [[[:b, 2]], [[:a, 1]]]
{ a: 1, b: 2 }.group_by { |k, v| v.odd? }.to_a #=> [[true, [[:a, 1]]], [false, [[:b, 2]]]]
{ a: 1, b: 2 }.sum { |k, v| v } #=> 3
{ a: 1, b: 2 }.flat_map { |k, v| [k] * v } #=> [:a, :b, :b]
{ a: 1, b: 2 }.slice(:a).to_a #=> [[:a, 1]]
{ a: 1, b: 2 }.except(:a).to_a #=> [[:b, 2]]
{ a: 1, b: 2 }.filter_map { |k, v| k if v > 1 } #=> [:b]
{ a: 1, b: 2 }.reduce { |a, b| a + b } #=> [:a, 1, :b, 2]
{ a: { b: { c: 1 } } }.dig(:a, :b, :c) #=> 1
{ a: 1 }.dig(:x, :y) #=> nil
h = { a: 1 }; h[:b] = 2; h.delete(:a); h.to_a #=> [[:b, 2]]
h = Hash.new(0); h[:x] += 1; h.to_a #=> [[:x, 1]]
h = Hash.new { |hash, k| hash[k] = k.to_s * 2 }; h[:ab] #=> "abab"
h = {}; h[:a] ||= []; h[:a] << 1; h[:a] #=> [1]
h = { b: 1, a: 2 }; h.sort.to_h.keys #=> [:a, :b]
h = { a: 1 }; h.store("k", 2); h.keys #=> [:a, "k"]
h = { a: 1 }; h.update(b: 3); h.keys #=> [:a, :b]
h = { a: 1 }; h.delete(:z) #=> nil
h = { 1 => :a, 1.0 => :b, nil => :c, [1] => :d }; [h[1], h[1.0], h[nil], h[[1]]] #=> [:a, :b, :c, :d]
{ a: 1 } == { a: 1.0 } #=> true
{ a: 1 }.empty? #=> false
{ a: 1 }.key(1) #=> :a
{ a: 1 }.has_value?(1) #=> true
{ **{ a: 1 }, b: 2 }.to_a #=> [[:a, 1], [:b, 2]]
x = 1; { x: }.to_a #=> [[:x, 1]]
Hash[[[1, 2]]].to_a #=> [[1, 2]]
{ a: 1 }.each { |k, v| [k, v] }.to_a #=> [[:a, 1]]
{ a: 1 }.each_pair.to_a #=> [[:a, 1]]
{ a: 1 }.zip([1]) #=> [[[:a, 1], 1]]
{ a: 1 }.first #=> [:a, 1]
{ a: 1, b: 2 }.first(1) #=> [[:a, 1]]
{ a: 1 }.sum { |p| p.size } #=> 2
{ a: 1, b: 2 }.each_slice(1).to_a #=> [[[:a, 1]], [[:b, 2]]]
{ a: 1, b: 2 }.max_by { |k, v| v } #=> [:b, 2]
(1..5).to_a #=> [1, 2, 3, 4, 5]
(1...5).to_a #=> [1, 2, 3, 4]
(1..5).map { |x| x } #=> [1, 2, 3, 4, 5]
(1..10).step(3).to_a #=> [1, 4, 7, 10]
(1..5).each_slice(2).to_a #=> [[1, 2], [3, 4], [5]]
("a".."e").to_a #=> ["a", "b", "c", "d", "e"]
("a".."e").include?("c") #=> true
(1..5).include?(3) #=> true
(1..5) === 3 #=> true
(1..5).sum #=> 15
(1..5).reduce(:*) #=> 120
(1..Float::INFINITY).include?(5) #=> true
(1..).first(2) rescue "err" #=> [1, 2]
(1..5).each_with_index.map { |x, i| x * i } #=> [0, 2, 6, 12, 20]
(1..3).inject(:+) #=> 6
(1..3).to_s #=> "1..3"
(1...3).size #=> 2
(1..3).min #=> 1
(1..3).max #=> 3
(1..5).select(&:even?) #=> [2, 4]
('01'..'03').to_a #=> ["01", "02", "03"]
(1..3).reverse_each.to_a #=> [3, 2, 1]
1.upto(3).to_a #=> [1, 2, 3]
3.downto(1).to_a #=> [3, 2, 1]
3.times.to_a #=> [0, 1, 2]
3.times.map { |i| i * 2 } #=> [0, 2, 4]
1.step(10, 4).to_a rescue "err" #=> [1, 5, 9]
nil.to_a #=> []
nil.to_s #=> ""
nil.inspect #=> "nil"
nil.to_i #=> 0
nil & true #=> false
nil == false #=> false
nil.nil? #=> true
true & false #=> false
true ^ true #=> false
!true #=> false
(not true) #=> false
true and false #=> false
nil or 3 #=> 3
(x = nil; x ||= 5; x) #=> 5
(x = 3; x &&= x + 1; x) #=> 4
(x = 3; x += 1; x -= 2; x *= 5; x) #=> 10
x = 5; x > 3 ? "big" : "small" #=> "big"
x = 5; if x > 3 then "a" elsif x > 2 then "b" else "c" end #=> "a"
x = 5; unless x > 3 then "a" else "b" end #=> "b"
(5 if false) #=> nil
x = 0; x += 1 while x < 10; x #=> 10
x = 0; x += 1 until x == 5; x #=> 5
x = 0; begin x += 1 end while x < 3; x #=> 3
x = 10; begin x += 1 end while x < 3; x #=> 11
r = []; for i in 1..3 do r << i end; r #=> [1, 2, 3]
r = []; for a, b in [[1, 2], [3, 4]] do r << a + b end; r #=> [3, 7]
r = []; (1..10).each { |i| next if i.odd?; break if i > 6; r << i }; r #=> [2, 4, 6]
[1, 2, 3].each { |x| break x * 10 if x == 2 } #=> 20
r = loop { break 5 }; r #=> 5
i = 0; loop do i += 1; break if i > 3 end; i #=> 4
while true do break 7 end #=> 7
r = []; [1, 2].each { |a| [3, 4].each { |b| next if b == 3; r << [a, b] } }; r #=> [[1, 4], [2, 4]]
case 5 when 1..3 then "a" when 4..6 then "b" else "c" end #=> "b"
case "abc" when /b/ then "m" else "n" end #=> "m"
case "x" when "a", "x" then 1 else 2 end #=> 1
case 5 when Integer then "int" when String then "str" end #=> "int"
case nil when nil then "nil" end #=> "nil"
case when 1 > 2 then "a" else "b" end #=> "b"
case "z" when *%w(x y z) then 1 else 2 end #=> 1
case :a when :a then 1 end #=> 1
case 1.0 when 1 then :one end #=> :one
case "19.4.14".split(".").first.to_i when 0...12 then "old" else "new" end #=> "new"
begin; raise "x"; rescue => e; e.message; end #=> "x"
begin; raise ArgumentError, "bad"; rescue ArgumentError => e; "#{e.class}: #{e.message}"; end #=> "ArgumentError: bad"
begin; raise ArgumentError; rescue => e; e.message; end #=> "ArgumentError"
begin; nil.foo_bar; rescue NoMethodError; "nm"; end #=> "nm"
begin; Integer("x"); rescue ArgumentError => e; e.message; end #=> "invalid value for Integer(): \"x\""
begin; [].fetch(3); rescue IndexError => e; e.message; end #=> "index 3 outside of array bounds: 0...0"
begin; {}.fetch(:a); rescue KeyError => e; e.message; end #=> "key not found: :a"
begin; 1 / 0; rescue ZeroDivisionError => e; e.message; end #=> "divided by 0"
begin; raise "a"; rescue; "b"; else; "c"; ensure; "d"; end #=> "b"
begin; 1; rescue; 2; else; 3; end #=> 3
x = []; begin; x << 1; ensure; x << 2; end; x #=> [1, 2]
x = 0; begin; x += 1; raise "e" if x < 3; x; rescue; retry; end #=> 3
(raise "x" rescue "y") #=> "y"
Integer("12") #=> 12
Float("1.5") #=> 1.5
String(5) #=> "5"
"a".is_a?(String) #=> true
"a".is_a?(Comparable) #=> true
1.is_a?(Numeric) #=> true
1.kind_of?(Integer) #=> true
"a".instance_of?(String) #=> true
nil.is_a?(NilClass) #=> true
[].is_a?(Enumerable) #=> true
String === "a" #=> true
Integer === 1 #=> true
(1..2).class #=> Range
"a".class #=> String
:a.class #=> Symbol
1.class #=> Integer
1.5.class #=> Float
nil.class #=> NilClass
true.class #=> TrueClass
[].class.name #=> "Array"
"a".class == String #=> true
"a".respond_to?(:upcase) #=> true
"a".respond_to?(:each) #=> false
[].respond_to?(:each) #=> true
nil.respond_to?(:[]) #=> false
l = lambda { |x| x + 1 }; l.call(2) #=> 3
l = ->(x, y = 2) { x + y }; l.(1) #=> 3
l = ->(x) { x }; l[5] #=> 5
pr = proc { |x, y| [x, y] }; pr.call(1) #=> [1, nil]
pr = proc { |x, y| [x, y] }; pr.call([1, 2]) #=> [1, 2]
pr = proc { |x| x }; pr.call(1, 2) #=> 1
pr = Proc.new { |*a| a }; pr.call(1, 2) #=> [1, 2]
pr = proc { |a, (b, c), *d, e: 5| [a, b, c, d, e] }; pr.call(1, [2, 3], 4) #=> [1, 2, 3, [4], 5]
l = ->(a, b) { [a, b] }; begin; l.call(1); rescue ArgumentError => e; e.message; end #=> "wrong number of arguments (given 1, expected 2)"
def f(a, b = 2, *c, d: 4, **e, &g) [a, b, c, d, e.to_a] end; f(1) #=> [1, 2, [], 4, []]
def f2(a, b = a * 2) [a, b] end; f2(3) #=> [3, 6]
def f3(*a) a end; f3(1, *[2, 3]) #=> [1, 2, 3]
def f4(a:, b: 2) [a, b] end; f4(a: 1) #=> [1, 2]
def f5(**o) o.keys end; f5(x: 1, y: 2) #=> [:x, :y]
def f6(o = {}) o.keys end; f6(x: 1) #=> [:x]
def f7(a, o = {}) [a, o.keys] end; f7(1, :b => 2) #=> [1, [:b]]
def f8; yield 1, 2; end; f8 { |a, b| a + b } #=> 3
def f9(&b) b.call(3) end; f9 { |x| x * 2 } #=> 6
def f10; block_given? ? yield : "no"; end; [f10, f10 { "yes" }] #=> ["no", "yes"]
def f11(x) return "early" if x; "late" end; [f11(true), f11(false)] #=> ["early", "late"]
def f12(n) n <= 1 ? 1 : n * f12(n - 1) end; f12(10) #=> 3628800
def f13(a, *b, c) [a, b, c] end; f13(1, 2) #=> [1, [], 2]
def f14; [1, 2].each { |x| return x }; 3; end; f14 #=> 1
def f15(x) = x * 2; f15(4) #=> 8
def f16(h) h end; f16({ a: 1 }).to_a #=> [[:a, 1]]
begin; def f17(a) a end; f17; rescue ArgumentError => e; e.message; end #=> "wrong number of arguments (given 0, expected 1)"
x = 10; [1, 2].each { |i| x += i }; x #=> 13
x = 10; [1].each { |i; x| x = i }; x #=> 10
[[1, [2, 3]]].map { |a, (b, c)| [a, b, c] } #=> [[1, 2, 3]]
[[1, 2], [3, 4]].map { |a, b| a + b } #=> [3, 7]
[[1, 2], [3, 4]].each_with_index.map { |(a, b), i| a + b + i } #=> [3, 8]
[1, 2].map { _1 * 2 } #=> [2, 4]
[[1, 2]].map { _1 + _2 } #=> [3]
%w(a b).map(&:upcase) #=> ["A", "B"]
%w(a b).each_with_index { |x, i| }.size #=> 2
$x = 5; $x #=> 5
@y = 3; @y #=> 3
@undefined #=> nil
defined?(foo) #=> nil
defined?(String) #=> "constant"
defined?(puts) #=> "method"
x = 1; defined?(x) #=> "local-variable"
defined?(@zz) #=> nil
defined?(yield) #=> nil
defined?(nil) #=> "nil"
A = 5; A #=> 5
A ||= 6; A #=> 6
FOO = %w(a b).freeze; FOO.frozen? #=> true
FOO2 = { a: 1 }.freeze; begin; FOO2[:b] = 1; rescue => e; e.class.name; end #=> "FrozenError"
begin; "a".freeze << "b"; rescue FrozenError => e; e.class.name; end #=> "FrozenError"
[1, 2, 3].then { |a| a.sum } #=> 6
5.tap { |x| x + 1 } #=> 5
"x".dup << "y" #=> "xy"
"abc".send(:upcase) #=> "ABC"
1.send(:+, 2) #=> 3
[1, 2].frozen? #=> false
catch(:done) { 10.times { |i| throw :done, i if i == 3 }; :never } #=> 3
[3, 1].sort!.first #=> 1
Gem::Version.new("1.2.3") > Gem::Version.new("1.2") #=> true
Gem::Version.new("1.2.3") >= Gem::Version.new("1.10") #=> false
Gem::Version.new("1.2.3").to_s #=> "1.2.3"
Gem::Version.new("1.2").segments #=> [1, 2]
Gem::Version.new("1.0.a") < Gem::Version.new("1.0") #=> true
Gem::Requirement.new(">= 1.2").satisfied_by?(Gem::Version.new("1.3")) #=> true
Gem::Requirement.new("~> 1.2").satisfied_by?(Gem::Version.new("2.0")) #=> false
Gem::Version.correct?("1.x") #=> true
File.join("a", "b") #=> "a/b"
File.basename("/a/b.rb", ".rb") #=> "b"
File.extname("x.tar.gz") #=> ".gz"
File.dirname("/a/b/c") #=> "/a/b"
File.split("/a/b") #=> ["/a", "b"]
File.fnmatch("*.rb", "a.rb") #=> true
File.fnmatch?("**/*.rb", "a/b.rb") #=> true
Regexp.escape("a.b") #=> "a\\.b"
/a.b/i.match?("AxB") #=> true
/(?<y>\d+)/ =~ "ab12"; y #=> "12"
/a/.source #=> "a"
/a\/b/.source #=> "a/b"
/x/.match("y") #=> nil
Regexp.new("a+").match("caat")[0] #=> "aa"
"foo bar baz".match(/(\w+) (\w+)/).to_a #=> ["foo bar", "foo", "bar"]
$~ && $~[0] #=> nil
"foo" =~ /o/; [$`, $&, $'] #=> ["f", "o", "o"]
"ab12"[/\d+/].to_i + 1 #=> 13
"x".then { |s| s + "y" } #=> "xy"
"a\\b" #=> "a\\b"
'a\'b\\c' #=> "a'b\\c"
"\u00e9\x41\101\t\s|" #=> "éAA\t |"
"tab\there" #=> "tab\there"
"é".upcase #=> "É"
"straße".length #=> 6
"日本語".chars #=> ["日", "本", "語"]
"日本語"[1] #=> "本"
"日本語".reverse #=> "語本日"
"%-10s|" % "é" #=> "é         |"
"%3d%%" % 50 #=> " 50%"
"%s" % nil #=> ""
"%p" % [nil] #=> "nil"
"%s and %s" % %w(a b) #=> "a and b"
"%c" % "x" #=> "x"
"%.3s" % "abcdef" #=> "abc"
"%08.3f" % 3.14159 #=> "0003.142"
"ab".ljust(1) #=> "ab"
"CamelCaseString".gsub(/([A-Z])/) { "_" + $1.downcase } #=> "_camel_case_string"
"snake_case".split("_").map(&:capitalize).join #=> "SnakeCase"
"a".."c" #=> "a".."c"
("a".."c").each_cons(2).to_a #=> [["a", "b"], ["b", "c"]]
[0.1, 0.2].map { |x| x * 10 } #=> [1.0, 2.0]
[1, 2, 3, 4].sum / 4.0 #=> 2.5
10.0.to_s #=> "10.0"
1e100.to_s #=> "1.0e+100"
100000000000000000.0.to_s #=> "1.0e+17"
0.1 + 0.2 #=> 0.30000000000000004
2.0 ** 0.5 #=> 1.4142135623730951
-5.abs #=> 5
5.0.floor #=> 5
5.5.ceil #=> 6
3.7 % 1 #=> 0.7000000000000002
1 <=> "a" #=> nil
1 == 1.0 #=> true
1.eql?(1.0) #=> false
1.equal?(1) #=> true
"a" == :a #=> false
[1, "a", nil, true, :b, 1.5, [2], 1..2] #=> [1, "a", nil, true, :b, 1.5, [2], 1..2]
[nil, true].to_s #=> "[nil, true]"
:"foo-bar".inspect #=> ":\"foo-bar\""
:foo?.inspect #=> ":foo?"
:[]=.inspect #=> ":[]="
[:a, :"b c", :"d=", :e!] #=> [:a, :"b c", :d=, :e!]
nil.to_a.inspect #=> "[]"
[[]].flatten.empty? #=> true
[1, 2, 3].to_a.equal?(nil) #=> false
a = [1, 2]; b = a; b << 3; a #=> [1, 2, 3]
a = [1, 2]; b = a.dup; b << 3; a #=> [1, 2]
def opt(a, b = {}, **c) [a, b.to_a, c.to_a] end; opt(1, x: 2) #=> [1, [], [[:x, 2]]]
def blk(&b) b end; blk.nil? #=> true
h = { a: 1 }; def sp(**k) k.to_a end; sp(**h) #=> [[:a, 1]]
def d1(a, b) [a, b] end; d1(*[1, 2]) #=> [1, 2]
["a", "b"].each_with_index.to_a.map { |s, i| "#{i}#{s}" } #=> ["0a", "1b"]
[1, 2, 3, 4, 5].each_slice(2).with_index.map { |a, i| a.sum * i } #=> [0, 7, 10]
%w(x y z).each_with_object({}) { |k, h| h[k] = k * 2 }.to_a #=> [["x", "xx"], ["y", "yy"], ["z", "zz"]]
%w(b a).sort.each { |x| x }.join #=> "ab"
["1", "10", "9"].sort_by(&:to_i) #=> ["1", "9", "10"]
["b", "A"].sort_by(&:downcase) #=> ["A", "b"]
["1.10.0", "1.9.0"].sort_by { |v| Gem::Version.new(v) } #=> ["1.9.0", "1.10.0"]
["1.10.0", "1.9.0"].map { |v| Gem::Version.new(v) }.max.to_s #=> "1.10.0"
(1..3).zip(4..6) #=> [[1, 4], [2, 5], [3, 6]]
(1..3).each_with_object([]) { |i, a| a << i } #=> [1, 2, 3]
[1, 2, 3, 4].find_all(&:even?) #=> [2, 4]
[3, 5].each_with_index.max_by { |x, i| x } #=> [5, 1]
[["a", 1], ["b", 2]].each { |k, v| k }.size #=> 2
[1,2,3].each_slice(2) { |a| a } #=> [1, 2, 3]
"abc".each_line { |l| l } #=> "abc"
"a,b;c".split(/[,;]/) #=> ["a", "b", "c"]
"a  b".split(/\s+/) #=> ["a", "b"]
" a b ".split(/\s+/) #=> ["", "a", "b"]
"2020-01-02".split("-").map(&:to_i) #=> [2020, 1, 2]
"key: value".split(": ", 2) #=> ["key", "value"]
"path/to/file".split("/").last #=> "file"
"1.2.3".split(".").map(&:to_i).first(2).join(".") #=> "1.2"
"foo.rb"[0..-4] #=> "foo"
"foo".then { "#{_1}bar" } #=> "foobar"
"Hello" "World".downcase #=> "helloworld"
"x=#{x = 5; x * 2}" #=> "x=10"
"#{"nested #{1 + 1}"}" #=> "nested 2"
"a" + 1.to_s #=> "a1"
"a" << "b" << "c" #=> "abc"
"abc" "def"[0] #=> "a"
"a".ord.to_s.rjust(4, "0") #=> "0097"
"%s" % :sym #=> "sym"
"%s" % [[1, 2]] #=> "[1, 2]"
"%d" % 3.99 #=> "3"
"%d apples" % 3 #=> "3 apples"
"1,234".delete(",").to_i #=> 1234
"hello world".split.map(&:capitalize).join(" ") #=> "Hello World"
"title case".gsub(/\b\w/) { |c| c.upcase } #=> "Title Case"
"abc".tr('a-c', 'A-C') #=> "ABC"
"a-b-c".tr('-', '') #=> "abc"
"line1\nline2".each_line.map(&:chomp) #=> ["line1", "line2"]
"line1\nline2".each_line(chomp: true).to_a #=> ["line1", "line2"]
"x".center(4) #=> " x  "
"ab" * 0 #=> ""
"abc" <=> "abd" #=> -1
"abc".between?("abb", "abd") #=> true
"a".upto("c").map(&:upcase) #=> ["A", "B", "C"]
"abc".slice(0, 2) #=> "ab"
"abc".start_with?(/[a-c]/) #=> true
"ruby is fun".scan(/\w+/).length #=> 3
"ruby".match?(/RUBY/i) #=> true
"a\nb" =~ /a.b/m #=> 0
"a b" =~ /a\ b/x #=> 0
"foobar"[/foo(?:bar)/] #=> "foobar"
"2.5.1"[/\A(\d+)\.(\d+)/, 2] #=> "5"
"v1.0-beta".sub(/\Av/, "").sub(/-.*\z/, "") #=> "1.0"
"abc".sub("b") { |m| m * 2 } #=> "abbc"
"path/to".gsub("/", "::") #=> "path::to"
"a.b.c".gsub(/\./, "_") #=> "a_b_c"
"aXbX".gsub(/x/i, "-") #=> "a-b-"
"$HOME/x".sub("$HOME", "/root") #=> "/root/x"
'\1'.gsub("1", "2") #=> "\\2"
"ab".gsub(/(a)(b)/, '<\0|\1|\2>') #=> "<ab|a|b>"
"ab".gsub("a", '\0\0') #=> "aab"
"zz".gsub(/(?<n>\w)/, '<\1>') #=> "<><>"
"zz".gsub(/(?<n>\w)/) { "<#{$1}>" } #=> "<z><z>"
