//! The layers: a module uses only what stands below it, by the rank table of `ARCHITECTURE.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::{project, project_file};

/// Modules by name, with their ranks.
type Ranks = BTreeMap<String, u8>;

/// Reads the rows `| rank | what | modules |`; a module stands in backticks, a folder with a `/`. What
/// follows a folder's name up to the next comma are its own parts.
fn ranks(text: &str) -> Ranks {
    let mut ranks = Ranks::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').collect();
        let [rank, _, modules] = cells[..] else {
            continue;
        };
        let Ok(rank) = rank.trim().parse() else {
            continue;
        };
        for module in modules.split(',') {
            let Some(name) = module.split('`').nth(1) else {
                continue;
            };
            let name = name.trim_end_matches('/').to_owned();
            let twice = ranks.insert(name.clone(), rank);
            assert_eq!(twice, None, "`{name}` stands twice in the rank table");
        }
    }
    ranks
}

/// Code without comments and without the text of strings, lines kept.
fn code(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let bytes = source.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &source[at..];
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(hashes) = raw_string(rest) {
            let close = format!("\"{}", "#".repeat(hashes));
            let open = hashes + 2;
            let end = rest[open..].find(&close);
            end.map_or(rest.len(), |end| open + end + close.len())
        } else if rest.starts_with('"') {
            string_length(rest)
        } else if rest.starts_with("'\"'") || rest.starts_with("b'\"'") {
            3 + usize::from(rest.starts_with('b'))
        } else {
            0
        };
        let length = skipped.max(rest.chars().next().map_or(1, char::len_utf8));
        let taken = &source[at..at + length];
        match skipped {
            0 => code.push_str(taken),
            _ => code.extend(taken.chars().filter(|&c| c == '\n')),
        }
        at += length;
    }
    code
}

/// The number of `#` of a raw string that begins here.
fn raw_string(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix('r')?;
    let hashes = after.bytes().take_while(|&b| b == b'#').count();
    after[hashes..].starts_with('"').then_some(hashes)
}

/// The length of the string that begins here.
fn string_length(rest: &str) -> usize {
    let mut escaped = false;
    for (i, c) in rest.char_indices().skip(1) {
        match c {
            '"' if !escaped => return i + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    rest.len()
}

/// The first components of all paths that begin with `root::`, groups taken apart, with their lines.
fn uses(code: &str, root: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let start = format!("{root}::");
    for (at, _) in code.match_indices(&start) {
        let before = code[..at].chars().next_back();
        let part_of_another = before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':'));
        if part_of_another {
            continue;
        }
        let line = 1 + code[..at].matches('\n').count();
        let rest = &code[at + start.len()..];
        let firsts = match rest.trim_start().strip_prefix('{') {
            Some(group) => group_firsts(group),
            None => vec![identifier(rest)],
        };
        found.extend(firsts.into_iter().map(|name| (line, name)));
    }
    found
}

fn identifier(text: &str) -> String {
    let text = text.trim_start();
    let text = text.strip_prefix("r#").unwrap_or(text);
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    text[..end.unwrap_or(text.len())].to_owned()
}

/// The first identifiers of a `{a::x, b, c::{d}}`, given without its opening brace.
fn group_firsts(group: &str) -> Vec<String> {
    let mut firsts = Vec::new();
    let mut depth = 1;
    let mut fresh = true;
    for (i, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => fresh = true,
            c if fresh && !c.is_whitespace() => {
                firsts.push(identifier(&group[i..]));
                fresh = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    firsts
}

/// What follows a chain of as many `super::` as lead to the crate's root, or more (a module within the
/// file takes one more), with their lines.
fn supers(code: &str, depth: usize) -> Vec<(usize, String)> {
    let chain = vec!["super"; depth].join("::");
    let mut found = uses(code, &chain);
    // The chain may go on: its last part is then a `super` itself.
    if found.iter().any(|(_, name)| name == "super") {
        found.extend(supers(code, depth + 1));
    }
    found
}

/// Checks one file of a module that lies `depth` modules below the crate's root.
fn check(ranks: &Ranks, module: &str, depth: usize, source: &str) -> Vec<String> {
    let code = code(source);
    let Some(&own) = ranks.get(module) else {
        return vec![format!("`{module}` is missing from the rank table")];
    };
    let mut problems = Vec::new();
    for (line, name) in uses(&code, "crate") {
        match ranks.get(&name) {
            Some(&rank) if rank > own => problems.push(format!(
                "{module}:{line}: rank {own} uses `crate::{name}` of rank {rank}"
            )),
            Some(_) => {}
            None => problems.push(format!(
                "{module}:{line}: `crate::{name}` is no module of the rank table"
            )),
        }
    }
    for (line, name) in supers(&code, depth) {
        if ranks.get(&name).is_some_and(|&rank| rank > own) {
            problems.push(format!("{module}:{line}: `super` leads up to `{name}`"));
        }
    }
    problems
}

/// All Rust files below a folder.
fn rust_files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    let entries = fs::read_dir(folder).expect("a folder");
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        match path.is_dir() {
            true => rust_files(&path, found),
            false => found.extend(path.extension().is_some_and(|e| e == "rs").then_some(path)),
        }
    }
}

