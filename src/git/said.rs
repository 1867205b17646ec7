//! What a program or a server said, made fit to be shown: it was written by somebody else.

/// How much of it is shown.
const SHOWN: usize = 400;

/// The lines that tell something, on one line, without what a terminal would obey and without the
/// credentials of any address. The end is kept where it is too long: that is where an error stands.
pub(super) fn shown(said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let lines = said.split(['\n', '\r']).map(|line| redacted(&plain(line)));
    let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    let joined = lines.join("; ");
    match joined.char_indices().rev().nth(SHOWN - 1) {
        Some((at, _)) if at > 0 => format!("…{}", &joined[at..]),
        _ => joined,
    }
}

/// The first line in which one of these texts stands, or else all of it.
pub(super) fn line_with(said: &[u8], texts: &[&str]) -> String {
    let text = String::from_utf8_lossy(said);
    let found = text
        .split(['\n', '\r'])
        .find(|line| texts.iter().any(|text| line.contains(text)));
    shown(found.map_or(said, str::as_bytes))
}

/// A line without control characters, sequences that colour it, marks that turn its direction, and
/// the frame of a warning.
fn plain(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => {
                if chars.next_if_eq(&'[').is_some() {
                    // The parameters of a control sequence end with its final letter (ECMA-48, 5.4).
                    let _ = chars.find(|c| ('\u{40}'..='\u{7e}').contains(c));
                }
            }
            c if c.is_control() || c.is_whitespace() => plain.push(' '),
            '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' => {}
            c => plain.push(c),
        }
    }
    plain.trim_matches(|c| c == '@' || c == ' ').to_owned()
}

/// A text in which every address has lost its user and password, and its query.
fn redacted(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let ends = |c: char| c.is_whitespace() || "'\"<>".contains(c);
        let (address, then) = after.split_at(after.find(ends).unwrap_or(after.len()));
        let authority = address.find(['/', '?', '#']).unwrap_or(address.len());
        let host = address[..authority].rfind('@').map_or(0, |at| at + 1);
        let end = address.find('?').unwrap_or(address.len());
        shown.push_str(&address[host..end.max(host)]);
        if end < address.len() {
            shown.push_str("?…");
        }
        rest = then;
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_taken_out() {
        assert_eq!(
            shown(b"\x1b[2J\x1b[31mfatal:\x1b[0m no\x07\x08 way\r\n\r\n  second \x00line\n"),
            "fatal: no   way; second  line"
        );
        assert_eq!(shown("a\u{202e}b\u{2066}c\u{9b}31m".as_bytes()), "abc 31m");
        assert_eq!(shown(b"\xff\xfe"), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn it_is_bounded_and_its_end_is_kept() {
        let long = format!("{}end", "é".repeat(5000));
        let shown = shown(long.as_bytes());
        assert_eq!(shown.chars().count(), SHOWN + 1);
        assert!(shown.starts_with('…') && shown.ends_with("éend"));
    }

    #[test]
    fn addresses_lose_their_credentials() {
        assert_eq!(
            shown(b"fatal: 'https://me:s3@cret@h/a?t=s3cret' and ssh://git@h/b@c, x://"),
            "fatal: 'https://h/a?\u{2026}' and ssh://h/b@c, x://"
        );
    }

    #[test]
    fn a_line_is_picked_out() {
        assert_eq!(line_with(b"motd\nfatal: b\nc", &["fatal:"]), "fatal: b");
        assert_eq!(line_with(b"motd\nb", &["fatal:"]), "motd; b");
    }
}
