//! Reads a manifest with many cookbooks a part at a time: what is parsed takes twenty times the memory of its
//! text, and of a part it is free again before the next.
//!
//! A line of TOML that is whole means the same whatever stands around it, but for the table that it is in. So
//! lines that are read as a document are read as a part of a larger one, if what stands before them is whole
//! as well and ends with the head of their table. What else there is, is then a document without them.

use std::collections::BTreeSet;
use std::ops::Range;

use super::{Manifest, read_cookbooks, read_manifest};
use crate::document::read_part;
use crate::manifest::GitProtocol;
use crate::text::SourceFile;

/// Bytes of text that are parsed at once, or a line more.
const PART: usize = 16 << 10;

/// The line that the cookbooks' table begins with.
const HEAD: &str = "\n[cookbooks]\n";

/// Reads a manifest in parts. None if it is too short for that, or if anything is wrong with a part or might be
/// with the whole: what it is, is told by who reads the whole.
pub(super) fn read_by_parts(file: &SourceFile, protocol: GitProtocol) -> Option<Manifest> {
    let text = file.text();
    let list = lines_of_cookbooks(text)?;
    // Where this is no document, what looks like the table's head may stand in a text of several lines.
    read_part(file, 0, &text[..list.start], |_| Ok(())).ok()?;
    let blank = " ".repeat(list.len());
    let rest = [&text[..list.start], &blank, &text[list.end..]].concat();
    drop(blank);
    let mut manifest =
        read_part(file, 0, &rest, |root| read_manifest(&root, file, protocol)).ok()?;
    drop(rest);
    let protocol = manifest.git.protocol;
    for part in parts(text, list) {
        let text = &text[part.clone()];
        let (cookbooks, globs) = read_part(file, part.start, text, |table| {
            read_cookbooks(table, protocol)
        })
        .ok()?;
        for (name, requirement) in cookbooks {
            if manifest.cookbooks.insert(name, requirement).is_some() {
                return None;
            }
        }
        manifest.globs.extend(globs);
    }
    let mut seen = BTreeSet::new();
    let mut labels = manifest.globs.iter().map(|glob| glob.label.as_str());
    if !labels.all(|label| !manifest.cookbooks.contains_key(label) && seen.insert(label)) {
        return None;
    }
    manifest.globs.sort_by_key(|glob| glob.at.span.start);
    // A map that was filled in order has nodes that are half empty, and one that is made of a whole has none.
    manifest.cookbooks = manifest.cookbooks.into_iter().collect();
    Some(manifest)
}

/// The lines below the head of the cookbooks' table and above the next one's, if they are many.
fn lines_of_cookbooks(text: &str) -> Option<Range<usize>> {
    let begin = text.find(HEAD)? + HEAD.len();
    let is_head = |line: &&str| line.trim_start_matches([' ', '\t']).starts_with('[');
    let lines = text[begin..].split_inclusive('\n');
    let length: usize = lines.take_while(|line| !is_head(line)).map(str::len).sum();
    (length > PART).then_some(begin..begin + length)
}

