//! Cookbooks by name, from a Supermarket on loopback: what is asked of it, what is kept, and what is
//! done when it misbehaves.

mod choosing;
mod failing;
mod following;
mod updating;

use crate::support::{DEMO, HttpRequest, HttpResponse, Sandbox, Supermarket, sha256};

/// The lines of a manifest that name sources, in order.
fn sources(markets: &[&Supermarket]) -> String {
    let line =
        |market: &&Supermarket| format!("\n[[sources]]\nsupermarket = \"{}\"\n", market.url());
    markets.iter().map(line).collect()
}

/// A project that wants these of a source.
fn project(market: &Supermarket, cookbooks: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.manifest(&format!("{cookbooks}{}", sources(&[market])));
    sandbox
}

/// The demo of OpsWorks: its own cookbook is in a repository, all others come by name.
fn demo(market: &Supermarket) -> Sandbox {
    let sandbox = project(market, "nodejs_demo = { git = \"repos/nodejs_demo\" }\n");
    let needs = "depends 'application_javascript', '~> 1.0'\n";
    let repo = sandbox.repo("repos/nodejs_demo");
    repo.cookbook_with(".", "nodejs_demo", "1.0.0", needs);
    repo.commit("x");
    sandbox
}

/// What the demo needs by name.
const NEEDED: [(&str, &str); 10] = [
    ("application", "5.2.0"),
    ("application_javascript", "1.0.0"),
    ("poise", "2.8.2"),
    ("poise-archive", "1.5.0"),
    ("poise-build-essential", "1.0.0"),
    ("poise-javascript", "1.2.0"),
    ("poise-languages", "2.1.2"),
    ("poise-service", "1.5.2"),
    ("seven_zip", "3.2.0"),
    ("windows", "7.0.2"),
];

/// Where a tarball is asked for.
fn download(name: &str, version: &str) -> String {
    format!("/api/v1/cookbooks/{name}/versions/{version}/download")
}

/// What is locked of a cookbook.
fn locked(sandbox: &Sandbox, name: &str) -> String {
    let lock = sandbox.text("cookpack.lock");
    let mut blocks = lock.split("\n[[cookbook]]\n");
    let block = blocks.find(|block| block.starts_with(&format!("name = \"{name}\"\n")));
    block
        .unwrap_or_else(|| panic!("{name} is not locked: {lock}"))
        .to_owned()
}

