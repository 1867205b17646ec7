//! Commands that tell of a bundle's dependencies: `tree`, `why`, `outdated`, and what an update would do.

use crate::support::{Sandbox, finish, have};

/// web wants lib and apt, lib wants apt, which comes from git. The machine has an agent.
fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo("repos/apt");
    repo.cookbook(".", "apt", "7.0.0").commit("x");
    sandbox.cookbook(
        "web",
        "web",
        "depends 'lib', '~> 1.0'\ndepends 'apt'\ndepends 'agent', '> 2.0'\n",
    );
    sandbox.cookbook("lib", "lib", "depends 'apt', '~> 7.0'\n");
    sandbox.write(
        "cookpack.toml",
        "[bundle]\nname = \"bundle\"\nprovided = [\"agent\"]\n\n[cookbooks]\n\
         web = { path = \"web\" }\nlib = { path = \"lib\", version = \">= 0.5\" }\napt = { git = \"repos/apt\" }\n",
    );
    sandbox
}

#[test]
fn the_tree_is_told_from_either_end() {
    let sandbox = project();
    let tree = sandbox.ok("tree");
    let lines = tree.lines();
    assert_eq!(lines[0], "web 1.0.0 (web)");
    assert!(lines[1].starts_with("├── apt 7.0.0 (repos/apt#"), "{tree}");
    assert_eq!(lines[2], "└── lib 1.0.0 (lib)");
    let inverted = sandbox.ok("tree --invert");
    let lines = inverted.lines();
    assert!(lines[0].starts_with("apt 7.0.0"), "{inverted}");
    assert_eq!(lines[1], "├── lib 1.0.0 (lib)");
    let lib = sandbox.ok("tree --invert lib");
    assert_eq!(lib.lines(), ["lib 1.0.0 (lib)", "└── web 1.0.0 (web)"]);
    let json = sandbox.ok("tree --invert apt --json").json();
    assert_eq!(json[0]["name"], "apt");
    assert_eq!(json[0]["dependents"], serde_json::json!(["lib", "web"]));
    assert_eq!(json[1]["source"]["path"], "lib");
    sandbox
        .run("tree --invert atp")
        .fails(1)
        .says(["`atp`", "did you mean `apt`"]);
    sandbox
        .run("tree --json --format dot")
        .fails(2)
        .says(["two formats"]);
    sandbox.run("tree --format pdf").fails(2);
    assert!(!sandbox.exists("cookpack.lock"));
}

#[test]
fn the_tree_is_drawn_for_other_tools() {
    let sandbox = project();
    let dot = sandbox.ok("tree --format dot");
    for line in [
        "  \"web\" [label=\"web 1.0.0\\nweb\"];",
        "  \"lib\" -> \"apt\" [label=\"~> 7.0\"];",
        "  \"web\" -> \"apt\";",
    ] {
        assert!(dot.lines().contains(&line), "{line}\n{dot}");
    }
    let inverted = sandbox.ok("tree --format dot --invert lib");
    assert!(
        inverted
            .lines()
            .contains(&"  \"lib\" -> \"web\" [label=\"~> 1.0\"];"),
        "{inverted}"
    );
    assert!(!inverted.out().contains("apt"), "{inverted}");
    let mermaid = sandbox.ok("tree --format mermaid");
    assert_eq!(mermaid.lines()[0], "flowchart LR");
    assert!(
        mermaid.out().contains("n1 -->|\"#126;#62; 7.0\"| n0"),
        "{mermaid}"
    );
    let json = sandbox.ok("tree --format json");
    assert_eq!(json.json(), sandbox.ok("tree --json").json());
}