#[test]
fn no_module_uses_what_stands_above_it() {
    let ranks = ranks(&project_file("ARCHITECTURE.md"));
    let src = project().join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    files.sort();
    let mut problems = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for file in files {
        let inside = file.strip_prefix(&src).expect("below src");
        let mut parts = inside.iter().map(|p| p.to_str().expect("UTF-8"));
        let first = parts.next().expect("a name");
        let module = first.trim_end_matches(".rs");
        if matches!(first, "lib.rs" | "main.rs") {
            continue;
        }
        let depth = 1 + parts.filter(|part| *part != "mod.rs").count();
        let source = fs::read_to_string(&file).expect("UTF-8");
        problems.extend(check(&ranks, module, depth, &source));
        seen.insert(module.to_owned());
    }
    problems.dedup();
    assert!(problems.is_empty(), "{problems:#?}");
    assert!(seen.len() > 10, "the files were found: {seen:?}");
}

#[test]
fn the_rank_table_names_what_exists() {
    let ranks = ranks(&project_file("ARCHITECTURE.md"));
    for module in ranks.keys() {
        let src = project().join("src");
        let exists = src.join(format!("{module}.rs")).exists() || src.join(module).is_dir();
        assert!(exists, "`{module}` of ARCHITECTURE.md is not in src");
    }
}

#[test]
fn the_check_itself_finds_each_kind_of_breach() {
    let ranks = ranks(
        "| rank | what | modules |\n|---|---|---|\n| 2 | engines | `layout/`, `archive/` |\n| 1 | formats | `lockfile` |\n| 0 | words | `name`, `path` |\n",
    );
    assert_eq!(ranks.len(), 5);
    let problems = |source: &str| check(&ranks, "lockfile", 1, source).len();
    for good in [
        "use crate::name::Name;",
        "use crate::{name::{Name, Other}, path};",
        "use crate::lockfile::x;",
        "// use crate::archive::X;\n/// [`crate::layout::Y`]\n/* crate::archive */",
        "let text = \"crate::archive\"; let quote = '\"'; let raw = r#\"crate::layout \"\"#;",
        "mod tests { use super::*; }",
        "use mycrate::archive::X;",
    ] {
        assert_eq!(problems(good), 0, "{good}");
    }
    for bad in [
        "use crate::archive::X;",
        "use crate::{name::Name, archive::X};",
        "use crate::{\n    name::{Name, Other},\n    layout::{Layout},\n};",
        "use crate::{ layout };",
        "fn f() -> crate::layout::Layout { todo!() }",
        "let s = \"a \\\" b\"; use crate::archive::X;",
        "use super::archive::X;",
        "use crate::Reexported;",
        "use crate::unlisted::X;",
        "mod tests { use super::super::archive::X; }",
        "use super::{name, layout::Layout};",
    ] {
        assert_eq!(problems(bad), 1, "{bad}");
    }
    // In a folder `super` is the folder's own module, and one more is the root.
    let deep = |source: &str| check(&ranks, "layout", 2, source).len();
    assert_eq!(deep("use super::archive; use super::super::archive;"), 0);
    let ranks_above = |source: &str| check(&ranks, "lockfile", 2, source).len();
    assert_eq!(ranks_above("use super::archive;"), 0);
    assert_eq!(ranks_above("use super::super::archive;"), 1);
    assert_eq!(check(&ranks, "absent", 1, "").len(), 1);
}
