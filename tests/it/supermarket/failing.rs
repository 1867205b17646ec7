//! A Supermarket that fails, lies or attacks.

use std::time::Duration;

use super::{download, locked, project, versions};
use crate::support::{
    HttpRequest, HttpResponse, Sandbox, Supermarket, TarBuilder, cookbook_tarball, sha256,
};

/// A source with one cookbook, and a project that wants it.
fn one() -> (Supermarket, Sandbox) {
    let market = Supermarket::start();
    market.publish("apt", "7.0.0", &[]);
    let sandbox = project(&market, "apt = \"~> 7.0\"\n");
    (market, sandbox)
}

fn no_trace(sandbox: &Sandbox) {
    assert!(!sandbox.exists("cookpack.lock") && !sandbox.exists("bundle.tar.gz"));
}

type Change = fn(&HttpRequest, HttpResponse) -> HttpResponse;

/// What passes, and is tried again.
const PASSING: [(&str, Change); 7] = [
    ("500", |_, _| HttpResponse::new(500, "sorry")),
    ("503", |_, _| HttpResponse::new(503, "")),
    ("429", |_, _| {
        HttpResponse::new(429, "").with("Retry-After", "1")
    }),
    ("cut", |_, answer| HttpResponse {
        cut: Some(answer.body.len() / 2),
        ..answer
    }),
    ("cut at its end", |_, answer| HttpResponse {
        cut: Some(answer.body.len() - 1),
        ..answer
    }),
    ("cut in chunks", |_, answer| HttpResponse {
        cut: Some(answer.body.len() / 2),
        chunked: true,
        ..answer
    }),
    ("no answer", |_, answer| HttpResponse {
        cut: Some(0),
        ..answer
    }),
];

#[test]
fn what_fails_once_is_tried_again() {
    let (market, sandbox) = one();
    let bytes = sandbox.build_bytes("");
    for (what, change) in PASSING {
        for path in ["/universe", "/download"] {
            sandbox.forget();
            market.take_seen();
            market.trouble(path, 1, change);
            let started = std::time::Instant::now();
            assert_eq!(sandbox.build_bytes(""), bytes, "{what} {path}");
            let asked = market.take_paths();
            let times = asked.iter().filter(|asked| asked.ends_with(path)).count();
            assert_eq!((times, asked.len()), (2, 3), "{what} {path}: {asked:?}");
            if what == "429" {
                assert!(
                    started.elapsed() >= Duration::from_secs(1),
                    "as long as it asks for"
                );
            }
            market.calm();
        }
    }
}

#[test]
fn what_always_fails_is_told_with_its_address() {
    let (market, sandbox) = one();
    let address = |path: &str| match path {
        "/universe" => format!("{}/universe", market.url()),
        _ => format!("{}{}", market.url(), download("apt", "7.0.0")),
    };
    for (what, change) in [PASSING[0], PASSING[2], PASSING[3], PASSING[5]] {
        for path in ["/universe", "/download"] {
            sandbox.forget();
            market.take_seen();
            market.trouble(path, usize::MAX, change);
            let run = sandbox.run("build").fails(5).says([address(path)]);
            let asked = market.take_paths();
            let times = asked.iter().filter(|asked| asked.ends_with(path)).count();
            assert!((2..10).contains(&times), "{what} {path}: {asked:?} {run}");
            no_trace(&sandbox);
            market.calm();
        }
    }
    // What will not pass is not tried again, nor what would be waited for too long.
    for (status, wait) in [(403, "0"), (404, "0"), (501, "0"), (429, "86400")] {
        market.take_seen();
        market.trouble("/universe", usize::MAX, move |_, _| {
            HttpResponse::new(status, "").with("Retry-After", wait)
        });
        let run = sandbox.run("build").fails(5);
        run.says([address("/universe"), status.to_string()]);
        assert_eq!(market.take_paths(), ["/universe"], "{status}");
        market.calm();
    }
    no_trace(&sandbox);
    sandbox.ok("build");
    // Nobody is there any more.
    let url = market.url();
    drop(market);
    sandbox.forget();
    sandbox.run("build").fails(5).says([url]);
}

#[test]
fn a_slow_answer_is_waited_for() {
    let (market, sandbox) = one();
    for path in ["/universe", "/download"] {
        market.trouble(path, 1, |_, answer| HttpResponse {
            lasts: Duration::from_secs(2),
            ..answer
        });
    }
    assert!(sandbox.build("").has("apt/metadata.json"));
    assert_eq!(
        market.take_paths(),
        ["/universe".to_owned(), download("apt", "7.0.0")]
    );
}

