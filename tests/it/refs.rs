//! Which commit a reference means: the same over every carrier and in both versions of the protocol.

use crate::support::{GitServer, Mirror, Repo, Sandbox, finish};

/// A repository and the ways to it.
struct Served {
    sandbox: Sandbox,
    server: GitServer,
    repo: Repo,
}

/// How a repository is reached.
const WAYS: [Way; 4] = [Way::Path, Way::File, Way::Two, Way::Zero];

#[derive(Clone, Copy, Debug)]
enum Way {
    Path,
    File,
    /// http with version 2 of the protocol.
    Two,
    Zero,
}

impl Served {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let server = GitServer::start(&sandbox);
        let repo = server.repo("web.git");
        Self {
            sandbox,
            server,
            repo,
        }
    }

    fn url(&self, way: Way) -> String {
        self.server.behave(|b| b.only_v0 = matches!(way, Way::Zero));
        match way {
            Way::Path => "../srv/web.git".to_owned(),
            Way::File => format!("file://{}", self.repo.folder().display()),
            Way::Two | Way::Zero => self.server.url("web.git"),
        }
    }

    /// Has each option lead to a version, by every way, from an empty store.
    fn leads<S: AsRef<str>>(&self, options: &[(S, &str)]) {
        for way in WAYS {
            let url = self.url(way);
            for (option, version) in options {
                let option = option.as_ref();
                let option = match option.is_empty() {
                    true => String::new(),
                    false => format!(", {option}"),
                };
                self.sandbox.forget();
                let source = format!("git = \"{url}\"{option}");
                let found = self.sandbox.version(&source);
                assert_eq!(found, *version, "{way:?} {option}");
                let lock = self.sandbox.text("cookpack.lock");
                let mut pins = lock.lines().filter_map(|l| l.strip_prefix("commit = \""));
                let pin = pins.find(|pin| pin.len() == 41);
                assert!(pin.is_some(), "a whole commit is pinned: {lock}");
            }
        }
    }

    /// Has an option be refused with one of the exit codes, by every way.
    fn refuses(&self, option: &str, codes: &[i32], says: &[&str]) {
        for way in WAYS {
            let url = self.url(way);
            self.sandbox.forget();
            self.sandbox
                .manifest(&format!("web = {{ git = \"{url}\"{option} }}\n"));
            let run = self.sandbox.run("build").says(says.iter().copied());
            assert!(
                run.code.is_some_and(|c| codes.contains(&c)),
                "{way:?}: {run}"
            );
            assert!(!self.sandbox.exists("cookpack.lock"));
        }
    }
}

#[test]
fn every_kind_of_reference_leads_to_its_commit() {
    let served = Served::new();
    let repo = &served.repo;
    let first = repo.cookbook(".", "web", "1.0.0").commit("1");
    repo.git("tag light");
    repo.git_args(&["tag", "-a", "-m", "x", "heavy"]);
    repo.git_args(&["tag", "-a", "-m", "x", "heavier", "heavy"]);
    repo.cookbook(".", "web", "2.0.0").commit("2");
    repo.git("checkout -q -b feature/x");
    repo.cookbook(".", "web", "3.0.0").commit("3");
    repo.git("checkout -q --detach");
    repo.cookbook(".", "web", "4.0.0").commit("4");
    repo.git("update-ref refs/pull/1/head HEAD");
    repo.git("checkout -q main");
    served.leads(&[
        (String::new(), "2.0.0"),
        ("branch = \"main\"".to_owned(), "2.0.0"),
        ("branch = \"feature/x\"".to_owned(), "3.0.0"),
        ("tag = \"light\"".to_owned(), "1.0.0"),
        ("tag = \"heavy\"".to_owned(), "1.0.0"),
        ("tag = \"heavier\"".to_owned(), "1.0.0"),
        (format!("commit = \"{first}\""), "1.0.0"),
        (format!("commit = \"{}\"", &first[..9]), "1.0.0"),
        ("ref = \"refs/pull/1/head\"".to_owned(), "4.0.0"),
        ("ref = \"refs/heads/feature/x\"".to_owned(), "3.0.0"),
        ("ref = \"refs/tags/heavy\"".to_owned(), "1.0.0"),
        ("ref = \"feature/x\"".to_owned(), "3.0.0"),
        ("ref = \"heavy\"".to_owned(), "1.0.0"),
        (format!("ref = \"{first}\""), "1.0.0"),
        (format!("ref = \"{}\"", &first[..9]), "1.0.0"),
    ]);
    for (option, says) in [
        (", branch = \"heavy\"", "heavy"),
        (", tag = \"main\"", "main"),
        (", tag = \"hevy\"", "heavy"),
        (", ref = \"refs/pull/2/head\"", "refs/pull/2/head"),
        (", ref = \"absent\"", "absent"),
        (", commit = \"deadbeef\"", "deadbeef"),
    ] {
        served.refuses(option, &[1], &[says, "web.git"]);
    }
}