#[test]
fn the_picture_is_xml_whatever_a_folder_is_called() {
    let sandbox = Sandbox::new();
    let folder = "a <b>&\"'; ]]>\u{1}";
    sandbox.cookbook(folder, "web", "depends 'lib'\n");
    sandbox.cookbook("lib", "lib", "depends 'web'\n");
    sandbox.manifest("web = { path = \"a <b>&\\\"'; ]]>\\u0001\" }\nlib = { path = \"lib\" }\n");
    let svg = sandbox.ok("tree --format svg");
    assert_eq!(svg.out(), sandbox.ok("tree --format svg --jobs 4").out());
    if !have("python3") {
        return;
    }
    sandbox.write("tree.svg", svg.out());
    let script = "import sys, xml.etree.ElementTree as t\n\
         root = t.parse('tree.svg').getroot()\n\
         n = '{http://www.w3.org/2000/svg}'\n\
         print(root.tag == n + 'svg', len(root.findall(n + 'g')), len(root.findall(n + 'path')))\n\
         print(root.findall(n + 'g')[1].find(n + 'title').text)\n";
    sandbox.write("read.py", script);
    let run = sandbox.shell("python3 read.py").ok();
    assert_eq!(
        run.lines(),
        ["True 2 2", "web 1.0.0 (a <b>&\"'; ]]>\u{fffd})"]
    );
}

#[test]
fn every_way_to_a_cookbook_is_told_with_where_it_is_written() {
    let sandbox = project();
    let run = sandbox.ok("why apt");
    let lines = run.lines();
    let apt = lines[0].strip_prefix("apt ").expect("the cookbook first");
    assert!(apt.starts_with("7.0.0 (repos/apt#"), "{run}");
    let wanted = [
        String::new(),
        format!("the manifest wants apt, which is {apt}  [cookpack.toml:8]"),
        String::new(),
        "the manifest wants lib >= 0.5, which is 1.0.0 (lib)  [cookpack.toml:7]".to_owned(),
        format!("  lib wants apt ~> 7.0, which is {apt}  [lib/metadata.rb:3]"),
        String::new(),
        "the manifest wants web, which is 1.0.0 (web)  [cookpack.toml:6]".to_owned(),
        format!("  web wants apt, which is {apt}  [web/metadata.rb:4]"),
        String::new(),
        "the manifest wants web, which is 1.0.0 (web)  [cookpack.toml:6]".to_owned(),
        "  web wants lib ~> 1.0, which is 1.0.0 (lib)  [web/metadata.rb:3]".to_owned(),
        format!("    lib wants apt ~> 7.0, which is {apt}  [lib/metadata.rb:3]"),
    ];
    assert_eq!(lines[1..], wanted, "{run}");
    let json = sandbox.ok("why apt --json").json();
    assert_eq!(json["ways"].as_array().map(Vec::len), Some(4));
    let step = &json["ways"][1][1];
    assert_eq!(
        (step["by"].as_str(), step["constraint"].as_str()),
        (Some("lib"), Some("~> 7.0"))
    );
    assert_eq!(
        step["at"],
        serde_json::json!({ "file": "lib/metadata.rb", "line": 3 })
    );
    assert_eq!(json["ways"][0][0]["by"], serde_json::Value::Null);

    let run = sandbox.ok("why agent");
    assert_eq!(run.lines()[0], "agent: the machine already has it");
    assert!(run.out().contains("web wants agent > 2.0"), "{run}");
    sandbox
        .run("why ap")
        .fails(1)
        .says(["the bundle has no cookbook `ap`", "did you mean `apt`"]);
    sandbox.run("why nonsense").fails(1).says(["cookpack tree"]);
    sandbox.run("why a/b").fails(2);
}

