//! The evaluator of Ruby on the fixtures in `testdata/ruby`, each of which says what is wanted of it.
//!
//! `expressions.rb` has a line for each expression. The other files have cases: `#---` and a title,
//! `#@` for a file beside, `#=>` for a field of the metadata, `#!` for an error.

use std::collections::BTreeMap;
use std::io::Read;

use cookpack::error::Diagnose as _;
use cookpack::metadata::{Metadata, MetadataError};
use cookpack::path::TreePath;
use cookpack::ruby::{Settings, TreeFiles};
use cookpack::text::SourceFile;
use cookpack::tree::{EntryKind, Tree, TreeEntry, TreeError};

use crate::support::{project, project_file};

/// A source in memory.
#[derive(Default)]
struct Memory(BTreeMap<String, Node>);

enum Node {
    File(Vec<u8>),
    Link(String),
}

impl Memory {
    fn put(&mut self, path: &str, node: Node) {
        let mut parts = Vec::new();
        for part in format!("{BASE}/{path}").split('/') {
            match part {
                ".." => drop(parts.pop()),
                part => parts.push(part.to_owned()),
            }
        }
        self.0.insert(parts.join("/"), node);
    }

    fn node(&self, path: &[u8]) -> Option<&Node> {
        self.0.get(std::str::from_utf8(path).ok()?)
    }

    fn missing(path: &[u8]) -> TreeError {
        TreeError::NotFound {
            path: String::from_utf8_lossy(path).into_owned(),
            tree: "memory".to_owned(),
        }
    }
}

impl Tree for Memory {
    fn label(&self) -> String {
        "memory".to_owned()
    }

    fn entries(&self, dir: &[u8]) -> Result<Vec<TreeEntry>, TreeError> {
        let folder = match dir {
            [] => String::new(),
            dir => format!("{}/", String::from_utf8_lossy(dir)),
        };
        let below = self.0.keys().filter_map(|path| path.strip_prefix(&folder));
        let mut names: Vec<&str> = below.filter_map(|rest| rest.split('/').next()).collect();
        names.dedup();
        // Backwards, since a tree gives them in any order.
        let entries = names.into_iter().rev().map(|name| {
            let kind = self.kind(format!("{folder}{name}").as_bytes())?;
            Ok(TreeEntry {
                name: name.as_bytes().to_vec(),
                kind: kind.expect("an entry is something"),
            })
        });
        entries.collect()
    }

    fn kind(&self, path: &[u8]) -> Result<Option<EntryKind>, TreeError> {
        if path.is_empty() {
            return Ok(Some(EntryKind::Directory));
        }
        let folder = format!("{}/", String::from_utf8_lossy(path));
        Ok(match self.node(path) {
            Some(Node::File(_)) => Some(EntryKind::File { executable: false }),
            Some(Node::Link(_)) => Some(EntryKind::Symlink),
            None if self.0.keys().any(|known| known.starts_with(&folder)) => {
                Some(EntryKind::Directory)
            }
            None => None,
        })
    }

    fn link_target(&self, path: &[u8]) -> Result<Vec<u8>, TreeError> {
        match self.node(path) {
            Some(Node::Link(target)) => Ok(target.clone().into_bytes()),
            _ => Err(Self::missing(path)),
        }
    }

    fn open(&self, path: &[u8]) -> Result<Box<dyn Read + '_>, TreeError> {
        match self.node(path) {
            Some(Node::File(content)) => Ok(Box::new(&content[..])),
            _ => Err(Self::missing(path)),
        }
    }
}

/// The cookbook's folder in its source.
const BASE: &str = "cookbooks/web";

fn evaluate(text: &str, mut tree: Memory) -> Result<Metadata, MetadataError> {
    tree.put("metadata.rb", Node::File(text.as_bytes().to_vec()));
    let file = SourceFile::new(format!("{BASE}/metadata.rb"), text);
    let files = TreeFiles {
        tree: &tree,
        base: TreePath::parse(BASE).expect("a path"),
    };
    Metadata::from_ruby(&file, &files, &Settings::default())
}