#[test]
fn the_default_branch_is_what_the_remote_says() {
    let served = Served::new();
    let repo = &served.repo;
    repo.cookbook(".", "web", "1.0.0").commit("1");
    repo.git("branch master");
    repo.git("checkout -q -b trunk");
    repo.cookbook(".", "web", "2.0.0").commit("2");
    served.leads(&[("", "2.0.0")]);
    // A repository that is at no branch has a default all the same.
    repo.git("checkout -q --detach");
    repo.cookbook(".", "web", "3.0.0").commit("3");
    served.leads(&[("", "3.0.0"), ("branch = \"trunk\"", "2.0.0")]);
    // One whose branch has no commit has none, and never becomes `master` or `main`.
    repo.git("symbolic-ref HEAD refs/heads/unborn");
    served.refuses("", &[1], &["web.git", "default branch"]);
    served.leads(&[("branch = \"main\"", "1.0.0")]);
}

#[test]
fn an_empty_repository_has_nothing_to_give() {
    let served = Served::new();
    served.refuses("", &[1, 5], &["web.git"]);
    served.refuses(", branch = \"main\"", &[1, 5], &["web.git", "main"]);
}

#[test]
fn a_name_of_a_branch_and_of_a_tag_is_asked_back() {
    let served = Served::new();
    let repo = &served.repo;
    repo.cookbook(".", "web", "1.0.0").commit("1");
    repo.git("tag release");
    repo.cookbook(".", "web", "2.0.0").commit("2");
    repo.git("branch release");
    served.leads(&[
        ("branch = \"release\"", "2.0.0"),
        ("tag = \"release\"", "1.0.0"),
        ("ref = \"refs/heads/release\"", "2.0.0"),
        ("ref = \"refs/tags/release\"", "1.0.0"),
    ]);
    let says = ["release", "branch = \"release\"", "tag = \"release\""];
    served.refuses(", ref = \"release\"", &[1], &says);
}

#[test]
fn a_commit_that_no_branch_reaches_is_had_by_its_id() {
    let served = Served::new();
    let repo = &served.repo;
    repo.cookbook(".", "web", "1.0.0").commit("1");
    repo.git("checkout -q --detach");
    let lost = repo.cookbook(".", "web", "2.0.0").commit("2");
    repo.git("checkout -q main");
    let source = |way: Way, id: &str| format!("git = \"{}\", commit = \"{id}\"", served.url(way));
    let sandbox = &served.sandbox;
    for way in [Way::Path, Way::File, Way::Two] {
        sandbox.forget();
        assert_eq!(sandbox.version(&source(way, &lost)), "2.0.0", "{way:?}");
    }
    // Some digits count only commits that a reference reaches.
    let option = format!(", commit = \"{}\"", &lost[..10]);
    served.refuses(&option, &[1], &["web.git", &lost[..10]]);
    // The old protocol gives it only where the repository allows that.
    sandbox.forget();
    sandbox.manifest(&format!("web = {{ {} }}\n", source(Way::Zero, &lost)));
    let run = sandbox.run("build").says(["web.git", &lost]);
    assert!(matches!(run.code, Some(1 | 5)), "{run}");
    repo.git("config uploadpack.allowAnySHA1InWant true");
    assert_eq!(sandbox.version(&source(Way::Zero, &lost)), "2.0.0");
    // What is nowhere is nowhere.
    let nowhere = "0123456789012345678901234567890123456789";
    let option = format!(", commit = \"{nowhere}\"");
    served.refuses(&option, &[1, 5], &["web.git", nowhere]);
}

