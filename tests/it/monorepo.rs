//! Many cookbooks of one repository: by `rel`, and by `glob`.

use crate::support::{GitServer, Mirror, Purpose, Repo, Sandbox, count};

const COOKBOOKS: usize = 200;

/// A repository with many cookbooks in `cookbooks`, and other things beside them.
fn mono(repo: &Repo) {
    for i in 0..COOKBOOKS {
        repo.cookbook(&format!("cookbooks/dir{i}"), &format!("cb{i}"), "1.0.0");
    }
    repo.cookbook("other/aside", "aside", "1.0.0");
    repo.write("cookbooks/README.md", "x");
    repo.write("cookbooks/notes/README.md", "no cookbook");
    repo.write("roles/web.json", "{}");
    repo.commit("mono");
}

fn names(archive: &crate::support::Tarball) -> Vec<String> {
    let paths = archive.paths().into_iter();
    let mut names: Vec<_> = paths
        .filter_map(|path| path.strip_suffix("/metadata.json"))
        .map(str::to_owned)
        .collect();
    names.sort();
    names
}

fn all() -> Vec<String> {
    let mut names: Vec<_> = (0..COOKBOOKS).map(|i| format!("cb{i}")).collect();
    names.sort();
    names
}

#[test]
fn two_hundred_cookbooks_by_rel_are_one_mirror_and_one_fetch() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    mono(&server.repo("mono.git"));
    let url = server.url("mono.git");
    let manifest: String = (0..COOKBOOKS)
        .map(|i| format!("cb{i} = {{ git = \"{url}\", rel = \"cookbooks/dir{i}\" }}\n"))
        .collect();
    sandbox.manifest(&manifest);
    assert_eq!(names(&sandbox.build("")), all());
    assert_eq!(count(&server.requests(), Purpose::Objects), 1);
    assert_eq!(Mirror::all(&sandbox).len(), 1);
    sandbox.ok("build --frozen");
}

#[test]
fn a_glob_takes_every_cookbook_of_a_folder() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    let repo = server.repo("mono.git");
    mono(&repo);
    for url in [server.url("mono.git"), "../srv/mono.git".to_owned()] {
        sandbox.forget();
        server.requests();
        sandbox.manifest(&format!(
            "all = {{ git = \"{url}\", glob = \"cookbooks/*\", branch = \"main\" }}\n"
        ));
        // The key is a label: each cookbook has its own name.
        assert_eq!(names(&sandbox.build("")), all(), "{url}");
        assert!(count(&server.requests(), Purpose::Objects) <= 1);
        assert_eq!(Mirror::all(&sandbox).len(), 1);
        let lock = sandbox.text("cookpack.lock");
        assert!(lock.contains("rel = \"cookbooks/dir7\""), "{url}");
        assert!(!lock.contains("\"all\""), "{url}");
        sandbox.ok("build --frozen");
    }
    // What comes later comes by `update`.
    repo.cookbook("cookbooks/later", "later", "1.0.0")
        .commit("later");
    let lock = sandbox.text("cookpack.lock");
    sandbox.ok("build --locked");
    assert_eq!(sandbox.text("cookpack.lock"), lock);
    sandbox.ok("update");
    assert_eq!(names(&sandbox.build("")).len(), COOKBOOKS + 1);
}

#[test]
fn an_entry_of_its_own_wins_over_a_glob() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    let repo = server.repo("mono.git");
    mono(&repo);
    repo.git("tag old");
    repo.cookbook("cookbooks/dir3", "cb3", "2.0.0")
        .commit("newer");
    let url = server.url("mono.git");
    sandbox.cookbook("mine", "cb5", "");
    sandbox.manifest(&format!(
        "all = {{ git = \"{url}\", glob = \"cookbooks/*\" }}\n\
         cb3 = {{ git = \"{url}\", rel = \"cookbooks/dir3\", tag = \"old\" }}\n\
         cb5 = {{ path = \"mine\" }}\n"
    ));
    let archive = sandbox.build("");
    assert_eq!(names(&archive), all());
    assert!(archive.text("cb3/metadata.rb").contains("1.0.0"));
    assert!(
        archive
            .text("cb5/recipes/default.rb")
            .contains("log 'from cb5'\n")
    );
}

#[test]
fn globs_that_take_nothing_or_one_name_twice_are_errors() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    let repo = server.repo("mono.git");
    repo.cookbook("a/one", "one", "1.0.0");
    repo.cookbook("b/one", "one", "2.0.0");
    repo.cookbook("b/deep/er", "deeper", "1.0.0");
    repo.commit("x");
    let url = server.url("mono.git");
    let refused = |options: &str, says: &[&str]| {
        sandbox.forget();
        sandbox.manifest(&format!("all = {{ git = \"{url}\", {options} }}\n"));
        sandbox.run("build").fails(1).says(says.iter().copied());
    };
    refused("glob = \"absent/*\"", &["absent/*"]);
    refused("glob = \"*/one\"", &["one", "a/one", "b/one"]);
    refused("glob = \"a/*\", rel = \"a\"", &["glob", "rel"]);
    refused("glob = \"../*\"", &["../*"]);
    refused("glob = \"/etc/*\"", &["/etc/*"]);
    sandbox.forget();
    sandbox.manifest(&format!("all = {{ git = \"{url}\", glob = \"b/*\" }}\n"));
    assert_eq!(names(&sandbox.build("")), ["one"]);
    sandbox.forget();
    sandbox.manifest(&format!(
        "all = {{ git = \"{url}\", glob = \"b/deep/*\" }}\n"
    ));
    assert_eq!(names(&sandbox.build("")), ["deeper"]);
}