#[test]
fn what_was_replaced_after_it_was_locked_is_refused() {
    let (market, sandbox) = one();
    sandbox.ok("build");
    let (lock, archive) = (sandbox.read("cookpack.lock"), sandbox.read("bundle.tar.gz"));
    let before = sha256(market.tarball("apt", "7.0.0"));
    let other = cookbook_tarball("apt", "7.0.0", &[("evil", ">= 0.0.0")]);
    let after = sha256(&other);
    market.publish_tarball("apt", "7.0.0", &[], other);
    // Who has it already goes on with it.
    sandbox.ok("build --locked");
    std::fs::remove_dir_all(sandbox.store()).expect("the store");
    for command in ["build", "build --locked", "lock", "vendor out"] {
        let run = sandbox.run(command).fails(4);
        run.says([
            before.as_str(),
            after.as_str(),
            "apt 7.0.0",
            &download("apt", "7.0.0"),
        ]);
        assert_eq!(sandbox.read("cookpack.lock"), lock, "{command}");
        assert_eq!(sandbox.read("bundle.tar.gz"), archive, "{command}");
        assert!(!sandbox.exists("out"));
    }
    // What was refused is nowhere.
    let mut found = std::process::Command::new("grep");
    found.args(["-rl", "evil"]).arg(sandbox.store());
    assert_eq!(crate::support::finish(&mut found).out(), "");
}

#[test]
fn an_artifactory_that_answers_with_nothing_has_nothing() {
    let market = Supermarket::artifactory();
    market.publish("apt", "7.0.0", &[]);
    let sandbox = Sandbox::new();
    let source = format!("\n[[sources]]\nartifactory = \"{}\"\n", market.url());
    sandbox.manifest(&format!("apt = \"~> 7.0\"\n{source}"));
    assert!(sandbox.build("").has("apt/metadata.json"));
    assert!(locked(&sandbox, "apt").contains(&format!("source = \"{}\"\n", market.url())));
    for path in ["/universe", "/download"] {
        sandbox.forget();
        market.trouble(path, usize::MAX, |_, _| HttpResponse::new(200, ""));
        sandbox.run("build").fails(5).says([market.url()]);
        no_trace(&sandbox);
        market.calm();
    }
    // The key goes to it, and is shown nowhere.
    market.take_seen();
    let run = sandbox.run_with("build", &[("ARTIFACTORY_API_KEY", "k3y")]);
    run.ok().never_says("k3y");
    for request in market.take_seen() {
        assert_eq!(
            request.header("x-jfrog-art-api"),
            Some("k3y"),
            "{request:?}"
        );
    }
    assert!(!sandbox.text("cookpack.lock").contains("k3y"));
}

#[test]
fn hostile_tarballs_are_refused_and_nothing_is_written_elsewhere() {
    let plain = || {
        let metadata = "{\"name\": \"apt\", \"version\": \"7.0.0\"}";
        TarBuilder::default().file("apt/metadata.json", metadata)
    };
    let outside = "/tmp/cookpack-it-hostile";
    let hostile = [
        ("leads upwards", plain().file("../x", "pwned")),
        ("leads upwards", plain().file("apt/../../../x", "pwned")),
        ("is absolute", plain().file(outside, "pwned")),
        (
            "leads out of the tarball",
            plain().symlink("apt/files/x", "../../../x"),
        ),
        (
            "leads out of the tarball",
            plain().symlink("apt/files/x", "/etc/passwd"),
        ),
        (
            "leads out of the tarball",
            plain().hard_link("apt/files/x", "../x"),
        ),
        (
            "goes through the link",
            plain()
                .folder("apt/files/")
                .symlink("apt/link", "files")
                .file("apt/link/x", "pwned"),
        ),
        (
            "is in it twice",
            plain().file("apt/x", "one").file("apt/x", "two"),
        ),
        (
            "differ by case alone",
            plain().file("apt/x", "one").file("apt/X", "two"),
        ),
        ("is a device", plain().of_type(b'3', "apt/x", "")),
        ("is a named pipe", plain().of_type(b'6', "apt/x", "")),
    ];
    for (says, tar) in hostile {
        let market = Supermarket::start();
        market.publish_tarball("apt", "7.0.0", &[], tar.gzip());
        let sandbox = project(&market, "apt = \"~> 7.0\"\n");
        let before = listing(&sandbox);
        let run = sandbox.run("build").fails(1);
        run.says([says, "apt 7.0.0", &download("apt", "7.0.0")]);
        assert_eq!(listing(&sandbox), before, "{says}");
        assert!(!std::path::Path::new(outside).exists(), "{says}");
        let mut found = std::process::Command::new("grep");
        found.args(["-rl", "pwned"]).arg(sandbox.root());
        assert_eq!(crate::support::finish(&mut found).out(), "", "{says}");
        let objects = sandbox.store().join("cookbooks-1");
        let kept = std::fs::read_dir(&objects).into_iter().flatten().count();
        assert_eq!(kept, 0, "{says}: it is not kept");
    }
}

