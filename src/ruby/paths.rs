//! Paths as an evaluated file sees them. The source lies in a folder of a name that no one has, so that
//! a value which depends on where the source happens to lie can be told from one that does not.

/// The name of the folder around the source's root, or of the root itself if it has no name of its own:
/// a character of a private plane.
const PLACE: char = '\u{F0000}';

/// The source's root as the program sees it.
pub(super) fn root(name: Option<&str>) -> String {
    match name {
        Some(name) if !name.is_empty() && !name.contains('/') => format!("/{PLACE}/{name}"),
        _ => format!("/{PLACE}"),
    }
}

/// A path from the source's root as the program sees it.
pub(super) fn shown(root: &str, path: &str) -> String {
    match path {
        "" => root.to_owned(),
        _ => format!("{root}/{path}"),
    }
}

/// A shown path as one from the folder that no one has.
pub(super) fn below_place(path: &str) -> &str {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_prefix(PLACE).unwrap_or(path);
    path.strip_prefix('/').unwrap_or(path)
}

/// Whether a text holds the place of the source.
pub(crate) fn holds_place(text: &str) -> bool {
    text.contains(PLACE)
}

/// A text for a message: paths as a person knows them, relative to the source's root.
pub(super) fn hidden(text: &str, root: &str) -> String {
    if !holds_place(text) {
        return text.to_owned();
    }
    text.replace(&format!("{root}/"), "")
        .replace(root, ".")
        .replace(&format!("/{PLACE}"), "..")
}

/// A path that the program has, as components from the source's root with `..` kept; none if it is
/// absolute and elsewhere.
pub(super) fn from_root<'p>(path: &'p str, base: &'p str, root: &str) -> Option<Vec<&'p str>> {
    fn parts(text: &str) -> impl Iterator<Item = &str> {
        text.split('/').filter(|part| !matches!(*part, "" | "."))
    }
    if !path.starts_with('/') {
        return Some(parts(base).chain(parts(path)).collect());
    }
    let mut components = parts(path);
    parts(root)
        .all(|part| components.next() == Some(part))
        .then(|| components.collect())
}

/// `File.join`: one `/` between the parts, a leading and a trailing one kept.
pub(super) fn join(parts: &[String]) -> String {
    let mut joined = String::new();
    for (number, part) in parts.iter().enumerate() {
        if number == 0 {
            joined.push_str(part);
            continue;
        }
        let part = match (joined.ends_with('/'), part.starts_with('/')) {
            (true, true) => {
                joined.truncate(joined.trim_end_matches('/').len());
                part.as_str()
            }
            (false, false) => {
                joined.push('/');
                part.as_str()
            }
            _ => part.as_str(),
        };
        joined.push_str(part);
    }
    joined
}

/// `File.dirname`.
pub(super) fn dirname(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() {
        return if path.is_empty() { "." } else { "/" };
    }
    match trimmed.rfind('/') {
        None => ".",
        Some(at) => match trimmed[..at].trim_end_matches('/') {
            "" => "/",
            folder => folder,
        },
    }
}

/// `File.basename`, without a suffix or, for `.*`, without the extension.
pub(super) fn basename<'p>(path: &'p str, suffix: Option<&str>) -> &'p str {
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() {
        return if path.is_empty() { "" } else { "/" };
    }
    let name = trimmed.rsplit('/').next().unwrap_or(trimmed);
    match suffix {
        None => name,
        Some(".*") => &name[..name.len() - extname(name).len()],
        Some(suffix) => match name.strip_suffix(suffix) {
            Some("") | None => name,
            Some(stem) => stem,
        },
    }
}

/// `File.extname`: from the last dot on, but not for a name that begins or ends with it.
pub(super) fn extname(path: &str) -> &str {
    let name = basename(path, None);
    let stem_start = name.len() - name.trim_start_matches('.').len();
    match name[stem_start..].rfind('.') {
        Some(0) | None => "",
        Some(at) if stem_start + at + 1 == name.len() => ".",
        Some(at) => &name[stem_start + at..],
    }
}

