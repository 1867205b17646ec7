//! Files in the form of git's configuration that a commit holds: `.gitmodules` and `.lfsconfig`. They
//! are written by whoever wrote the repository. libgit2 does not read them: it would follow what they
//! include from this machine.

use super::mirror::Mirror;

/// Bytes of such a file that are read.
const LARGEST: usize = 1 << 20;

/// A file at the root of a commit.
pub(super) enum RootFile {
    Absent,
    /// It is no file, or too large.
    Unreadable,
    Text(String),
}

/// The file of this name.
pub(super) fn root_file(mirror: &Mirror, tree: &git2::Tree<'_>, name: &str) -> RootFile {
    let Some(id) = tree.get_name(name).map(|entry| entry.id()) else {
        return RootFile::Absent;
    };
    match mirror.repository.find_blob(id) {
        Ok(blob) if blob.size() <= LARGEST => {
            RootFile::Text(String::from_utf8_lossy(blob.content()).into_owned())
        }
        _ => RootFile::Unreadable,
    }
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// What stands between the brackets.
    pub(super) section: String,
    /// In lower case.
    pub(super) key: String,
    pub(super) value: String,
}

/// All settings that have a value, in their order.
pub(super) fn settings(text: &str) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut section = String::new();
    let text = text.replace("\\\r\n", "").replace("\\\n", "");
    for line in text.lines().map(str::trim) {
        let mut line = line;
        if let Some(head) = line.strip_prefix('[') {
            let (name, rest) = head.split_once(']').unwrap_or_default();
            section = name.to_owned();
            line = rest.trim();
        }
        if let Some((key, value)) = line.split_once('=') {
            settings.push(Setting {
                section: section.clone(),
                key: key.trim().to_ascii_lowercase(),
                value: value_of(value),
            });
        }
    }
    settings
}

/// A value without its quotes, escapes and comment (git, `Documentation/config`).
fn value_of(text: &str) -> String {
    let mut value = String::new();
    let mut is_quoted = false;
    // Where blanks begin that count only if something follows.
    let mut end = 0;
    let mut chars = text.trim_start().chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                is_quoted = !is_quoted;
                end = value.len();
                continue;
            }
            '#' | ';' if !is_quoted => break,
            '\\' => value.push(match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some(other) => other,
                None => break,
            }),
            c => value.push(c),
        }
        if is_quoted || !c.is_whitespace() {
            end = value.len();
        }
    }
    value.truncate(end);
    value
}
