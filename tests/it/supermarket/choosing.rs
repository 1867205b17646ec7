//! Which version of which source, and what is said when none will do.

use super::{locked, project, sources, versions};
use crate::support::{HttpResponse, Run, Sandbox, Supermarket};

#[test]
fn a_name_of_two_sources_is_the_first_ones_and_is_told_once() {
    let (first, second) = (Supermarket::start(), Supermarket::start());
    first.publish("both", "1.0.0", &[]);
    first.publish("own", "1.0.0", &[("both", ">= 0.5"), ("other", ">= 0.0.0")]);
    second.publish("both", "9.0.0", &[]);
    second.publish("other", "2.0.0", &[("both", ">= 0.0.0")]);
    let sandbox = Sandbox::new();
    let cookbooks = "own = \"~> 1.0\"\nboth = \">= 0.1\"\n";
    sandbox.manifest(&format!("{cookbooks}{}", sources(&[&first, &second])));
    let run = sandbox.ok("lock");
    let told: Vec<_> = run
        .stderr
        .lines()
        .filter(|line| line.contains("`both`"))
        .collect();
    let of_the_other = |line: &&&str| line.contains(&second.url()) && line.contains(&first.url());
    assert_eq!(told.iter().filter(of_the_other).count(), 1, "{run}");
    assert!(
        !run.stderr.contains("`own`") && !run.stderr.contains("`other`"),
        "{run}"
    );
    assert_eq!(
        versions(&sandbox),
        ["both 1.0.0", "other 2.0.0", "own 1.0.0"]
    );
    for (name, market) in [("both", &first), ("other", &second), ("own", &first)] {
        let line = format!("source = \"{}\"\n", market.url());
        assert!(locked(&sandbox, name).contains(&line), "{name}");
    }
    let tree = sandbox.ok("tree");
    for (cookbook, market) in [
        ("both 1.0.0", &first),
        ("other 2.0.0", &second),
        ("own 1.0.0", &first),
    ] {
        let shown = format!("{cookbook} ({})", market.url());
        assert!(tree.out().contains(&shown), "{shown}\n{tree}");
    }
    let json = sandbox.ok("tree --json").json();
    assert_eq!(json[1]["source"]["source"], second.url());

    // Each of the two hints is followed, and there is nothing more to tell.
    let [one, two] = [&first, &second].map(|market| sources(&[market]));
    for (text, wanted) in [
        (format!("{one}except = [\"both\"]\n{two}"), "both 9.0.0"),
        (format!("{one}except = [\"b*\"]\n{two}"), "both 9.0.0"),
        (
            format!("{one}{two}only = [\"both\", \"other\"]\n"),
            "both 9.0.0",
        ),
        (format!("{one}{two}except = [\"both\"]\n"), "both 1.0.0"),
        (
            format!("{one}only = [\"both\", \"own\"]\n{two}"),
            "both 1.0.0",
        ),
    ] {
        sandbox.forget_lock();
        sandbox.manifest(&format!("{cookbooks}{text}"));
        sandbox.ok("lock").never_says("one of that name too");
        assert!(versions(&sandbox).contains(&wanted.to_owned()), "{text}");
    }
    // What is locked from a source that may not give it any more is decided anew.
    sandbox.manifest(&format!("{cookbooks}{one}except = [\"both\"]\n{two}"));
    sandbox.run("lock --locked").fails(3);
    sandbox.ok("lock");
    assert!(versions(&sandbox).contains(&"both 9.0.0".to_owned()));
}

#[test]
fn a_source_that_does_not_answer_is_never_passed_over() {
    let (first, second) = (Supermarket::start(), Supermarket::start());
    first.publish("own", "1.0.0", &[]);
    second.publish("own", "9.0.0", &[]);
    let sandbox = Sandbox::new();
    sandbox.manifest(&format!(
        "own = \">= 0.0.0\"\n{}",
        sources(&[&first, &second])
    ));
    for status in [401, 404, 503] {
        first.trouble("/universe", usize::MAX, move |_, _| {
            HttpResponse::new(status, "")
        });
        sandbox.run("build").fails(5).says([first.url()]);
        assert!(!sandbox.exists("cookpack.lock"));
        first.calm();
    }
    // It answers for its universe, and then does not give what it has.
    for status in [403, 404, 500] {
        first.trouble("1.0.0/download", usize::MAX, move |_, _| {
            HttpResponse::new(status, "")
        });
        sandbox.run("build").fails(5).says([first.url()]);
        assert!(!sandbox.exists("cookpack.lock"));
        first.calm();
    }
    assert!(
        !second
            .take_paths()
            .contains(&super::download("own", "9.0.0"))
    );
    sandbox.ok("build");
    assert_eq!(versions(&sandbox), ["own 1.0.0"]);
}