/// `File.expand_path`: an absolute path without `.` and `..`.
pub(super) fn expand(path: &str, folder: &str) -> String {
    let joined = match path.starts_with('/') {
        true => path.to_owned(),
        false => format!("{folder}/{path}"),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// The way from a folder to a path, both from the same root and without detours.
pub(super) fn relative(path: &str, folder: &str) -> String {
    fn parts(text: &str) -> Vec<&str> {
        let parts = text.split('/');
        parts.filter(|part| !matches!(*part, "" | ".")).collect()
    }
    let (path, folder) = (parts(path), parts(folder));
    let common = path.iter().zip(&folder).take_while(|(a, b)| a == b).count();
    let mut way = vec![".."; folder.len() - common];
    way.extend(&path[common..]);
    match way.is_empty() {
        true => ".".to_owned(),
        false => way.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join_all(parts: &[&str]) -> String {
        let parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        join(&parts)
    }

    #[test]
    fn paths_are_taken_apart_as_ruby_does() {
        // Made with Ruby 3.1.
        for (path, dir, base, ext) in [
            ("/a/b.rb", "/a", "b.rb", ".rb"),
            ("a", ".", "a", ""),
            ("a/", ".", "a", ""),
            ("/", "/", "/", ""),
            ("", ".", "", ""),
            ("//a", "/", "a", ""),
            ("a//b", "a", "b", ""),
            (".bashrc", ".", ".bashrc", ""),
            (".a.rb", ".", ".a.rb", ".rb"),
            ("a.", ".", "a.", "."),
            ("a.tar.gz", ".", "a.tar.gz", ".gz"),
            ("..", ".", "..", ""),
        ] {
            assert_eq!(dirname(path), dir, "dirname {path:?}");
            assert_eq!(basename(path, None), base, "basename {path:?}");
            assert_eq!(extname(path), ext, "extname {path:?}");
        }
        assert_eq!(basename("x/a.rb", Some(".rb")), "a");
        assert_eq!(basename("x/a.rb", Some(".*")), "a");
        assert_eq!(basename("x/.rb", Some(".rb")), ".rb");
    }

    #[test]
    fn joining_leaves_one_slash() {
        assert_eq!(join_all(&["a", "b"]), "a/b");
        assert_eq!(join_all(&["a/", "/b"]), "a/b");
        assert_eq!(join_all(&["a//", "//b"]), "a//b");
        assert_eq!(join_all(&["a//", "b"]), "a//b");
        assert_eq!(join_all(&["", "b"]), "/b");
        assert_eq!(join_all(&["a", ""]), "a/");
        assert_eq!(join_all(&["/"]), "/");
    }

    #[test]
    fn expanding_goes_up_lexically() {
        assert_eq!(expand("../VERSION", "/r/metadata.rb"), "/r/VERSION");
        assert_eq!(expand("/a/../../b", "/x"), "/b");
        assert_eq!(expand(".", "/x"), "/x");
    }

    #[test]
    fn the_way_between_two_paths_is_the_shortest() {
        assert_eq!(relative("a/b", "a"), "b");
        assert_eq!(relative("a/b", "a/b"), ".");
        assert_eq!(relative("b", "a/c"), "../../b");
        assert_eq!(relative("", ""), ".");
    }

    #[test]
    fn only_the_sources_own_root_is_absolute() {
        for root in [root(None), root(Some("web"))] {
            let path = shown(&root, "cookbooks/x/metadata.rb");
            let parts = from_root(&path, "ignored", &root).unwrap();
            assert_eq!(parts, ["cookbooks", "x", "metadata.rb"]);
            assert_eq!(from_root("/etc/passwd", "x", &root), None);
            let parts = from_root("a/../b", "x", &root).unwrap();
            assert_eq!(parts, ["x", "a", "..", "b"]);
            assert_eq!(hidden(&path, &root), "cookbooks/x/metadata.rb");
        }
        let beside = shown(&root(None), "other/x");
        assert_eq!(from_root(&beside, "", &root(Some("web"))), None);
    }
}
