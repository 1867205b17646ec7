//! From Ruby's pattern syntax (Onigmo's) to that of the `regex` crate.

use crate::ruby::syntax::RegexpFlags;

/// Translates a pattern. The error is the name of what is not supported.
/// What `^` becomes is given.
pub(super) fn translate(
    source: &str,
    flags: RegexpFlags,
    line_start: &'static str,
) -> Result<String, String> {
    let mut translation = Translation {
        rest: source.chars().collect(),
        at: 0,
        out: String::new(),
        named: has_named_group(source),
        extended: flags.extended,
        fresh: true,
        line_start,
        groups: Vec::new(),
    };
    // `^` and `$` are about lines in Ruby, always.
    translation.out.push_str("(?m");
    if flags.ignore_case {
        translation.out.push('i');
    }
    if flags.dot_all {
        translation.out.push('s');
    }
    translation.out.push(')');
    translation.run()?;
    Ok(translation.out)
}

fn has_named_group(source: &str) -> bool {
    source
        .match_indices("(?<")
        .any(|(at, _)| !source[at + 3..].starts_with(['=', '!']))
}

struct Translation {
    rest: Vec<char>,
    at: usize,
    out: String,
    /// With a named group, the others do not capture.
    named: bool,
    extended: bool,
    /// Whether nothing has been matched yet in this branch: `^` stands at the match's start.
    fresh: bool,
    line_start: &'static str,
    /// What was when each open group began: extended, fresh.
    groups: Vec<(bool, bool)>,
}

fn look_around() -> String {
    "a regular expression with look-around".to_owned()
}

impl Translation {
    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    fn take(&mut self, text: &str) -> bool {
        let wanted = text.chars().count();
        let found = self.rest[self.at..]
            .iter()
            .take(wanted)
            .copied()
            .eq(text.chars());
        if found {
            self.at += wanted;
        }
        found
    }

    fn run(&mut self) -> Result<(), String> {
        while let Some(c) = self.next() {
            match c {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                ')' => {
                    if let Some((extended, _)) = self.groups.pop() {
                        self.extended = extended;
                    }
                    self.out.push(')');
                    self.fresh = false;
                }
                '|' => {
                    self.out.push('|');
                    self.fresh = self.groups.last().is_none_or(|(_, fresh)| *fresh);
                }
                // What stands before it would have to be known to end with a newline that is not
                // the text's last character.
                '^' if !self.fresh => {
                    return Err("a regular expression with `^` in its middle".to_owned());
                }
                '^' => self.out.push_str(self.line_start),
                '$' => self.out.push(c),
                '.' => self.atom("."),
                '*' | '+' | '?' => self.quantifier(c)?,
                '{' => self.interval(),
                '#' if self.extended => while self.next().is_some_and(|c| c != '\n') {},
                c if self.extended && c.is_ascii_whitespace() => {}
                c => self.literal(c),
            }
        }
        Ok(())
    }

    fn atom(&mut self, text: &str) {
        self.out.push_str(text);
        self.fresh = false;
    }

    fn literal(&mut self, c: char) {
        let escaped = regex::escape(c.encode_utf8(&mut [0; 4]));
        self.atom(&escaped);
    }