#[test]
fn a_source_that_may_not_give_a_name_is_not_asked_for_it() {
    let (first, second) = (Supermarket::start(), Supermarket::start());
    first.publish("own", "1.0.0", &[]);
    second.publish("own", "9.0.0", &[]);
    let sandbox = Sandbox::new();
    let [one, two] = [&first, &second].map(|market| sources(&[market]));
    sandbox.manifest(&format!(
        "own = \">= 0.0.0\"\n{two}only = [\"acme_*\"]\n{one}"
    ));
    sandbox.ok("lock");
    assert_eq!(versions(&sandbox), ["own 1.0.0"]);
    assert_eq!(second.take_paths(), [""; 0]);
    // A name that belongs to a source that does not have it is nobody's: no stranger's is taken.
    sandbox.manifest(&format!(
        "acme_web = \">= 0.0.0\"\n{two}only = [\"acme_*\"]\n{one}"
    ));
    first.publish("acme_web", "6.6.6", &[]);
    sandbox.run("lock").fails(1).says(["acme_web"]);
}

#[test]
fn a_folder_of_cookbooks_is_a_source_like_another() {
    let market = Supermarket::start();
    market.publish("lib", "9.0.0", &[]);
    market.publish("ark", "1.2.0", &[]);
    let sandbox = Sandbox::new();
    sandbox
        .cookbook("chef/cookbooks/lib", "lib", "depends 'ark', '~> 1.0'\n")
        .cookbook("chef/cookbooks/stray", "stray", "depends 'nowhere'\n");
    let folder = "\n[[sources]]\nchef_repo = \"chef\"\n";
    let both = format!("lib = \">= 0.0.0\"\n{folder}{}", sources(&[&market]));
    let run = sandbox.manifest(&both).ok("lock");
    assert_eq!(versions(&sandbox), ["ark 1.2.0", "lib 1.0.0"]);
    assert!(
        run.stderr.contains("`lib`") && run.stderr.contains(&market.url()),
        "{run}"
    );
    let block = locked(&sandbox, "lib");
    assert!(
        block.contains("cookbooks/lib\"\n") && !block.contains("sha256"),
        "{block}"
    );
    assert!(
        !sandbox
            .text("cookpack.lock")
            .contains(&sandbox.root().display().to_string())
    );
    // A folder is what it is now, as a path is; what may not change is still checked.
    let bytes = sandbox.build_bytes("--frozen");
    sandbox.write("chef/cookbooks/lib/files/new", "x");
    sandbox.run("build --locked").fails(3);
    assert_ne!(sandbox.build_bytes(""), bytes);
    // The Supermarket's, when it comes first.
    sandbox.manifest(&format!(
        "lib = \">= 0.0.0\"\n{}{folder}",
        sources(&[&market])
    ));
    sandbox.ok("update");
    assert_eq!(versions(&sandbox), ["lib 9.0.0"]);
}

/// A place and two texts of a hint: `write X in place of Y for `name` in FILE:LINE`.
fn edits(run: &Run) -> Vec<(String, usize, String, String)> {
    let mut edits = Vec::new();
    for line in run
        .stderr
        .lines()
        .filter(|line| line.contains(" in place of `"))
    {
        let texts: Vec<_> = line.split('`').collect();
        let at = texts.iter().position(|text| text.contains(" in place of "));
        let at = at.expect("two texts");
        let place = line.split_whitespace().find_map(|word| {
            let (file, line) = word.trim_end_matches(':').rsplit_once(':')?;
            let file = file.trim_matches('`').to_owned();
            Some((
                file,
                line.trim_matches('`').split(':').next()?.parse().ok()?,
            ))
        });
        let (file, line) = place.unwrap_or_else(|| panic!("a place: {line}"));
        edits.push((
            file,
            line,
            texts[at + 1].to_owned(),
            texts[at - 1].to_owned(),
        ));
    }
    edits
}

/// Does what a hint says.
fn apply(sandbox: &Sandbox, (file, line, from, to): &(String, usize, String, String)) {
    let text = sandbox.text(file);
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    let line = &mut lines[line - 1];
    assert!(
        line.contains(from.as_str()),
        "{from} is not in {file}: {line}"
    );
    *line = line.replacen(from.as_str(), to, 1);
    sandbox.write(file, lines.join("\n") + "\n");
}

#[test]
fn two_cookbooks_that_never_agree_are_named_with_what_would_help() {
    let market = Supermarket::demo();
    let cookbooks = "web = { path = \"web\" }\ndb = { path = \"db\" }\nlib = { path = \"lib\" }\n";
    let sandbox = project(&market, cookbooks);
    sandbox
        .cookbook("web", "web", "depends 'poise', '~> 2.4'\ndepends 'lib'\n")
        .cookbook("db", "db", "depends 'poise', '~> 3.0'\n")
        .cookbook("lib", "lib", "depends 'windows', '~> 7.0'\n");
    let run = sandbox.run("build").fails(1);
    let run = run.says([
        "`poise`",
        "web/metadata.rb:3",
        "db/metadata.rb:3",
        &market.url(),
    ]);
    let run = run.never_says("windows").never_says("lib/metadata.rb");
    assert!(!sandbox.exists("cookpack.lock"));
    let edits = edits(&run);
    assert!((1..=2).contains(&edits.len()), "{run}");
    for edit in edits {
        let before = sandbox.text(&edit.0);
        apply(&sandbox, &edit);
        sandbox.ok("build");
        sandbox.write(&edit.0, before);
        sandbox.forget_lock();
    }
    sandbox.run("build").fails(1);
}

