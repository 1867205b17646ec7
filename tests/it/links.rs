//! Symbolic links: followed inside the cookbook, refused out of it.

use crate::support::{Sandbox, finish};

/// The same links in a path and in a git source.
fn both(links: &[(&str, &str)], check: impl Fn(&Sandbox, &str)) {
    for source in [
        "path = \"web\"",
        "git = \"web\"",
        "git = \"mono\", rel = \"cookbooks/web\"",
    ] {
        let sandbox = Sandbox::new();
        let folder = match source.contains("mono") {
            true => "mono/cookbooks/web",
            false => "web",
        };
        sandbox.cookbook(folder, "web", "");
        sandbox.write(format!("{folder}/files/real"), "real\n");
        sandbox.write(format!("{folder}/files/run.sh"), "#!/bin/sh\n");
        sandbox.chmod(format!("{folder}/files/run.sh"), 0o755);
        sandbox.write(format!("{folder}/files/dir/one"), "1");
        sandbox.write(format!("{folder}/files/dir/sub/two"), "2");
        sandbox.write("mono/secret", "secret");
        for (at, target) in links {
            sandbox.symlink(target, format!("{folder}/{at}"));
        }
        let repo = sandbox.repo(folder.split('/').next().expect("a folder"));
        repo.commit("x");
        sandbox.manifest(&format!("web = {{ {source} }}\n"));
        check(&sandbox, source);
    }
}

#[test]
fn a_link_to_a_file_is_that_file() {
    let links = [
        ("files/link", "real"),
        ("link", "files/real"),
        ("files/dir/up", "../real"),
        ("files/round", "../files/dir/../real"),
        ("files/start", "run.sh"),
        ("files/chain1", "chain2"),
        ("files/chain2", "dir/up"),
        ("files/dotted", "./real"),
    ];
    both(&links, |sandbox, source| {
        let archive = sandbox.build("");
        for (path, _) in links {
            let member = archive.member(&format!("web/{path}"));
            let (data, mode): (&[u8], _) = match path {
                "files/start" => (b"#!/bin/sh\n", 0o755),
                _ => (b"real\n", 0o644),
            };
            assert_eq!(
                (&*member.data, member.mode()),
                (data, mode),
                "{path} of {source}"
            );
        }
    });
}

#[test]
fn a_link_to_a_folder_is_that_folder() {
    let links = [("files/copy", "dir"), ("through", "files/copy/sub/two")];
    both(&links, |sandbox, source| {
        let archive = sandbox.build("");
        for (path, data) in [
            ("files/copy/one", "1"),
            ("files/copy/sub/two", "2"),
            ("files/dir/one", "1"),
            ("through", "2"),
        ] {
            assert_eq!(
                archive.text(&format!("web/{path}")),
                data,
                "{path} of {source}"
            );
        }
    });
}

#[test]
fn a_link_that_leads_out_is_refused_by_name() {
    for target in [
        "/etc/passwd",
        "../../secret",
        "../../../mono/secret",
        "..",
        "/",
        "../..",
    ] {
        both(&[("files/bad", target)], |sandbox, _| {
            let run = sandbox.run("build").fails(1);
            run.says(["files/bad", "link"]);
            assert!(!sandbox.exists("bundle.tar.gz"));
        });
    }
    // Through another link, too: each step counts, not the sum.
    both(
        &[("out", "../.."), ("files/bad", "../out")],
        |sandbox, _| {
            sandbox.run("build").fails(1).says(["out", "link"]);
        },
    );
}

#[test]
fn a_link_to_nothing_is_refused_by_name() {
    both(&[("files/dangling", "no/such/file")], |sandbox, _| {
        sandbox
            .run("build")
            .fails(1)
            .says(["files/dangling", "no/such/file"]);
    });
    both(&[("files/dangling", "real/below-a-file")], |sandbox, _| {
        sandbox.run("build").fails(1).says(["files/dangling"]);
    });
}

#[test]
fn links_that_lead_in_a_circle_are_refused_and_end() {
    for links in [
        &[("files/a", "a")] as &[_],
        &[("files/a", "b"), ("files/b", "a")],
        &[("files/dir/loop", ".")],
        &[("files/dir/loop", "..")],
        &[("files/x/in-y", "../y"), ("files/y/in-x", "../x")],
    ] {
        both(links, |sandbox, _| {
            let mut command = sandbox.command(["build"]);
            finish(&mut command).fails(1).says(["link"]);
        });
    }
}

#[test]
fn many_links_to_folders_cannot_make_an_archive_of_any_size() {
    // Each folder holds two links to the next one: 2^40 files, were they all followed.
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "");
    for i in 0..40 {
        sandbox.symlink(&format!("../l{}", i + 1), format!("web/files/l{i}/a"));
        sandbox.symlink(&format!("../l{}", i + 1), format!("web/files/l{i}/b"));
    }
    sandbox.write("web/files/l40/x", "x");
    sandbox.manifest("web = { path = \"web\" }\n");
    let script = "ulimit -v 8000000; timeout 120 \"$cookpack\" build -q";
    let run = sandbox.shell(script);
    assert!(matches!(run.code, Some(1)), "refused, not killed: {run}");
    assert!(!sandbox.exists("bundle.tar.gz"));
}

#[test]
fn a_link_that_chefignore_leaves_out_is_not_looked_at() {
    let links = [("files/bad", "/etc/passwd"), ("chefignore-me", "nowhere")];
    for source in ["path = \"web\"", "git = \"web\""] {
        let sandbox = Sandbox::new();
        sandbox.cookbook("web", "web", "");
        sandbox.write("web/chefignore", "files/bad\nchefignore-me\n");
        for (at, target) in links {
            sandbox.symlink(target, format!("web/{at}"));
        }
        sandbox.repo("web").commit("x");
        sandbox.manifest(&format!("web = {{ {source} }}\n"));
        assert_eq!(sandbox.build("").members.len(), 4, "{source}");
    }
}

#[test]
fn a_link_does_not_bring_in_what_is_left_out_for_good() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "");
    let repo = sandbox.repo("web");
    repo.git("config core.secret hunter2");
    sandbox.symlink("../.git/config", "web/files/config");
    sandbox.manifest("web = { path = \"web\" }\n");
    let run = sandbox.run("build -o ../x.tar.gz");
    if run.code == Some(0) {
        let bytes = std::fs::read(sandbox.root().join("x.tar.gz")).expect("the archive");
        let archive = crate::support::Tarball::read(&bytes);
        let leaked = archive
            .members
            .iter()
            .any(|m| m.data.windows(7).any(|w| w == b"hunter2"));
        assert!(
            !leaked,
            "git's own configuration was packed: {:?}",
            archive.paths()
        );
    } else {
        run.fails(1).says(["files/config"]);
    }
}

#[test]
fn the_cookbooks_own_folder_may_be_reached_by_a_link() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("real/web", "web", "");
    sandbox.symlink("real/web", "web");
    sandbox.manifest("web = { path = \"web\" }\n");
    assert!(sandbox.build("").has("web/recipes/default.rb"));
}