    fn quantifier(&mut self, c: char) -> Result<(), String> {
        self.out.push(c);
        match self.peek() {
            Some('+') => Err("a possessive regular expression".to_owned()),
            Some('?') => {
                self.at += 1;
                self.out.push('?');
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// `{2}`, `{2,}`, `{,3}`, `{2,3}`; any other `{` stands for itself.
    fn interval(&mut self) {
        let inside: String = self.rest[self.at..]
            .iter()
            .take_while(|c| c.is_ascii_digit() || **c == ',')
            .collect();
        let closed = self.rest.get(self.at + inside.chars().count()) == Some(&'}');
        let (least, most) = match inside.split_once(',') {
            Some((least, most)) => (least, Some(most)),
            None => (&*inside, None),
        };
        let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let any = !least.is_empty() || most.is_some_and(|most| !most.is_empty());
        if !closed || !any || !number(least) || !most.is_none_or(number) {
            self.literal('{');
            return;
        }
        self.at += inside.len() + 1;
        let least = if least.is_empty() { "0" } else { least };
        match most {
            None => self.out.push_str(&format!("{{{least}}}")),
            Some(most) => self.out.push_str(&format!("{{{least},{most}}}")),
        }
        if self.take("?") {
            self.out.push('?');
        }
    }

    fn group(&mut self) -> Result<(), String> {
        let before = (self.extended, self.fresh);
        if !self.take("?") {
            self.out.push_str(if self.named { "(?:" } else { "(" });
            self.groups.push(before);
            return Ok(());
        }
        if self.take("#") {
            while self.next().is_some_and(|c| c != ')') {}
            return Ok(());
        }
        if self.take("=") || self.take("!") || self.take("<=") || self.take("<!") {
            return Err(look_around());
        }
        if self.take("<") {
            let mut name = String::new();
            loop {
                match self.next() {
                    Some('>') => break,
                    Some(c) if c.is_ascii_alphanumeric() || c == '_' => name.push(c),
                    _ => return Err("this regular expression".to_owned()),
                }
            }
            self.out.push_str(&format!("(?P<{name}>"));
            self.groups.push(before);
            return Ok(());
        }
        self.flag_group(before)
    }

    /// `(?:..)`, `(?mi-x:..)`; `(?i)` to the end of the group.
    fn flag_group(&mut self, before: (bool, bool)) -> Result<(), String> {
        let mut on = true;
        let (mut set, mut unset) = (String::new(), String::new());
        let scoped = loop {
            let c = self.next();
            let flags = if on { &mut set } else { &mut unset };
            match c {
                Some(':') => break true,
                Some(')') => break false,
                Some('-') if on => on = false,
                Some('i') => flags.push('i'),
                Some('m') => flags.push('s'),
                Some('x') => self.extended = on,
                _ => return Err("this regular expression".to_owned()),
            }
        };
        if !scoped {
            // In Ruby what follows `(?i)` belongs to it, branches included.
            return Err("a regular expression with flags in its middle".to_owned());
        }
        self.groups.push(before);
        let dash = if unset.is_empty() { "" } else { "-" };
        self.out.push_str(&format!("(?{set}{dash}{unset}:"));
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        let Some(c) = self.next() else {
            return Err("this regular expression".to_owned());
        };
        match c {
            'A' => self.out.push_str("\\A"),
            'z' => self.out.push_str("\\z"),
            'b' => self.out.push_str("\\b"),
            'B' => self.out.push_str("\\B"),
            'd' => self.atom("[0-9]"),
            'D' => self.atom("[^0-9]"),
            'w' => self.atom("[0-9A-Za-z_]"),
            'W' => self.atom("[^0-9A-Za-z_]"),
            's' => self.atom("[ \\t\\r\\n\\x0C\\x0B]"),
            'S' => self.atom("[^ \\t\\r\\n\\x0C\\x0B]"),
            'h' => self.atom("[0-9A-Fa-f]"),
            'H' => self.atom("[^0-9A-Fa-f]"),
            '1'..='9' | 'k' | 'g' => {
                return Err("a regular expression with a back reference".to_owned());
            }
            c => {
                let c = self.character(c)?;
                self.literal(c);
            }
        }
        Ok(())
    }

    /// The character of an escape that stands for one.
    fn character(&mut self, c: char) -> Result<char, String> {
        let code = match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'f' => '\u{c}',
            'v' => '\u{b}',
            'a' => '\u{7}',
            'e' => '\u{1b}',
            '0' if !self.peek().is_some_and(|c| c.is_ascii_digit()) => '\0',
            'x' => self
                .hex(2)
                .filter(char::is_ascii)
                .ok_or("this regular expression")?,
            'u' if self.take("{") => {
                let found = self.hex(6);
                match (self.take("}"), found) {
                    (true, Some(c)) => c,
                    _ => return Err("this regular expression".to_owned()),
                }
            }
            'u' => self.hex(4).ok_or("this regular expression")?,
            c if c.is_ascii_alphanumeric() => {
                return Err(format!("a regular expression with `\\{c}`"));
            }
            c => c,
        };
        Ok(code)
    }

    fn hex(&mut self, most: usize) -> Option<char> {
        let digits: String = self.rest[self.at..]
            .iter()
            .take(most)
            .take_while(|c| c.is_ascii_hexdigit())
            .collect();
        self.at += digits.len();
        char::from_u32(u32::from_str_radix(&digits, 16).ok()?)
    }

    fn class(&mut self) -> Result<(), String> {
        self.fresh = false;
        self.out.push('[');
        if self.take("^") {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let Some(c) = self.next() else {
                return Err("this regular expression".to_owned());
            };
            match c {
                ']' if !first => break,
                '&' if self.peek() == Some('&') => {
                    return Err("a regular expression with `&&`".to_owned());
                }
                '[' if self.take(":") => self.posix()?,
                '[' => return Err("a regular expression with a class in a class".to_owned()),
                c => self.class_item(c)?,
            }
            first = false;
        }
        self.out.push(']');
        Ok(())
    }

    /// A character, a range, or a class such as `\d`, in brackets.
    fn class_item(&mut self, c: char) -> Result<(), String> {
        let from = match c {
            '\\' => match self.next() {
                None => return Err("this regular expression".to_owned()),
                Some('d') => return self.set("0-9"),
                Some('w') => return self.set("0-9A-Za-z_"),
                Some('s') => return self.set(" \\t\\r\\n\\x0C\\x0B"),
                Some('h') => return self.set("0-9A-Fa-f"),
                Some('D') => return self.set("[^0-9]"),
                Some('W') => return self.set("[^0-9A-Za-z_]"),
                Some('S') => return self.set("[^ \\t\\r\\n\\x0C\\x0B]"),
                Some('b') => '\u{8}',
                Some(c) => self.character(c)?,
            },
            c => c,
        };
        self.one(from);
        let dash = self.peek() == Some('-');
        if !dash || matches!(self.rest.get(self.at + 1), None | Some(']' | '[')) {
            return Ok(());
        }
        self.at += 1;
        let to = match self.next() {
            Some('\\') => match self.next() {
                Some('d' | 'w' | 's' | 'h' | 'D' | 'W' | 'S' | 'H') | None => {
                    return Err("this regular expression".to_owned());
                }
                Some(c) => self.character(c)?,
            },
            Some(c) => c,
            None => return Err("this regular expression".to_owned()),
        };
        self.out.push('-');
        self.one(to);
        Ok(())
    }

    fn set(&mut self, text: &str) -> Result<(), String> {
        self.out.push_str(text);
        Ok(())
    }

    fn one(&mut self, c: char) {
        self.out.push_str(&format!("\\x{{{:X}}}", c as u32));
    }

    /// `[:alpha:]`, about Unicode in Ruby.
    fn posix(&mut self) -> Result<(), String> {
        const CLASSES: [(&str, &str); 10] = [
            ("alpha:]", "\\p{Alphabetic}"),
            ("digit:]", "\\p{Nd}"),
            ("alnum:]", "\\p{Alphabetic}\\p{Nd}"),
            ("upper:]", "\\p{Uppercase}"),
            ("lower:]", "\\p{Lowercase}"),
            ("space:]", "\\s"),
            ("blank:]", " \\t\\p{Zs}"),
            ("xdigit:]", "0-9A-Fa-f"),
            ("cntrl:]", "\\p{Cc}"),
            ("punct:]", "\\p{P}$+<=>^`|~"),
        ];
        for (name, set) in CLASSES {
            if self.take(name) {
                self.out.push_str(set);
                return Ok(());
            }
        }
        Err("this class of characters".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(source: &str) -> Result<String, String> {
        translate(source, RegexpFlags::default(), "^")
    }

    #[test]
    fn patterns_mean_what_ruby_means() {
        for (source, text, found) in [
            (r"\A\d+\z", "12", true),
            (r"^b$", "a\nb\nc", true),
            (r"[\w.-]+@", "a.b-c@", true),
            (r"\.rb\z", "x.rb", true),
            (r"\w", "é", false),
            (r"[[:alpha:]]", "é", true),
            (r"a{,2}b", "aab", true),
            (r"{x}", "{x}", true),
            (r"(?i:A)b", "ab", true),
            (r"[a\]]", "]", true),
            (r"[]a]", "]", true),
            (r"a\/b", "a/b", true),
        ] {
            let regex = compile(source);
            assert_eq!(regex.is_match(text), found, "{source} on {text:?}");
        }
    }

    fn compile(source: &str) -> regex::Regex {
        crate::ruby::regexps::compile(source, RegexpFlags::default()).unwrap()
    }

    #[test]
    fn with_a_named_group_the_others_do_not_capture() {
        assert_eq!(compile("(?<a>x)(y)").captures_len(), 2);
        assert_eq!(compile("(x)(y)").captures_len(), 3);
    }

    #[test]
    fn what_cannot_be_matched_in_linear_time_is_refused() {
        for source in [
            "(?=a)", "(?<!a)b", r"(a)\1", "a++", "(?>a)", r"\Z", "a^b", "[a[b]]", "[a&&b]",
            r"\p{L}",
        ] {
            assert!(translated(source).is_err(), "{source}");
        }
    }

    #[test]
    fn extended_patterns_drop_blanks_and_comments() {
        let flags = RegexpFlags {
            extended: true,
            ..RegexpFlags::default()
        };
        assert_eq!(
            translate("a b # c\n [ ] ", flags, "^").unwrap(),
            "(?m)ab[\\x{20}]"
        );
    }
}