#[test]
fn what_stands_between_the_manifest_and_a_source_is_told() {
    let market = Supermarket::demo();
    let cookbooks =
        "windows = \"~> 7.0\"\napplication_javascript = \"~> 1.0\"\npoise = \"~> 3.0\"\n";
    let sandbox = project(&market, cookbooks);
    let run = sandbox.run("lock").fails(1);
    let run = run.says(["`poise`", "cookpack.toml:7", "~> 3.0", &market.url()]);
    assert!(run.stderr.contains("application_javascript"), "{run}");
    let run = run.never_says("windows");
    let edits = edits(&run);
    assert!(!edits.is_empty(), "{run}");
    let manifest = sandbox.text("cookpack.toml");
    for edit in edits {
        apply(&sandbox, &edit);
        sandbox.ok("lock");
        sandbox.forget_lock();
        sandbox.write("cookpack.toml", &manifest);
    }
    // The same for a machine: one document, with what is said on the standard error as well.
    let run = sandbox.run("lock --json").ends_with(1).says(["`poise`"]);
    let told = run.json();
    let told = &told["conflict"]["contradictions"];
    assert_eq!(told.as_array().map(Vec::len), Some(1), "{told:#}");
    assert_eq!(told[0]["cookbook"], "poise");
    let wants = told[0]["wants"].as_array().expect("a list").iter();
    let wants: Vec<_> = wants
        .map(|want| {
            (
                want["cookbook"].as_str(),
                want["constraint"].as_str(),
                want["at"].as_str(),
            )
        })
        .collect();
    for want in [
        (
            Some("application_javascript"),
            Some("~> 1.0"),
            Some("cookpack.toml:6"),
        ),
        (Some("poise"), Some("~> 3.0"), Some("cookpack.toml:7")),
        (Some("poise"), Some("~> 2.4"), None),
    ] {
        assert!(wants.contains(&want), "{want:?} {told:#}");
    }
    assert_eq!(wants.len(), 3, "{told:#}");
    let edit = &told[0]["edits"][0];
    assert_eq!(
        (&edit["from"], &edit["at"]),
        (&"~> 3.0".into(), &"cookpack.toml:7".into())
    );
    // No version of it at all.
    sandbox.manifest(&format!("poise = \"> 9.0\"\n{}", sources(&[&market])));
    sandbox
        .run("lock")
        .fails(1)
        .says(["cookpack.toml:5", "`> 9.0`", "3.0.0"]);
}

#[test]
fn a_misspelt_name_is_told_with_the_one_that_was_meant() {
    let market = Supermarket::demo();
    let sandbox = project(&market, "posie = \"~> 2.4\"\n");
    let run = sandbox.run("lock").fails(1);
    let run = run.says([
        "`posie`",
        "cookpack.toml:5",
        "did you mean `poise`",
        &market.url(),
    ]);
    let [edit] = &edits(&run)[..] else {
        panic!("one edit: {run}");
    };
    apply(&sandbox, edit);
    sandbox.ok("lock");
    assert_eq!(versions(&sandbox), ["poise 2.8.2"]);
    // Nothing is near.
    sandbox.manifest(&format!("qqqqqqqq = \"~> 2.4\"\n{}", sources(&[&market])));
    sandbox.run("lock").fails(1).never_says("did you mean");
}

#[test]
fn a_conflict_is_given_as_data_too() {
    let market = Supermarket::start();
    market.publish("apt", "6.0.0", &[]);
    market.publish("apt", "7.0.0", &[]);
    market.publish("web", "1.0.0", &[("apt", "~> 7.0")]);
    let sandbox = project(&market, "apt = \"< 7\"\nweb = \">= 0\"\n");
    let run = sandbox.run("lock --json").ends_with(1);
    let found = &run.json()["conflict"]["contradictions"][0];
    assert_eq!(found["cookbook"], "apt", "{run}");
    let wants = found["wants"].as_array().expect("a list");
    let of_web = |want: &&serde_json::Value| want["by"]["cookbook"] == "web";
    let web = wants.iter().find(of_web).expect("what web wants");
    assert_eq!(web["constraint"], "~> 7.0");
    let manifest =
        |want: &&serde_json::Value| want["by"]["kind"] == "manifest" && want["cookbook"] == "apt";
    let line = wants
        .iter()
        .find(manifest)
        .expect("what the manifest wants");
    assert_eq!(line["at"], "cookpack.toml:5");
    assert_eq!(found["edits"][0]["to"], "~> 7.0");
    assert!(run.stderr.contains("no version of `apt` fits"), "{run}");
}
