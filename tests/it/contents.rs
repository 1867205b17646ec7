//! The tree as git has it: bytes and bits of a commit, whatever attributes and configuration say.

use crate::support::{GitServer, Mirror, Sandbox};

#[test]
fn blobs_are_packed_byte_for_byte() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    let repo = server.cookbook("web");
    let files: [(&str, &[u8]); 5] = [
        ("files/dos.txt", b"one\r\ntwo\r\n"),
        ("files/unix.txt", b"one\ntwo\n"),
        ("files/mixed.txt", b"one\r\ntwo\n\rthree\r"),
        ("files/stamp.txt", b"$Format:%H$ $Id$\n"),
        ("files/utf16.txt", b"\xff\xfea\0\n\0"),
    ];
    // Stored as they are: the attributes come later.
    for (path, content) in files {
        repo.write(path, content);
    }
    repo.write("files/ignored.txt", "export-ignore leaves it in\n");
    repo.commit("files");
    repo.write(
        ".gitattributes",
        "* text=auto\n*.txt text eol=crlf\nfiles/stamp.txt export-subst ident\n\
         files/utf16.txt working-tree-encoding=UTF-16\nfiles/unix.txt filter=trap\n\
         files/ignored.txt export-ignore\n",
    );
    repo.git("add .gitattributes");
    repo.git("commit -q -m attributes");
    sandbox.write(
        "../home/.gitconfig",
        "[core]\n\tautocrlf = true\n\teol = crlf\n[filter \"trap\"]\n\tsmudge = sed s/o/0/\n\trequired = true\n",
    );
    for url in ["../srv/web.git".to_owned(), server.url("web.git")] {
        for cli in ["", "1"] {
            sandbox.forget();
            let source = format!("git = \"{url}\"");
            let archive = sandbox.pack_with(&source, &[("COOKPACK_GIT_CLI", cli)]);
            for (path, content) in files {
                let found = &archive.member(&format!("web/{path}")).data;
                assert_eq!(found, content, "{url} {path}");
            }
            assert!(archive.has("web/files/ignored.txt"));
        }
    }
}

#[test]
fn the_executable_bit_is_the_trees() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    let repo = server.cookbook("web");
    repo.executable("files/run", "#!/bin/sh\n");
    repo.write("files/plain", "x");
    repo.write("files/by-index", "#!/bin/sh\n");
    repo.git("add -A");
    repo.git("update-index --chmod=+x files/by-index");
    repo.git("commit -q -m bits");
    for url in ["../srv/web.git".to_owned(), server.url("web.git")] {
        let archive = sandbox.pack(&format!("git = \"{url}\""));
        assert_eq!(archive.member("web/files/run").mode(), 0o755, "{url}");
        assert_eq!(archive.member("web/files/by-index").mode(), 0o755, "{url}");
        assert_eq!(archive.member("web/files/plain").mode(), 0o644, "{url}");
    }
}

#[test]
fn symbolic_links_are_followed_within_the_commit() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    let repo = server.cookbook("web");
    repo.write("files/target", "aimed at\n");
    repo.symlink("target", "files/link");
    repo.commit("links");
    let archive = sandbox.pack(&format!("git = \"{}\"", server.url("web.git")));
    assert_eq!(archive.text("web/files/link"), "aimed at\n");
}

#[test]
fn a_mirror_has_no_checkout_and_runs_no_hook() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    server.cookbook("web");
    // A template folder would put hooks into each new repository.
    let trap = sandbox.root().join("trapped");
    let script = format!("#!/bin/sh\ntouch '{}'\n", trap.display());
    for hook in [
        "post-checkout",
        "reference-transaction",
        "post-merge",
        "fsmonitor",
    ] {
        sandbox.write(format!("../template/hooks/{hook}"), &script);
        sandbox.chmod(format!("../template/hooks/{hook}"), 0o755);
    }
    let template = sandbox.root().join("template").display().to_string();
    sandbox.write(
        "../home/.gitconfig",
        format!("[init]\n\ttemplateDir = {template}\n[core]\n\thooksPath = {template}/hooks\n\tfsmonitor = {template}/hooks/fsmonitor\n"),
    );
    for cli in ["", "1"] {
        sandbox.forget();
        let source = format!("git = \"{}\"", server.url("web.git"));
        let variables = [("COOKPACK_GIT_CLI", cli), ("GIT_TEMPLATE_DIR", &*template)];
        sandbox.pack_with(&source, &variables);
        assert!(!trap.exists(), "COOKPACK_GIT_CLI={cli}");
        let mirror = Mirror::of(&sandbox, "web");
        assert!(!mirror.folder.join("metadata.rb").exists());
        assert!(!mirror.folder.join(".git").exists());
    }
}
