//! What moves what is locked, what does not, and what is told of what is newer.

use super::{download, project, sources, versions};
use crate::support::{HttpRequest, HttpResponse, Sandbox, Supermarket};

/// web wants lib, which wants ark; apt stands aside. All are locked, and all have newer ones.
fn aged(market: &Supermarket) -> Sandbox {
    market.publish("web", "1.0.0", &[("lib", "~> 1.0")]);
    market.publish("lib", "1.0.0", &[("ark", "~> 1.0")]);
    market.publish("ark", "1.0.0", &[]);
    market.publish("apt", "1.0.0", &[]);
    let sandbox = project(market, "web = \"~> 1.0\"\napt = \"~> 1.0\"\n");
    sandbox.ok("lock");
    market.publish("lib", "1.1.0", &[("ark", "~> 1.1")]);
    market.publish("ark", "1.1.0", &[]);
    market.publish("ark", "1.2.0", &[]);
    market.publish("ark", "2.0.0", &[]);
    market.publish("apt", "1.1.0", &[]);
    market.publish("apt", "2.0.0", &[]);
    sandbox
}

#[test]
fn an_update_moves_only_what_must() {
    let market = Supermarket::start();
    let sandbox = aged(&market);
    let before = sandbox.text("cookpack.lock");
    let old = ["apt 1.0.0", "ark 1.0.0", "lib 1.0.0", "web 1.0.0"];
    assert_eq!(versions(&sandbox), old);
    sandbox.ok("build");
    sandbox.ok("lock");
    assert_eq!(
        sandbox.text("cookpack.lock"),
        before,
        "newer ones are no reason"
    );

    let run = sandbox.ok("update --dry-run");
    assert!(run.out().contains("  ~ apt 1.0.0 "), "{run}");
    assert!(run.out().contains("1.1.0"), "{run}");
    assert_eq!(sandbox.text("cookpack.lock"), before);
    let json = sandbox.ok("update apt --dry-run --json").json();
    assert_eq!(
        json["changes"].as_array().map(Vec::len),
        Some(1),
        "{json:#}"
    );
    assert_eq!(json["changes"][0]["after"]["version"], "1.1.0");
    assert_eq!(sandbox.text("cookpack.lock"), before);

    sandbox.ok("update apt");
    assert_eq!(
        versions(&sandbox),
        ["apt 1.1.0", "ark 1.0.0", "lib 1.0.0", "web 1.0.0"]
    );
    // The newer lib needs a newer ark: that moves too, and nothing else.
    sandbox.write("cookpack.lock", &before);
    sandbox.ok("update lib");
    let found = versions(&sandbox);
    assert_eq!(
        (&*found[0], &*found[2], &*found[3]),
        ("apt 1.0.0", "lib 1.1.0", "web 1.0.0")
    );
    assert!(
        ["ark 1.1.0", "ark 1.2.0"].contains(&&*found[1]),
        "{found:?}"
    );
    // What holds it is told of and left alone: ark may move within what the locked lib takes.
    sandbox.write("cookpack.lock", &before);
    sandbox.ok("update ark");
    assert_eq!(
        versions(&sandbox),
        ["apt 1.0.0", "ark 1.2.0", "lib 1.0.0", "web 1.0.0"]
    );
    sandbox.ok("update");
    assert_eq!(
        versions(&sandbox),
        ["apt 1.1.0", "ark 1.2.0", "lib 1.1.0", "web 1.0.0"]
    );
    sandbox
        .run("update atp")
        .fails(1)
        .says(["`atp`", "did you mean `apt`"]);

    // One more cookbook is no reason for the others either, but for what it needs.
    sandbox.write("cookpack.lock", &before);
    market.publish("new", "1.0.0", &[("ark", "~> 1.0")]);
    let manifest = sandbox.text("cookpack.toml");
    sandbox.write(
        "cookpack.toml",
        manifest.replace("[cookbooks]\n", "[cookbooks]\nnew = \">= 0.0.0\"\n"),
    );
    sandbox.ok("build");
    assert_eq!(
        versions(&sandbox),
        [
            "apt 1.0.0",
            "ark 1.0.0",
            "lib 1.0.0",
            "new 1.0.0",
            "web 1.0.0"
        ]
    );
}

#[test]
fn a_source_that_moved_is_no_reason_for_other_versions() {
    let (old, new) = (Supermarket::start(), Supermarket::start());
    let sandbox = aged(&old);
    aged(&new);
    let manifest = sandbox.text("cookpack.toml");
    sandbox.write("cookpack.toml", manifest.replace(&old.url(), &new.url()));
    old.take_seen();
    sandbox.run("lock --locked").fails(3);
    sandbox.ok("lock");
    assert_eq!(
        versions(&sandbox),
        ["apt 1.0.0", "ark 1.0.0", "lib 1.0.0", "web 1.0.0"]
    );
    assert_eq!(old.take_paths(), [""; 0]);
    assert!(!sandbox.text("cookpack.lock").contains(&old.url()));
}

