//! The records of pax: `LENGTH KEY=VALUE` and a newline each, the length being that of the whole.

use super::TarballError;

/// What a record says that matters here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link_path: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
}

impl Pax {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Reads a record's content. Times, owners, comments and the like are passed over.
    pub(super) fn parse(mut content: &[u8]) -> Result<Self, TarballError> {
        let wrong = |reason| TarballError::Record { reason };
        let mut pax = Self::default();
        while !content.is_empty() {
            let blank = content.iter().position(|&byte| byte == b' ');
            let digits = blank.map(|blank| &content[..blank]);
            let length = digits.and_then(decimal);
            let line = length.and_then(|length| content.get(..usize::try_from(length).ok()?));
            let body = blank.zip(line).and_then(|(blank, line)| {
                let body = line.get(blank + 1..)?;
                body.strip_suffix(b"\n")
            });
            let (Some(line), Some(body)) = (line, body) else {
                return Err(wrong("its lengths do not fit its lines"));
            };
            let Some(equals) = body.iter().position(|&byte| byte == b'=') else {
                return Err(wrong("a line of it has no `=`"));
            };
            let (key, value) = (&body[..equals], &body[equals + 1..]);
            match key {
                b"path" => set(&mut pax.path, value.to_vec())?,
                b"linkpath" => set(&mut pax.link_path, value.to_vec())?,
                b"size" => {
                    let size = decimal(value).ok_or(wrong("its size is no number"))?;
                    set(&mut pax.size, size)?;
                }
                _ if key.starts_with(b"GNU.sparse.") => {
                    return Err(TarballError::Sparse {
                        path: "?".to_owned(),
                    });
                }
                _ => {}
            }
            content = &content[line.len()..];
        }
        Ok(pax)
    }
}

fn set<T>(place: &mut Option<T>, value: T) -> Result<(), TarballError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(TarballError::Record {
            reason: "it says one thing twice",
        }),
    }
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_that_matter_are_read() {
        let pax = Pax::parse(
            b"30 mtime=1350244992.023960108\n11 path=\xc3\xa9\n10 size=7\n14 linkpath=a\n",
        );
        let pax = pax.expect("a record");
        assert_eq!(pax.path.as_deref(), Some("é".as_bytes()));
        assert_eq!(pax.link_path.as_deref(), Some(&b"a"[..]));
        assert_eq!(pax.size, Some(7));
        assert!(Pax::parse(b"13 comment=a\n").expect("a record").is_empty());
        // A newline within a value is a part of it.
        let pax = Pax::parse(b"12 path=a\nb\n").expect("a record");
        assert_eq!(pax.path.as_deref(), Some(&b"a\nb"[..]));
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        for bad in [
            &b"9 path=a\n\n"[..],
            b"99 path=a\n",
            b"0 path=a\n",
            b"1 path=a\n",
            b"2 path=a\n",
            b" path=a\n",
            b"path=a\n",
            b"+9 path=a\n",
            b"18446744073709551616 path=a\n",
            b"7 path\n\n",
            b"10 size=x\n",
            b"10 size=-\n",
            b"10 path=a\n10 path=b\n",
            b"22 GNU.sparse.major=1\n",
        ] {
            assert!(Pax::parse(bad).is_err(), "{}", bad.escape_ascii());
        }
    }
}