/// Cuts lines into parts, each of which begins with a line that may begin an entry.
fn parts(text: &str, lines: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut begin = lines.start;
    std::iter::from_fn(move || {
        if begin == lines.end {
            return None;
        }
        let mut end = begin;
        for line in text[begin..lines.end].split_inclusive('\n') {
            let is_key = |c: char| c.is_ascii_alphanumeric() || "_-\"'".contains(c);
            if end - begin >= PART && line.starts_with(is_key) {
                break;
            }
            end += line.len();
        }
        let part = begin..end;
        begin = end;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::super::{parse, read_whole};
    use super::*;
    use crate::document::DocumentError;

    const BUNDLE: &str = "[bundle]\nname = \"x\"\n";

    fn file(text: &str) -> SourceFile {
        SourceFile::new("cookpack.toml", text)
    }

    /// So many lines that they are read in several parts.
    fn many() -> String {
        let line =
            |n| format!("cb{n:04} = {{ path = \"cookbooks/cb{n:04}\", groups = [\"g{n}\"] }}\n");
        (0..1_000).map(line).collect()
    }

    fn shown(read: &Result<Manifest, DocumentError>) -> String {
        format!("{read:#?}")
    }

    /// Reads a text in parts and as a whole, which is the same. Tells whether it can be read in parts.
    #[track_caller]
    fn is_read_by_parts(text: &str) -> bool {
        let file = file(text);
        let protocol = GitProtocol::default();
        let whole = read_whole(&file, protocol);
        assert_eq!(shown(&parse(&file, protocol)), shown(&whole));
        let by_parts = read_by_parts(&file, protocol);
        let is_read = by_parts.is_some();
        if let Some(manifest) = by_parts {
            assert_eq!(shown(&Ok(manifest)), shown(&whole));
        }
        is_read
    }

    #[test]
    fn a_part_ends_before_an_entry() {
        let text = format!(
            "{BUNDLE}[cookbooks]\n{}\n\n[layers.a]\nsetup = [\"a\"]\n",
            many()
        );
        let lines = lines_of_cookbooks(&text).unwrap();
        assert_eq!(&text[lines.clone()], format!("{}\n\n", many()));
        let parts: Vec<_> = parts(&text, lines.clone()).collect();
        assert!(parts.len() > 2, "{parts:?}");
        assert_eq!(parts[0].start, lines.start);
        assert_eq!(parts.last().unwrap().end, lines.end);
        for (part, next) in parts.iter().zip(&parts[1..]) {
            assert_eq!(part.end, next.start);
            assert!(text[part.clone()].ends_with("}\n"));
            assert!((PART..PART + 100).contains(&part.len()), "{part:?}");
        }
    }

    #[test]
    fn parts_are_read_as_the_whole_is() {
        let many = many();
        let texts = [
            format!("{BUNDLE}[cookbooks]\n{many}"),
            format!("{BUNDLE}[cookbooks]\n{many}z = \"~> 1\""),
            format!("{BUNDLE}[cookbooks]\n# [cookbooks]\n{many}  [git]\nprotocol = \"ssh\"\n"),
            format!(
                "{BUNDLE}[git]\nprotocol = \"ssh\"\n[cookbooks]\n{many}z = {{ github = \"a/b\" }}\n"
            ),
            format!(
                "{BUNDLE}[cookbooks]\n{many}[git]\nprotocol = \"ssh\"\n[cookbooks.z]\ngithub = \"a/b\"\n"
            ),
            format!(
                "{BUNDLE}[cookbooks.a]\npath = \"a\"\n[cookbooks]\nb.path = \"b\"\n\"c\".path = \"c\"\n{many}"
            ),
            format!(
                "{BUNDLE}[cookbooks]\nz = {{ path = \"z\", groups = [\n    \"a\",\n    \"b\",\n] }}\n{many}"
            ),
            format!(
                "{BUNDLE}[cookbooks.b]\npath = \"b\"\nglob = \"*\"\n[cookbooks]\na = {{ path = \"a\", glob = \"*\" }}\n{many}y = \"~> 1\""
            ),
        ];
        for text in texts {
            assert!(is_read_by_parts(&text), "{}", text.replace(&many, "…\n"));
        }
    }

    #[test]
    fn what_might_be_wrong_is_read_as_a_whole() {
        let many = many();
        let texts = [
            // Short, or without the one line that is searched for.
            format!("{BUNDLE}[cookbooks]\na = \"~> 1\"\n"),
            format!("{BUNDLE}[cookbooks] # all\n{many}"),
            // The same key twice: in two parts, of a cookbook and a pattern, of two patterns, in another table;
            // and a table that is no cookbook.
            format!("{BUNDLE}[cookbooks]\n{many}cb0001 = \"~> 1\"\n"),
            format!("{BUNDLE}[cookbooks]\n{many}'cb0001' = {{ path = \"a\", glob = \"*\" }}\n"),
            format!(
                "{BUNDLE}[cookbooks]\na = {{ path = \"a\", glob = \"*\" }}\n{many}a = {{ path = \"a\", glob = \"*\" }}\n"
            ),
            format!("{BUNDLE}[cookbooks]\n{many}[cookbooks.cb0001]\npath = \"a\"\n"),
            format!("{BUNDLE}[cookbooks]\n{many}[cookbooks]\na = \"~> 1\"\n"),
            format!("{BUNDLE}[cookbooks]\na.path = \"a\"\n{many}a.rel = \"b\"\n"),
            format!("{BUNDLE}[cookbooks]\n{many} \t[x]\npath = \"x\"\n"),
            // No TOML.
            format!("{BUNDLE}[cookbooks]\n{many}a = \n"),
            format!("{BUNDLE}[cookbooks]\n{many}[git\n"),
            format!("{BUNDLE}x = 1 1\n[cookbooks]\n{many}"),
            // The lines are a text, and more than one entry: the manifest names no cookbook.
            format!("[bundle]\nname = \"\"\"\n[cookbooks]\n{many}[x]\"\"\""),
            format!(
                "[bundle]\nname = \"x\"\nprovided = [\"\"\"\n[cookbooks]\n{many}\n[a]\"\"\"]\n"
            ),
            // An entry over lines that look like entries or like a table.
            format!("{BUNDLE}[cookbooks]\n{many}a = {{ path = \"\"\"\nb = \"\"\" }}\n[x]\n"),
            format!("{BUNDLE}[cookbooks]\na = {{ path = \"\"\"\n{many}\"\"\" }}\n"),
            // What is wrong with a cookbook.
            format!("{BUNDLE}[cookbooks]\n{many}a = {{ paht = \"a\" }}\n"),
            format!("{BUNDLE}[cookbooks]\n{many}a = \"latest\"\n"),
        ];
        for text in texts {
            assert!(!is_read_by_parts(&text), "{}", text.replace(&many, "…\n"));
        }
    }

    #[test]
    fn places_are_those_of_the_whole() {
        let text = format!("{BUNDLE}[cookbooks]\n{}", many());
        let manifest = parse(&file(&text), GitProtocol::default()).unwrap();
        assert_eq!(manifest.cookbooks["cb0000"].at.line(), 4);
        assert_eq!(manifest.cookbooks["cb0999"].at.line(), 1003);
    }
}