/// Every path of the sandbox but those of its store.
fn listing(sandbox: &Sandbox) -> Vec<String> {
    let mut find = std::process::Command::new("find");
    find.arg(sandbox.root())
        .args(["-path", "*/store", "-prune", "-o", "-print"]);
    let run = crate::support::finish(&mut find).ok();
    let mut lines: Vec<_> = run.lines().into_iter().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn a_cookbook_that_is_not_what_its_source_says_is_refused() {
    let (market, sandbox) = one();
    for (name, version) in [("apt", "7.0.1"), ("ark", "7.0.0")] {
        sandbox.forget();
        market.publish_tarball("apt", "7.0.0", &[], cookbook_tarball(name, version, &[]));
        let run = sandbox.run("build").fails(4);
        run.says([format!("{name} {version}"), market.url()]);
        no_trace(&sandbox);
    }
}

#[test]
fn what_a_cookbook_says_itself_counts_whatever_its_universe_says() {
    let (market, sandbox) = one();
    let needy = cookbook_tarball("apt", "7.0.0", &[("ark", "~> 1.0")]);
    market.publish_tarball("apt", "7.0.0", &[], needy);
    sandbox.run("build").fails(1).says(["`ark`", "`apt` 7.0.0"]);
    no_trace(&sandbox);
    let needy = cookbook_tarball("ark", "1.2.0", &[("bin", ">= 0.5")]);
    market.publish_tarball("ark", "1.2.0", &[("nothing", "> 9.0")], needy.clone());
    market.publish("ark", "2.0.0", &[]);
    market.publish("bin", "0.9.0", &[]);
    // The newest that a universe lets through.
    market.publish_tarball(
        "ark",
        "1.1.0",
        &[],
        cookbook_tarball("ark", "1.1.0", &[("bin", "~> 0.1")]),
    );
    let bytes = sandbox.build_bytes("");
    assert_eq!(versions(&sandbox), ["apt 7.0.0", "ark 1.1.0", "bin 0.9.0"]);
    market.publish_tarball("ark", "1.2.0", &[], needy);
    market.take_seen();
    assert_eq!(sandbox.build_bytes("--locked"), bytes);
    assert_eq!(sandbox.build_bytes("--frozen"), bytes);
    assert_eq!(market.take_paths(), [""; 0]);
    sandbox.ok("update");
    assert_eq!(versions(&sandbox), ["apt 7.0.0", "ark 1.2.0", "bin 0.9.0"]);
}

#[test]
fn names_that_a_universe_makes_up_move_no_cursor_and_name_no_file() {
    for name in ["x\\u001b[2Jx", "../../x", "", "x\\ny"] {
        let (market, sandbox) = one();
        market.publish("apt", "7.0.0", &[(name, "~> 1.0")]);
        market.publish(name, "1.0.0", &[]);
        let before = listing(&sandbox);
        let run = sandbox.run("build").fails(1).says(["apt"]);
        assert!(!run.stderr.contains(['\u{1b}', '\u{7}']), "{run}");
        assert!(!run.stderr.contains("\ny"), "{run}");
        assert_eq!(listing(&sandbox), before, "{name}");
        let asked = market.take_paths();
        assert_eq!(asked, ["/universe"], "{name}");
    }
}

#[test]
fn a_damaged_tarball_in_the_store_is_fetched_again() {
    let (market, sandbox) = one();
    let bytes = sandbox.build_bytes("");
    let digest = sha256(market.tarball("apt", "7.0.0"));
    let kept = sandbox
        .store()
        .join("cookbooks-1")
        .join(&digest[..2])
        .join(&digest);
    for damage in ["", "no tarball"] {
        market.take_seen();
        std::fs::write(&kept, damage).expect("the tarball in the store");
        sandbox.run("build --offline").fails(5).says(["apt 7.0.0"]);
        assert_eq!(sandbox.build_bytes("--locked"), bytes);
        assert_eq!(market.take_paths(), [download("apt", "7.0.0")]);
        assert_eq!(sandbox.build_bytes("--frozen"), bytes);
    }
}