/// Names and versions that are locked.
fn versions(sandbox: &Sandbox) -> Vec<String> {
    let lock = sandbox.text("cookpack.lock");
    let field = |line: &str| line.split('"').nth(1).expect("a text").to_owned();
    let blocks = lock.split("\n[[cookbook]]\n").skip(1);
    blocks
        .map(|block| {
            block
                .lines()
                .take(2)
                .map(field)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

fn forget_store(sandbox: &Sandbox) {
    std::fs::remove_dir_all(sandbox.store()).expect("the store");
}

#[test]
fn the_demo_is_built_from_its_repository_and_the_supermarket() {
    let market = Supermarket::demo();
    let sandbox = demo(&market);
    let bytes = sandbox.build_bytes("");
    let archive = crate::support::Tarball::read(&bytes);
    for (name, version) in NEEDED {
        let metadata: serde_json::Value =
            serde_json::from_str(archive.text(&format!("{name}/metadata.json"))).expect("JSON");
        assert_eq!(metadata["version"], version, "{name}");
        assert!(archive.has(&format!("{name}/recipes/default.rb")), "{name}");
        let block = locked(&sandbox, name);
        for line in [
            format!("version = \"{version}\""),
            format!("source = \"{}\"", market.url()),
            format!("url = \"{}{}\"", market.url(), download(name, version)),
            format!("sha256 = \"{}\"", sha256(market.tarball(name, version))),
        ] {
            assert!(block.lines().any(|own| own == line), "{line}\n{block}");
        }
    }
    assert!(locked(&sandbox, "nodejs_demo").contains("git = \"repos/nodejs_demo\""));
    assert_eq!(versions(&sandbox).len(), NEEDED.len() + 1);
    let mut asked = market.take_paths();
    asked.sort();
    let mut wanted: Vec<_> = NEEDED.iter().map(|(n, v)| download(n, v)).collect();
    wanted.push("/universe".to_owned());
    wanted.sort();
    assert_eq!(asked, wanted, "each is asked for once, and nothing else is");

    // Eight deep, from the repository's own to what archives on Windows need.
    let tree = sandbox.ok("tree");
    let depth = |line: &str| {
        line.chars()
            .take_while(|c| !c.is_ascii_alphabetic())
            .count()
            / 4
    };
    let windows = tree
        .lines()
        .into_iter()
        .filter(|line| line.contains(" windows 7.0.2 ("));
    assert_eq!(windows.map(depth).max(), Some(7), "{tree}");

    // What is locked is not asked for again, with a server or without one.
    assert_eq!(sandbox.build_bytes(""), bytes);
    assert_eq!(market.take_paths(), [""; 0]);
    let lock = sandbox.text("cookpack.lock");
    drop(market);
    for args in ["", "--locked", "--frozen", "--offline"] {
        assert_eq!(sandbox.build_bytes(args), bytes, "{args}");
    }
    assert_eq!(sandbox.text("cookpack.lock"), lock);
}

#[test]
fn a_lockfile_brings_the_same_bytes_to_a_machine_that_has_nothing() {
    let market = Supermarket::demo();
    let sandbox = demo(&market);
    let bytes = sandbox.build_bytes("");
    market.publish("poise", "2.9.0", &[]);
    market.take_seen();
    forget_store(&sandbox);
    assert_eq!(sandbox.build_bytes("--locked"), bytes);
    let asked = market.take_paths();
    assert_eq!(asked.len(), NEEDED.len(), "{asked:?}");
    assert!(!asked.iter().any(|path| path == "/universe"), "{asked:?}");
    // The newest that fits counts whatever a store holds.
    forget_store(&sandbox);
    sandbox.forget_lock();
    sandbox.ok("lock");
    assert!(versions(&sandbox).contains(&"poise 2.9.0".to_owned()));
}

#[test]
fn a_second_resolve_is_one_conditional_request() {
    let market = Supermarket::demo();
    let sandbox = demo(&market);
    sandbox.ok("lock");
    market.take_seen();
    let lock = sandbox.text("cookpack.lock");
    sandbox.ok("update");
    let seen = market.take_seen();
    let [again] = &seen[..] else {
        panic!("one request: {seen:?}");
    };
    let tag = again.header("if-none-match").expect("a condition");
    assert!(
        again.path == "/universe" && tag.starts_with("W/\""),
        "{again:?}"
    );
    assert_eq!(sandbox.text("cookpack.lock"), lock);
    // What is new is seen, and only that is fetched.
    let tag = tag.to_owned();
    market.publish("windows", "7.1.0", &[]);
    sandbox.ok("update");
    let seen = market.take_seen();
    assert_eq!(seen[0].header("if-none-match"), Some(&*tag));
    let paths: Vec<_> = seen.iter().map(|request| &*request.path).collect();
    assert_eq!(paths, ["/universe", &*download("windows", "7.1.0")]);
    sandbox.ok("update");
    let seen = market.take_seen();
    assert_ne!(
        seen[0].header("if-none-match"),
        Some(&*tag),
        "the tag is the new one's"
    );
}

#[test]
fn a_server_without_tags_is_asked_by_the_time_of_its_universe() {
    const TIME: &str = "Sat, 14 Nov 2026 12:00:00 GMT";
    let market = Supermarket::demo();
    market.trouble("/universe", usize::MAX, |request, answer| {
        match request.header("if-modified-since") {
            Some(TIME) => HttpResponse::new(304, ""),
            Some(other) => HttpResponse::new(400, other),
            None => HttpResponse::new(200, answer.body).with("Last-Modified", TIME),
        }
    });
    let sandbox = demo(&market);
    sandbox.ok("lock");
    let lock = sandbox.text("cookpack.lock");
    market.take_seen();
    sandbox.ok("update");
    let seen = market.take_seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(seen[0].header("if-modified-since"), Some(TIME));
    assert_eq!(sandbox.text("cookpack.lock"), lock);
}

#[test]
fn a_universe_without_downloads_is_asked_version_by_version() {
    let market = Supermarket::demo();
    market.trouble("/universe", usize::MAX, |_, answer| {
        let text = String::from_utf8(answer.body).expect("UTF-8");
        HttpResponse::new(200, text.replace("\"download_url\"", "\"not_an_url\""))
    });
    let sandbox = demo(&market);
    assert!(sandbox.build("").has("poise-service/metadata.json"));
    let asked = market.take_paths();
    for (name, version) in NEEDED {
        let api = format!(
            "/api/v1/cookbooks/{name}/versions/{}",
            version.replace('.', "_")
        );
        for path in [api, download(name, version)] {
            let times = asked.iter().filter(|asked| **asked == path).count();
            assert_eq!(times, 1, "{path}: {asked:?}");
        }
        let url = format!("url = \"{}{}\"\n", market.url(), download(name, version));
        assert!(locked(&sandbox, name).contains(&url), "{name}");
    }
    // A version that the universe names and the API does not know.
    sandbox.forget();
    market.trouble("/versions/1_5_2", usize::MAX, |_, _| {
        HttpResponse::new(404, "{}")
    });
    let run = sandbox.run("build").fails(5);
    run.says(["poise-service 1.5.2", &market.url()]);
    assert!(!sandbox.exists("cookpack.lock"));
}

#[test]
fn leak_redirected_downloads_carry_nothing_to_another_host() {
    let (market, files) = (Supermarket::demo(), Supermarket::demo());
    market.send_downloads_to(&files.other_name());
    let other = Supermarket::start();
    other.publish("apt", "7.0.0", &[]);
    let sandbox = demo(&market);
    let manifest = sandbox.text("cookpack.toml");
    let manifest = manifest.replace("[cookbooks]\n", "[cookbooks]\napt = \"~> 7.0\"\n");
    sandbox.write("cookpack.toml", manifest + &sources(&[&other]));
    let port = market.url();
    let port = port.rsplit_once(':').expect("a port").1;
    let variable = format!("COOKPACK_SUPERMARKET_TOKEN_127_0_0_1_{port}");
    let run = sandbox.run_with("build", &[(&variable, "t0ken")]);
    let run = run.ok().never_says("t0ken").never_says("s3cret");

    let bearer = |request: &HttpRequest| request.header("authorization") == Some("Bearer t0ken");
    let own = market.take_seen();
    assert_eq!(own.len(), 1 + NEEDED.len());
    assert!(own.iter().all(bearer), "its own host is sent it: {own:#?}");
    let sent = files.take_seen();
    assert_eq!(sent.len(), NEEDED.len());
    for request in sent.iter().chain(&other.take_seen()) {
        for (name, value) in &request.headers {
            assert!(!value.contains("t0ken"), "{name}: {value}");
            assert!(
                !["authorization", "cookie", "referer"].contains(&&**name),
                "{name}"
            );
        }
    }
    assert!(
        sent.iter()
            .all(|request| request.query == "signature=s3cret")
    );
    // What is locked is the source's own address, before it leads anywhere.
    let lock = sandbox.text("cookpack.lock");
    for secret in ["s3cret", "t0ken", "localhost"] {
        assert!(!lock.contains(secret), "{lock}");
        assert!(!run.out().contains(secret), "{run}");
    }
}

#[test]
fn leak_a_password_in_an_address_goes_to_its_host_and_nowhere_else() {
    let (market, files) = (Supermarket::demo(), Supermarket::demo());
    market.send_downloads_to(&files.other_name());
    let sandbox = demo(&market);
    let plain = sandbox.text("cookpack.toml");
    sandbox.write(
        "cookpack.toml",
        plain.replace("http://", "http://me:hunter2@"),
    );
    let mut said = String::new();
    for command in [
        "lock",
        "build",
        "update",
        "tree",
        "tree --json",
        "outdated",
        "why poise",
        "build --json",
    ] {
        let run = sandbox.ok(command);
        said += run.out();
        said += &run.stderr;
    }
    let basic =
        |request: &HttpRequest| request.header("authorization") == Some("Basic bWU6aHVudGVyMg==");
    assert!(market.take_seen().iter().all(basic));
    assert!(
        !files
            .take_seen()
            .iter()
            .any(|request| request.header("authorization").is_some())
    );
    market.trouble("/universe", usize::MAX, |_, _| HttpResponse::new(404, ""));
    sandbox.forget_lock();
    said += &sandbox.run("lock").fails(5).stderr;
    assert!(
        !said.contains("hunter2") && !said.contains("bWU6"),
        "{said}"
    );
    sandbox.remove("cookpack.toml");
    let mut found = std::process::Command::new("grep");
    found.args(["-rlE", "hunter2|bWU6"]).arg(sandbox.root());
    assert_eq!(crate::support::finish(&mut found).out(), "");
}

#[test]
fn a_store_that_has_it_is_enough_and_one_that_has_nothing_is_not() {
    let market = Supermarket::demo();
    let sandbox = project(&market, "poise = \"~> 2.4\"\n");
    let run = sandbox.run("build --offline").fails(5);
    run.says([market.url().as_str(), "not in the store", "--offline"]);
    assert!(!sandbox.exists("cookpack.lock"));
    assert_eq!(market.take_paths(), [""; 0]);

    let bytes = sandbox.build_bytes("");
    market.take_seen();
    assert_eq!(sandbox.build_bytes("--offline"), bytes);
    // Without a lockfile nobody knows the digest by which a tarball is kept.
    let lock = sandbox.read("cookpack.lock");
    sandbox.forget_lock();
    let run = sandbox.run("build --offline").fails(5);
    run.says(["poise 2.8.2", "once without `--offline`"]);
    sandbox.write("cookpack.lock", lock);
    forget_store(&sandbox);
    for args in ["--offline", "--frozen"] {
        let run = sandbox.run(&format!("build {args}")).fails(5);
        run.says(["poise 2.8.2", "not in the store"]);
    }
    assert_eq!(market.take_paths(), [""; 0]);
    // What was not fetched is named, not what a store has by chance.
    sandbox.ok("update");
    sandbox.manifest(&format!("poise = \"= 2.7.2\"\n{}", sources(&[&market])));
    sandbox.run("lock --offline").fails(5).says(["poise 2.7.2"]);
}

#[test]
fn a_berksfile_keeps_what_berkshelf_has_locked() {
    let market = Supermarket::demo();
    let sandbox = Sandbox::new();
    sandbox.write(
        "Berksfile",
        format!(
            "source '{}'\ncookbook 'application_javascript', '~> 1.0'\n",
            market.url()
        ),
    );
    let pinned = |name: &str, version: &'static str| match name {
        "application" => "5.0.0",
        "poise" => "2.7.2",
        _ => version,
    };
    let mut lock = "DEPENDENCIES\n  application_javascript (~> 1.0)\n\nGRAPH\n".to_owned();
    for (name, version) in NEEDED {
        let version = pinned(name, version);
        lock += &format!("  {name} ({version})\n");
        let found = DEMO.iter().find(|(n, v, _)| (*n, *v) == (name, version));
        for (name, constraint) in found.expect("a cookbook of the demo").2 {
            lock += &format!("    {name} ({constraint})\n");
        }
    }
    sandbox.write("Berksfile.lock", lock);
    sandbox.ok("build");
    let wanted: Vec<_> = NEEDED
        .iter()
        .map(|(n, v)| format!("{n} {}", pinned(n, v)))
        .collect();
    assert_eq!(versions(&sandbox), wanted);
    // What is locked here counts from then on.
    sandbox.remove("Berksfile.lock");
    sandbox.ok("build");
    assert_eq!(versions(&sandbox), wanted);
    sandbox.ok("update");
    let newest: Vec<_> = NEEDED.iter().map(|(n, v)| format!("{n} {v}")).collect();
    assert_eq!(versions(&sandbox), newest);
}