#[test]
fn a_locked_version_that_is_gone_is_told_of() {
    let market = Supermarket::start();
    market.publish("apt", "1.0.0", &[]);
    let sandbox = project(&market, "apt = \"~> 1.0\"\n");
    sandbox.ok("lock");
    market.trouble("/universe", usize::MAX, |_, answer| {
        let text = String::from_utf8(answer.body).expect("UTF-8");
        HttpResponse::new(200, text.replace("1.0.0", "0.0.1"))
    });
    let gone = |_: &HttpRequest, _| HttpResponse::new(404, "");
    market.trouble(&download("apt", "1.0.0"), usize::MAX, gone);
    std::fs::remove_dir_all(sandbox.store()).expect("the store");
    market.publish("apt", "1.0.1", &[]);
    let lock = sandbox.text("cookpack.lock");
    // It was there when it was locked: nothing else is put in its place unasked.
    for args in ["--locked", ""] {
        let run = sandbox.run(&format!("build {args}")).fails(1);
        run.says(["no source has apt 1.0.0", "`cookpack update apt`"]);
        assert_eq!(sandbox.text("cookpack.lock"), lock, "{args}");
    }
    // The hint is followed.
    sandbox.ok("update apt");
    assert_eq!(versions(&sandbox), ["apt 1.0.1"]);
}

#[test]
fn what_is_newer_and_why_a_cookbook_is_there_is_told() {
    let market = Supermarket::start();
    let sandbox = aged(&market);
    let before = sandbox.text("cookpack.lock");
    let json = sandbox.ok("outdated --json").json();
    let row = |name: &str| {
        let rows = json.as_array().expect("a list").iter();
        let mut rows = rows.filter(|row| row["name"] == name);
        rows.next()
            .unwrap_or_else(|| panic!("{name}: {json:#}"))
            .clone()
    };
    for (name, fits, newest) in [
        ("apt", "1.1.0", "2.0.0"),
        ("ark", "1.2.0", "2.0.0"),
        ("lib", "1.1.0", "1.1.0"),
        ("web", "1.0.0", "1.0.0"),
    ] {
        let row = row(name);
        assert_eq!(
            (&row["fits"], &row["newest"]),
            (&fits.into(), &newest.into()),
            "{name}"
        );
        assert_eq!(row["outdated"], newest != "1.0.0", "{name}");
        assert_eq!(row["source"]["source"], market.url());
    }
    assert_eq!(row("apt")["held_back_by"][0]["by"], serde_json::Value::Null);
    assert_eq!(row("apt")["held_back_by"][0]["at"]["line"], 6);
    assert_eq!(row("ark")["held_back_by"][0]["by"], "lib");
    let run = sandbox.ok("outdated");
    assert_eq!(run.lines().len(), 4, "{run}");
    let ark: Vec<_> = run.lines()[2].split_whitespace().take(8).collect();
    assert_eq!(
        ark.join(" "),
        "ark 1.0.0 1.2.0 2.0.0 lib wants ~> 1.0",
        "{run}"
    );

    let why = sandbox.ok("why ark");
    assert_eq!(why.lines()[0], format!("ark 1.0.0 ({})", market.url()));
    for words in [
        "the manifest wants web ~> 1.0",
        "web wants lib ~> 1.0",
        "lib wants ark ~> 1.0",
    ] {
        assert_eq!(why.out().matches(words).count(), 1, "{words}\n{why}");
    }
    assert!(!why.out().contains("apt"), "{why}");
    let tree = sandbox.ok("tree --invert ark");
    let names = tree.lines().into_iter().map(|line| {
        line.trim_start_matches(['│', '├', '└', '─', ' '])
            .to_owned()
    });
    let shown = |name: &str| format!("{name} 1.0.0 ({})", market.url());
    assert_eq!(names.collect::<Vec<_>>(), ["ark", "lib", "web"].map(shown));
    assert_eq!(sandbox.text("cookpack.lock"), before);
    // When all is new, that is said.
    sandbox.manifest(&format!("web = \">= 0.0.0\"\n{}", sources(&[&market])));
    market.publish("lib", "1.2.0", &[("ark", ">= 1.0")]);
    sandbox.ok("update");
    let run = sandbox.ok("outdated");
    assert_eq!(run.lines(), ["every cookbook is the newest that there is"]);
}
