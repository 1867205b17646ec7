//! A file of credentials by host, as curl reads it (curl, `lib/netrc.c`; GNU inetutils, `netrc`).

use crate::secret::Secret;

/// What one `machine` or `default` says.
#[derive(Default)]
struct Entry {
    /// None for `default`, which is every host.
    machine: Option<String>,
    login: Option<String>,
    password: Option<Secret>,
}

/// The first credentials for a host; for a certain user, if one is named.
pub(crate) fn find(text: &str, host: &str, user: Option<&str>) -> Option<(String, Secret)> {
    let fits = |entry: &Entry| {
        let machine = entry.machine.as_deref();
        machine.is_none_or(|machine| machine.eq_ignore_ascii_case(host))
            && (user.is_none() || entry.login.is_none() || entry.login.as_deref() == user)
            && entry.password.is_some()
    };
    let entry = entries(text).into_iter().find(fits)?;
    let login = entry.login.or(user.map(str::to_owned));
    Some((login.unwrap_or_default(), entry.password?))
}

fn entries(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut rest = text;
    while let Some(word) = word(&mut rest) {
        match word.as_str() {
            "default" => entries.push(Entry::default()),
            "machine" => {
                let machine = self::word(&mut rest);
                entries.push(Entry {
                    machine: Some(machine.unwrap_or_default()),
                    ..Entry::default()
                });
            }
            // A macro goes on to the next empty line.
            "macdef" => {
                let lines = rest.split_inclusive('\n');
                let body = lines.take_while(|line| !line.trim_matches(['\r', '\n']).is_empty());
                let length: usize = body.map(str::len).sum();
                rest = &rest[length..];
            }
            "login" => {
                let login = self::word(&mut rest);
                if let Some(entry) = entries.last_mut() {
                    entry.login = login;
                }
            }
            "password" => {
                let password = self::word(&mut rest).map(Secret::from);
                if let Some(entry) = entries.last_mut() {
                    entry.password = password;
                }
            }
            "account" => {
                self::word(&mut rest);
            }
            _ => {}
        }
    }
    entries
}

/// The next word: up to white space, or in double quotes. A word that begins with `#` begins a
/// comment.
fn word(rest: &mut &str) -> Option<String> {
    loop {
        *rest = rest.trim_start();
        if rest.starts_with('#') {
            let end = rest.find('\n').unwrap_or(rest.len());
            *rest = &rest[end..];
            continue;
        }
        if rest.is_empty() {
            return None;
        }
        break;
    }
    let Some(quoted) = rest.strip_prefix('"') else {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        *rest = after;
        return Some(word.to_owned());
    };
    let mut word = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                *rest = &quoted[at + 1..];
                return Some(word);
            }
            '\\' => match chars.next()?.1 {
                'n' => word.push('\n'),
                'r' => word.push('\r'),
                't' => word.push('\t'),
                c => word.push(c),
            },
            c => word.push(c),
        }
    }
    // Quotes that do not end are no word; nothing after them can be told apart.
    *rest = "";
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn finds(text: &str, host: &str, user: Option<&str>, wanted: Option<(&str, &str)>) {
        let found = find(text, host, user);
        let found = found.as_ref().map(|(u, p)| (u.as_str(), p.expose()));
        assert_eq!(found, wanted, "{host} {user:?}");
    }

    #[test]
    fn a_hosts_own_words_come_first_and_default_is_for_the_others() {
        let text = "machine one.example login a password 1\n\
            machine two.example\n\tpassword 2\n\tlogin b account x\n\
            machine one.example login c password 3\n\
            default login d password 4";
        finds(text, "one.example", None, Some(("a", "1")));
        finds(text, "ONE.example", None, Some(("a", "1")));
        finds(text, "one.example", Some("c"), Some(("c", "3")));
        finds(text, "two.example", None, Some(("b", "2")));
        finds(text, "other.example", None, Some(("d", "4")));
        finds(text, "other.example", Some("a"), None);
        finds("machine a login b", "a", None, None);
        finds("machine a password b", "a", Some("me"), Some(("me", "b")));
        finds("login x password y", "a", None, None);
    }

    #[test]
    fn comments_macros_and_quotes_are_read_as_curl_does() {
        let text = "# machine a login no password no\n\
            macdef init\n machine a login macro password macro\n\n\
            machine a # login no\n login \"a b\" password \"p\\\"\\\\\\tq\"\n\
            machine b login x#y password #z\n w\n\
            machine c login z password \"open";
        finds(text, "a", None, Some(("a b", "p\"\\\tq")));
        finds(text, "b", None, Some(("x#y", "w")));
        finds(text, "c", None, None);
    }
}