#[test]
fn a_dry_run_tells_what_would_change_and_writes_nothing() {
    let sandbox = project();
    let run = sandbox.ok("lock --dry-run");
    assert_eq!(run.lines()[0], "would write ./cookpack.lock");
    assert!(run.out().contains("  + lib 1.0.0 (lib)\n"), "{run}");
    assert!(!sandbox.exists("cookpack.lock"));
    sandbox.ok("lock");
    let locked = sandbox.text("cookpack.lock");
    assert_eq!(
        sandbox.ok("update -n").lines(),
        ["unchanged: ./cookpack.lock"]
    );

    let repo = sandbox.repo("repos/apt");
    repo.cookbook(".", "apt", "7.1.2").commit("y");
    sandbox.cookbook("lib", "lib", "version '1.4.0'\n");
    let run = sandbox.ok("update --dry-run");
    let lines = run.lines();
    assert_eq!(lines.len(), 3, "{run}");
    assert!(lines[1].starts_with("  ~ apt 7.0.0 (repos/apt#"), "{run}");
    assert!(lines[1].contains(") -> 7.1.2 (repos/apt#"), "{run}");
    assert_eq!(lines[2], "  ~ lib 1.0.0 -> 1.4.0 (lib)");
    let json = sandbox.ok("update lib --dry-run --json").json();
    assert_eq!(
        (&json["dry_run"], &json["changed"]),
        (&true.into(), &true.into())
    );
    let changes = json["changes"].as_array().expect("a list");
    assert_eq!(changes.len(), 1, "{json:#}");
    assert_eq!(changes[0]["change"], "moved");
    assert_eq!(changes[0]["before"]["version"], "1.0.0");
    assert_eq!(changes[0]["after"]["version"], "1.4.0");
    assert_eq!(sandbox.text("cookpack.lock"), locked);
    // What must not change is not asked for by trying it either.
    sandbox.run("update --dry-run --locked").fails(3);

    // The same words once it is done.
    let done = sandbox.ok("update");
    assert_eq!(done.lines()[0], "wrote ./cookpack.lock");
    assert_eq!(done.lines()[1..], lines[1..]);
    sandbox.manifest("apt = { git = \"repos/apt\" }\n");
    let run = sandbox.ok("lock -n");
    assert!(run.out().contains("  - lib 1.4.0 (lib)\n"), "{run}");
}

#[test]
fn what_has_no_list_of_versions_is_said_not_to_have_one() {
    let sandbox = project();
    let run = sandbox.ok("outdated");
    let lines = run.lines();
    assert_eq!(lines[0], "cookbook  locked  fits  newest  held back by");
    assert_eq!(lines[1], "apt       7.0.0   -     -");
    assert_eq!(lines.len(), 5, "{run}");
    let json = sandbox.ok("outdated --json").json();
    assert_eq!(json[0]["name"], "apt");
    assert_eq!(json[0]["newest"], serde_json::Value::Null);
    assert!(!sandbox.exists("cookpack.lock"));
}

#[test]
fn new_commands_and_options_are_completed() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(["completions", "bash"]);
    let script = finish(&mut command).ok();
    for word in [
        "why",
        "outdated",
        "--invert",
        "--format",
        "mermaid",
        "--dry-run",
    ] {
        assert!(script.out().contains(word), "{word}");
    }
}

#[test]
fn a_name_without_a_source_is_told_of_sources() {
    let sandbox = Sandbox::new();
    sandbox.manifest("apt = \"~> 7.0\"\n");
    let run = sandbox.run("lock").fails(1);
    run.says([
        "cookbook `apt` has no source",
        "`[[sources]]`",
        "https://supermarket.chef.io",
    ]);
    sandbox.cookbook("web", "web", "").write(
        "Berksfile",
        "source 'https://supermarket.example'\nsource chef_repo: '../chef'\ncookbook 'web', path: 'web'\n",
    );
    let toml = sandbox.ok("manifest Berksfile");
    let sources = "\n[[sources]]\nsupermarket = \"https://supermarket.example\"\n\n[[sources]]\nchef_repo = \"../chef\"\n";
    assert!(toml.out().contains(sources), "{toml}");
    let owned = toml
        .out()
        .replace("\n[cookbooks]", "only = [\"lib*\"]\n[cookbooks]");
    sandbox.write("cookpack.toml", owned);
    let json = sandbox.ok("manifest --json").json();
    assert_eq!(
        json["sources"],
        serde_json::json!([
            { "type": "supermarket", "uri": "https://supermarket.example" },
            { "type": "chef_repo", "path": "../chef", "only": ["lib*"] },
        ])
    );
    assert_eq!(json["transitive_sources"], false);
    sandbox.ok("build");
}
