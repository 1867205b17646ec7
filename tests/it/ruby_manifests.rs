//! What `cookpack manifest --json` says of the files in `testdata/manifests`. Behind `__END__`, each
//! has the files beside it, and what is wanted: a document, or an error with its line.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Sandbox, project};

/// The folders of `testdata/manifests`, and what their files are called in a project.
const KINDS: [(&str, &str); 4] = [
    ("berksfile", "Berksfile"),
    ("berksfile_lock", "Berksfile.lock"),
    ("cheffile", "Cheffile"),
    ("policyfile", "Policyfile.rb"),
];

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items
        .map(|item| item.as_str().expect("a text").to_owned())
        .collect()
}

/// What is wrong with what is said of a fixture.
fn check(path: &Path, name: &str) -> Vec<String> {
    let text = fs::read_to_string(path).expect("the fixture");
    let (text, rest) = text.split_once("__END__\n").expect("an `__END__`");
    let wanted: Value =
        serde_json::from_str(rest).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let sandbox = Sandbox::new();
    sandbox.write(name, text);
    for (file, text) in wanted["files"].as_object().into_iter().flatten() {
        sandbox.write(file, text.as_str().expect("a text"));
    }
    let run = sandbox.run(&format!("manifest --json {name}"));
    let mut problems = Vec::new();
    let mut says = texts(&wanted["says"]);
    match (&wanted["want"], &wanted["error"]) {
        (Value::Object(want), Value::Null) => {
            let got = match run.code {
                Some(0) => run.json(),
                _ => Value::Null,
            };
            for (key, want) in want {
                if got[key] != *want {
                    problems.push(format!("{key}: want {want:#}\ngot {:#}", got[key]));
                }
            }
        }
        (Value::Null, error) => {
            let file = error["file"].as_str().unwrap_or(name);
            says.push(format!("{file}:{}:", error["line"]));
            says.extend(texts(&error["says"]));
            if run.code != Some(1) || !run.stdout.is_empty() {
                problems.push("is accepted".to_owned());
            }
        }
        _ => problems.push("the fixture wants nothing".to_owned()),
    }
    let lacking = says.iter().filter(|text| !run.stderr.contains(*text));
    problems.extend(lacking.map(|text| format!("does not say {text:?}")));
    let shown = path.file_name().expect("a name").to_string_lossy();
    let told = problems.into_iter();
    told.map(|problem| format!("--- {shown}: {problem}\n{}", run.stderr))
        .collect()
}

#[test]
fn every_fixture_is_read_as_it_says() {
    let root = project().join("testdata/manifests");
    let mut problems = Vec::new();
    for folder in fs::read_dir(&root).expect("the fixtures") {
        let folder = folder.expect("an entry").path();
        let kind = KINDS
            .iter()
            .find(|(kind, _)| folder.ends_with(kind))
            .unwrap_or_else(|| panic!("{} has no runner", folder.display()));
        let mut fixtures: Vec<_> = fs::read_dir(&folder)
            .expect("a folder")
            .map(|fixture| fixture.expect("an entry").path())
            .collect();
        fixtures.sort();
        assert!(!fixtures.is_empty(), "{}", folder.display());
        for fixture in fixtures {
            problems.extend(check(&fixture, kind.1));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