/// One case of a fixture.
#[derive(Default)]
struct Case {
    title: String,
    text: String,
    tree: Memory,
    /// A field and its value.
    fields: Vec<(String, serde_json::Value)>,
    /// The message first.
    error: Vec<String>,
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn cases(fixture: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in fixture.lines() {
        if let Some(title) = line.strip_prefix("#--- ") {
            cases.push(Case {
                title: title.to_owned(),
                ..Case::default()
            });
            continue;
        }
        let Some(case) = cases.last_mut() else {
            assert!(line.is_empty() || line.starts_with("# "), "{line}");
            continue;
        };
        if let Some(file) = line.strip_prefix("#@ ") {
            let (path, content) = file.split_once(' ').expect("a path and its content");
            let node = match (
                content.strip_prefix("-> "),
                content.strip_prefix("latin-1 "),
            ) {
                (Some(target), _) => Node::Link(target.to_owned()),
                (_, Some(content)) => {
                    let content = json(content);
                    let chars = content.as_str().expect("a string").chars();
                    Node::File(
                        chars
                            .map(|c| u8::try_from(c as u32).expect("Latin-1"))
                            .collect(),
                    )
                }
                _ => Node::File(json(content).as_str().expect("a string").into()),
            };
            case.tree.put(path, node);
        } else if let Some(field) = line.strip_prefix("#=> ") {
            let (name, value) = field.split_once(": ").expect("a field and its value");
            case.fields.push((name.to_owned(), json(value)));
        } else if let Some(error) = line.strip_prefix("#! ") {
            case.error.push(error.to_owned());
        } else {
            case.text.push_str(line);
            case.text.push('\n');
        }
    }
    cases
}

/// What is wrong with a case, if anything is.
fn problem(case: Case) -> Option<String> {
    assert!(
        case.fields.is_empty() != case.error.is_empty(),
        "`{}` says what is wanted: fields or an error",
        case.title
    );
    match evaluate(&case.text, case.tree) {
        Ok(metadata) if case.error.is_empty() => {
            let printed = json(&metadata.to_json());
            let ignored: Vec<&str> = metadata.ignored.iter().map(|word| &*word.0).collect();
            case.fields.iter().find_map(|(name, want)| {
                let got = match &**name {
                    "ignored" => serde_json::json!(ignored),
                    name => printed[name].clone(),
                };
                (got != *want).then(|| format!("`{name}` is {got}, not {want}"))
            })
        }
        Ok(metadata) => Some(format!("no error but {}", metadata.to_json())),
        Err(error) if case.error.is_empty() => Some(format!("error: {error}")),
        Err(error) => problem_of_error(&error, &case.error),
    }
}

fn problem_of_error(error: &MetadataError, wanted: &[String]) -> Option<String> {
    let diagnostics = error.diagnostics();
    let diagnostic = diagnostics.first().expect("a diagnostic");
    let label = diagnostic.labels.first();
    wanted.iter().find_map(|want| {
        let (got, fits) = if let Some(text) = want.strip_prefix("marks: ") {
            let marked = label.map_or("", |label| &label.at.file.text()[label.at.span.clone()]);
            (marked.to_owned(), marked == text)
        } else if let Some(place) = want.strip_prefix("in: ") {
            let at = label.map_or(String::new(), |label| label.at.to_string());
            (at.clone(), at == place)
        } else if let Some(hint) = want.strip_prefix("hint: ") {
            let hints = diagnostic.hints.join("\n");
            (hints.clone(), hints.contains(hint))
        } else {
            let message = &diagnostic.message;
            let fits = message == want || (want.ends_with(": ") && message.starts_with(want));
            (message.clone(), fits)
        };
        (!fits).then(|| format!("wanted `{want}`, got `{got}`"))
    })
}

fn run(fixture: &str) -> usize {
    let cases = cases(&project_file(&format!("testdata/ruby/{fixture}")));
    let count = cases.len();
    let mut problems = Vec::new();
    for case in cases {
        let title = case.title.clone();
        if let Some(problem) = problem(case) {
            problems.push(format!("{title}: {problem}"));
        }
    }
    assert!(problems.is_empty(), "{fixture}:\n{}", problems.join("\n"));
    count
}

#[test]
fn every_fixture_has_a_runner() {
    let folder = std::fs::read_dir(project().join("testdata/ruby")).expect("the fixtures");
    let mut names: Vec<String> = folder
        .map(|entry| entry.expect("an entry").file_name().into_string())
        .collect::<Result<_, _>>()
        .expect("UTF-8");
    names.sort();
    assert_eq!(
        names,
        [
            "expressions.rb",
            "files.rb",
            "programs.rb",
            "refused.rb",
            "words.rb"
        ]
    );
}

#[test]
fn programs_do_what_ruby_does() {
    assert!(run("programs.rb") > 20);
}

#[test]
fn files_of_the_source_are_read_and_no_others() {
    assert!(run("files.rb") > 20);
}

#[test]
fn the_words_of_metadata_mean_what_chef_means() {
    assert!(run("words.rb") > 20);
}

#[test]
fn what_is_not_known_is_refused_and_what_does_not_end_is_stopped() {
    assert!(run("refused.rb") > 40);
}

#[test]
fn expressions_have_the_values_that_ruby_gives_them() {
    let mut problems = Vec::new();
    let mut count = 0;
    for line in project_file("testdata/ruby/expressions.rb").lines() {
        if line.is_empty() || line.starts_with("# ") {
            continue;
        }
        count += 1;
        let (expression, want) = line
            .rsplit_once(" #=> ")
            .expect("an expression and its value");
        let text = format!("result = begin\n{expression}\nend\ndescription(result.inspect)\n");
        match evaluate(&text, Memory::default()) {
            Ok(metadata) if metadata.description == want => {}
            Ok(metadata) => problems.push(format!("{line}, but {}", metadata.description)),
            Err(error) => problems.push(format!("{line}, but {error}")),
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(count > 600);
}

#[test]
fn limits_are_inclusive() {
    let with = |change: fn(&mut Settings), text: &str| {
        let mut settings = Settings::default();
        change(&mut settings);
        let tree = Memory::default();
        let files = TreeFiles {
            tree: &tree,
            base: TreePath::root(),
        };
        let result = Metadata::from_ruby(&SourceFile::new("metadata.rb", text), &files, &settings);
        result.map(|_| ()).map_err(|error| error.to_string())
    };
    let text = "x = 1\n";
    assert_eq!(with(|s| s.limits.source_bytes = 6, text), Ok(()));
    let error = with(|s| s.limits.source_bytes = 5, text).expect_err("too large");
    assert_eq!(error, "`metadata.rb` is larger than 5 bytes");
    // The sequence, the assignment, the number.
    assert_eq!(with(|s| s.limits.depth = 2, text), Ok(()));
    let error = with(|s| s.limits.depth = 1, text).expect_err("too deep");
    assert_eq!(error, "calls are nested more than 1 levels deep");
    assert_eq!(with(|s| s.limits.steps = 2, text), Ok(()));
    let error = with(|s| s.limits.steps = 1, text).expect_err("too many steps");
    assert_eq!(error, "this takes more than 1 steps to evaluate");
}

#[test]
fn a_file_too_large_to_read_is_refused() {
    let text = "long_description IO.read('big')\n";
    for (size, fits) in [(10, true), (11, false)] {
        let mut tree = Memory::default();
        tree.0
            .insert("big".to_owned(), Node::File(vec![b'x'; size]));
        let files = TreeFiles {
            tree: &tree,
            base: TreePath::root(),
        };
        let mut settings = Settings::default();
        settings.limits.file_bytes = 10;
        let result = Metadata::from_ruby(&SourceFile::new("metadata.rb", text), &files, &settings);
        assert_eq!(result.is_ok(), fits, "{size}");
    }
}

#[test]
fn the_environment_and_chefs_version_are_what_the_caller_says() {
    let text = "description \"#{ENV['STAGE']} #{Chef::VERSION}\"\n";
    let tree = Memory::default();
    let files = TreeFiles {
        tree: &tree,
        base: TreePath::root(),
    };
    let settings = Settings {
        chef_version: "12.22.5".to_owned(),
        env: [("STAGE".to_owned(), "live".to_owned())].into(),
        ..Settings::default()
    };
    let metadata = Metadata::from_ruby(&SourceFile::new("metadata.rb", text), &files, &settings);
    assert_eq!(metadata.expect("metadata").description, "live 12.22.5");
}

#[test]
fn the_roots_own_name_may_be_given() {
    let text =
        "name File.basename(__dir__)\nversion IO.read(File.expand_path('../VERSION', __FILE__))\n";
    let named = |root_name: Option<&str>, text: &str| {
        let mut tree = Memory::default();
        let version = Node::File(b"1.2.3".to_vec());
        tree.0.insert("VERSION".to_owned(), version);
        let files = TreeFiles {
            tree: &tree,
            base: TreePath::root(),
        };
        let settings = Settings {
            root_name: root_name.map(str::to_owned),
            ..Settings::default()
        };
        Metadata::from_ruby(&SourceFile::new("metadata.rb", text), &files, &settings)
    };
    let metadata = named(Some("web"), text).expect("metadata");
    assert_eq!(metadata.name.as_deref(), Some("web"));
    assert_eq!(metadata.version_text, "1.2.3");
    let place = "this value holds the path of the folder that the source lies in";
    let error = named(None, text).expect_err("no name");
    assert_eq!(error.to_string(), place);
    // What lies around the root is unknown all the same.
    let error = named(Some("web"), "maintainer __dir__\n").expect_err("a place");
    assert_eq!(error.to_string(), place);
    let error = named(Some("web"), "IO.read('../web/VERSION')\n").expect_err("outside");
    assert_eq!(
        error.to_string(),
        "`../web/VERSION` lies outside of the source"
    );
    let beside = "IO.read(File.expand_path('../../other/x', __FILE__))\n";
    let error = named(Some("web"), beside).expect_err("outside");
    assert_eq!(error.to_string(), "`../other/x` lies outside of the source");
}

/// The parser is written in C and recurses: whatever the nesting, there is an error and no overflow,
/// on a caller's small stack too.
#[test]
fn hostile_nesting_is_an_error() {
    const SIZE: usize = 250_000;
    let patterns = [
        ("", "(", ")"),
        ("", "[", "]"),
        ("", "{", "}"),
        ("", "->{", "}"),
        ("", "a(", ")"),
        ("", "a{", "}"),
        ("", "\"#{", "}\""),
        ("", "!", ""),
        ("", "- ", ""),
        ("", "not ", ""),
        ("", "a=", ""),
        ("", "if a\n", "end\n"),
        ("if a", "&&a", "\nend"),
        ("a", ".a", ""),
        ("a", "+a", ""),
        ("", "a ? a : ", ""),
        ("", "begin\n", "end\n"),
        ("", "a ", ""),
        ("", "case\n", "end\n"),
        ("", "def a\n", "end\n"),
        ("", "<<A;", ""),
        ("", "x do ", ""),
        ("\"a\"", " \"b\"", ""),
        ("case a\nin ", "[", "]"),
        ("", "(a,", ")"),
        ("", "1**", ""),
        ("", "! # x\n", ""),
        ("/", "(", "/"),
        ("", "a rescue ", ""),
        ("", "while a ", ""),
    ];
    let hostile = move || {
        for (before, unit, after) in patterns {
            let count = SIZE / (unit.len() + after.len());
            let text = format!("{before}{}1{}", unit.repeat(count), after.repeat(count));
            assert!(evaluate(&text, Memory::default()).is_err(), "{unit}");
        }
    };
    let thread = std::thread::Builder::new()
        .stack_size(256 << 10)
        .spawn(hostile);
    thread.expect("a thread").join().expect("no panic");
}