#[test]
fn unusual_names_are_names() {
    let served = Served::new();
    let repo = &served.repo;
    repo.cookbook(".", "web", "1.0.0").commit("1");
    let names = [
        "größe/✓",
        "it's",
        "$(touch pwned)",
        "a;touch${IFS}pwned",
        "1.0+build%20x",
        "a|b&c",
        "rel@{x",
        "-dash",
        "#1",
        "v1,2=3",
    ];
    let names = names.map(|name| name.replace(' ', "_").replace("@{", "@"));
    for name in &names {
        repo.git_args(&["update-ref", &format!("refs/heads/{name}"), "HEAD"]);
        repo.git_args(&["update-ref", &format!("refs/tags/{name}"), "HEAD"]);
    }
    repo.cookbook(".", "web", "2.0.0").commit("2");
    let mut options = Vec::new();
    for name in &names {
        // What git itself would read as an option may be refused, but not the rest.
        if !name.starts_with('-') {
            options.push((format!("branch = \"{name}\""), "1.0.0"));
            options.push((format!("tag = \"{name}\""), "1.0.0"));
        }
        options.push((format!("ref = \"refs/tags/{name}\""), "1.0.0"));
    }
    served.leads(&options);
    assert!(!served.sandbox.exists("pwned"));
}

#[test]
fn a_tag_that_moved_is_found_out_over_http_too() {
    for way in [Way::Two, Way::Zero] {
        let served = Served::new();
        let sandbox = &served.sandbox;
        served.repo.cookbook(".", "web", "1.0.0").commit("1");
        served.repo.git("tag v1");
        let url = served.url(way);
        sandbox.version(&format!("git = \"{url}\", tag = \"v1\""));
        served.repo.cookbook(".", "web", "2.0.0").commit("2");
        served.repo.git("tag -f v1");
        // What is locked and stored stays.
        sandbox.ok("build --locked");
        std::fs::remove_dir_all(sandbox.store()).expect("the store");
        sandbox.run("build").fails(4).says(["v1", "web.git"]);
    }
}

#[test]
fn a_repository_with_ids_of_sha256_is_refused_by_that_name() {
    let served = Served::new();
    std::fs::remove_dir_all(served.repo.folder()).expect("the repository");
    let mut command = std::process::Command::new("git");
    command.args(["init", "-q", "-b", "main", "--object-format=sha256"]);
    finish(command.arg(served.repo.folder())).ok();
    let commit = served.repo.cookbook(".", "web", "1.0.0").commit("1");
    assert_eq!(commit.len(), 64);
    for way in WAYS {
        let url = served.url(way);
        for option in ["", ", branch = \"main\""] {
            let cookbooks = format!("web = {{ git = \"{url}\"{option} }}\n");
            served.sandbox.forget();
            served.sandbox.manifest(&cookbooks);
            let run = served.sandbox.run("build").says(["web.git"]);
            assert!(matches!(run.code, Some(1 | 5)), "{way:?}: {run}");
            let said = run.stderr.to_lowercase().replace('-', "");
            assert!(said.contains("sha256"), "{way:?}: {run}");
        }
    }
}

#[test]
fn what_is_asked_for_is_all_that_a_lock_needs() {
    let served = Served::new();
    served.repo.cookbook(".", "web", "1.0.0").commit("1");
    let url = served.url(Way::Two);
    served
        .sandbox
        .version(&format!("git = \"{url}\", branch = \"main\""));
    let lock = served.sandbox.text("cookpack.lock");
    served.repo.cookbook(".", "web", "2.0.0").commit("2");
    served.sandbox.ok("build");
    assert_eq!(served.sandbox.text("cookpack.lock"), lock, "a lock holds");
    served.sandbox.ok("update");
    assert!(served.sandbox.text("cookpack.lock").contains("2.0.0"));
    assert_eq!(Mirror::all(&served.sandbox).len(), 1);
}
