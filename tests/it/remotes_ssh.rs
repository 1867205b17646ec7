//! Remotes through ssh: the user's own program and configuration, and hosts that are not what they were.

use crate::support::{Sandbox, Sshd, have_ssh, nowhere};

/// A server, and a repository that it gives.
fn served() -> Option<(Sandbox, Sshd)> {
    if !have_ssh() {
        return None;
    }
    let sandbox = Sandbox::new();
    let repo = sandbox.repo("../srv/web.git");
    repo.cookbook(".", "web", "1.0.0").commit("one");
    let sshd = Sshd::start(&sandbox);
    Some((sandbox, sshd))
}

fn url(sandbox: &Sandbox, sshd: &Sshd) -> String {
    sshd.url(&sandbox.root().join("srv/web.git"))
}

#[test]
fn the_ssh_program_is_chosen_as_git_chooses_it() {
    let Some((sandbox, sshd)) = served() else {
        return;
    };
    let source = format!("git = \"{}\"", url(&sandbox, &sshd));
    let client = sshd.client();
    let usual = std::env::var("PATH").expect("PATH");
    let script = |name: &str| {
        let log = sandbox.root().join(name);
        let text = format!(
            "#!/bin/sh\necho \"$@\" >> '{}'\nPATH='{usual}'\nexport PATH\nexec {client} \"$@\"\n",
            log.display()
        );
        let path = format!("../{name}-program");
        sandbox.write(&path, text);
        sandbox.chmod(&path, 0o755);
        let path = sandbox.root().join(format!("{name}-program"));
        path.display().to_string()
    };
    let asked = |name: &str| sandbox.exists(format!("../{name}"));
    let (first, second, third) = (script("first"), script("second"), script("third"));
    let config = format!("[core]\n\tsshCommand = {third}\n");
    sandbox.pack_with(&source, &[("GIT_SSH", &first), ("GIT_SSH_VARIANT", "ssh")]);
    assert!(asked("first"));
    sandbox.remove("../first");
    // The configuration wins over GIT_SSH, and GIT_SSH_COMMAND over both.
    sandbox.forget();
    sandbox.write("../home/.gitconfig", config);
    let variables = [("GIT_SSH", &*first), ("GIT_SSH_VARIANT", "ssh")];
    sandbox.pack_with(&source, &variables);
    assert!(asked("third") && !asked("first"));
    sandbox.remove("../third");
    sandbox.forget();
    let variables = [("GIT_SSH", &*first), ("GIT_SSH_COMMAND", &*second)];
    sandbox.pack_with(&source, &variables);
    assert!(asked("second") && !asked("first") && !asked("third"));
    let options = sandbox.text("../second");
    assert!(options.contains("BatchMode=yes"), "{options}");
    // One of that name in the PATH.
    sandbox.remove("../home/.gitconfig");
    sandbox.forget();
    sandbox.write("../bin/ssh", sandbox.text("../first-program"));
    sandbox.chmod("../bin/ssh", 0o755);
    let path = format!("{}:{usual}", sandbox.root().join("bin").display());
    sandbox.pack_with(&source, &[("PATH", &path)]);
    assert!(asked("first"));
}

#[test]
fn the_protocols_version_2_is_asked_for() {
    let Some((sandbox, sshd)) = served() else {
        return;
    };
    let source = format!("git = \"{}\"", url(&sandbox, &sshd));
    let client = sshd.client();
    sandbox.pack_with(&source, &[("GIT_SSH_COMMAND", &client)]);
    let sessions = sshd.sessions();
    assert!(!sessions.is_empty());
    for session in sessions {
        assert!(
            session.starts_with("version=2|git-upload-pack "),
            "{session}"
        );
    }
}

#[test]
fn a_host_that_nobody_knows_is_not_trusted() {
    let Some((sandbox, sshd)) = served() else {
        return;
    };
    let url = url(&sandbox, &sshd);
    sandbox.manifest(&format!("web = {{ git = \"{url}\" }}\n"));
    sshd.write_client("unknown", "nobody", "user_key");
    for cli in ["", "1"] {
        let client = sshd.client_of("unknown");
        let variables = [("GIT_SSH_COMMAND", &*client), ("COOKPACK_GIT_CLI", cli)];
        let run = sandbox.run_with("build", &variables).fails(5);
        run.says(["127.0.0.1", "ssh-keyscan"]);
        assert!(!sandbox.exists("../ssh/nobody"), "nothing was trusted");
        assert!(sshd.sessions().is_empty());
    }
}

#[test]
fn a_host_whose_key_changed_is_told_apart() {
    let Some((sandbox, sshd)) = served() else {
        return;
    };
    let url = url(&sandbox, &sshd);
    sandbox.manifest(&format!("web = {{ git = \"{url}\" }}\n"));
    sshd.trust("changed_hosts", "other_key");
    sshd.write_client("changed", "changed_hosts", "user_key");
    for cli in ["", "1"] {
        let client = sshd.client_of("changed");
        let variables = [("GIT_SSH_COMMAND", &*client), ("COOKPACK_GIT_CLI", cli)];
        let run = sandbox.run_with("build", &variables).fails(5);
        run.says(["127.0.0.1", "changed", "ssh-keygen -R"]);
        assert!(sshd.sessions().is_empty());
    }
}

#[test]
fn a_key_that_the_host_does_not_know_is_refused() {
    let Some((sandbox, sshd)) = served() else {
        return;
    };
    let url = url(&sandbox, &sshd);
    sandbox.manifest(&format!("web = {{ git = \"{url}\" }}\n"));
    sshd.write_client("stranger", "known_hosts", "other_key");
    let client = sshd.client_of("stranger");
    let run = sandbox.run_with("build", &[("GIT_SSH_COMMAND", &client)]);
    run.fails(5).says(["127.0.0.1", "Permission denied", "key"]);
    // A host that is not there, and a program that is not.
    let absent = format!("web = {{ git = \"ssh://git@127.0.0.1:{}/x.git\" }}\n", 1);
    sandbox.manifest(&absent);
    let client = sshd.client();
    let run = sandbox.run_with("build", &[("GIT_SSH_COMMAND", &client)]);
    run.fails(5).says(["127.0.0.1"]);
    let run = sandbox.run_with("build", &[("GIT_SSH_COMMAND", "/nowhere/ssh")]);
    run.fails(5).says(["127.0.0.1"]);
    // A repository that is not there.
    sandbox.manifest(&format!("web = {{ git = \"{url}-absent\" }}\n"));
    let run = sandbox.run_with("build", &[("GIT_SSH_COMMAND", &client)]);
    run.fails(5).says([format!("{url}-absent")]);
}

#[test]
fn a_host_is_never_an_option_of_ssh() {
    let Some((sandbox, sshd)) = served() else {
        return;
    };
    let trap = sandbox.root().join("trapped");
    let touch = format!("touch${{IFS}}{}", trap.display());
    let client = sshd.client();
    for url in [
        format!("ssh://-oProxyCommand={touch}/x"),
        format!("ssh://git@-oProxyCommand={touch}/x"),
        format!("ssh://-oProxyCommand={touch}@127.0.0.1/x"),
        format!("-oProxyCommand={touch}:x"),
        format!("git@-oProxyCommand={touch}:x"),
        format!("[-oProxyCommand={touch}]:x"),
        "ssh://git@127.0.0.1:-oProxyCommand=x/x".to_owned(),
        format!("ssh://git@$({touch})/x"),
        format!("git@$({touch}):x"),
        format!("ssh://git@127.0.0.1:{}/$({touch})", sshd.port()),
        format!("ssh://git@127.0.0.1:{}/';{touch};'", sshd.port()),
        format!("ssh://git@127.0.0.1:{}/-u{touch}", sshd.port()),
        format!("ssh://%2DoProxyCommand={touch}/x"),
        format!("ssh://git@%2DoProxyCommand={touch}/x"),
    ] {
        let toml = url.replace('\\', "\\\\").replace('"', "\\\"");
        sandbox.manifest(&format!("web = {{ git = \"{toml}\" }}\n"));
        for cli in ["", "1"] {
            let variables = [("GIT_SSH_COMMAND", &*client), ("COOKPACK_GIT_CLI", cli)];
            let run = sandbox.run_with("build", &variables);
            assert!(matches!(run.code, Some(1 | 5)), "{url}: {run}");
            assert!(!trap.exists(), "{url}: {run}");
        }
    }
}

#[test]
fn a_path_may_have_any_character() {
    let Some((sandbox, sshd)) = served() else {
        return;
    };
    let client = sshd.client();
    for name in [
        "it's here!",
        "a b  c.git",
        "$(touch pwned)",
        "a;touch pwned;b",
        "größe",
        "back`tick`",
        "per%25cent",
    ] {
        let repo = sandbox.repo(&format!("../srv/{}", name.replace("%25", "%")));
        repo.cookbook(".", "web", "1.0.0").commit("x");
        let url = format!(
            "ssh://{}{}/srv/{name}",
            sshd.authority(),
            sandbox.root().display()
        );
        sandbox.pack_with(&format!("git = \"{url}\""), &[("GIT_SSH_COMMAND", &client)]);
        let plain = name.replace("%25", "%");
        let scp = format!("kitchen:{}/srv/{plain}", sandbox.root().display());
        sandbox.pack_with(&format!("git = \"{scp}\""), &[("GIT_SSH_COMMAND", &client)]);
    }
    assert!(!sandbox.exists("pwned") && !sandbox.exists("../ssh/pwned"));
}

#[test]
fn a_password_in_an_address_of_ssh_is_shown_nowhere() {
    let Some((sandbox, sshd)) = served() else {
        return;
    };
    let secret = "hunter2-for-ssh";
    let address = url(&sandbox, &sshd);
    let user = sshd.user();
    let address = address.replacen(&format!("{user}@"), &format!("{user}:{secret}@"), 1);
    sandbox.manifest(&format!("web = {{ git = \"{address}\" }}\n"));
    for args in ["build -v", "build --json"] {
        let run = sandbox.run_with(args, &[("GIT_SSH_COMMAND", &sshd.client())]);
        nowhere(&sandbox, secret, &["project/cookpack.toml"], &[&run]);
    }
}

#[test]
fn an_interrupt_ends_the_ssh_program_too() {
    let Some((sandbox, sshd)) = served() else {
        return;
    };
    let pid = sandbox.root().join("pid");
    sandbox.write(
        "../hangs",
        format!("#!/bin/sh\necho $$ > '{}'\nexec sleep 600\n", pid.display()),
    );
    sandbox.chmod("../hangs", 0o755);
    sandbox.manifest(&format!("web = {{ git = \"{}\" }}\n", url(&sandbox, &sshd)));
    let script = format!(
        "GIT_SSH_COMMAND='{}' \"$cookpack\" build & pid=$!\n\
         for i in $(seq 200); do [ -s '{1}' ] && break; sleep 0.05; done\n\
         kill -INT $pid\nset +e\nwait $pid\necho \"ended $?\"\n\
         for i in $(seq 100); do kill -0 $(cat '{1}') 2>/dev/null || break; sleep 0.05; done\n\
         kill -0 $(cat '{1}') 2>/dev/null && echo running || echo gone\n\
         kill $(cat '{1}') 2>/dev/null\ntrue\n",
        sandbox.root().join("hangs").display(),
        pid.display()
    );
    // In the background bash ignores an interrupt for its children unless it controls jobs.
    let run = sandbox.shell(&format!("set -m\n{script}")).ok();
    assert!(run.out().contains("ended 130"), "{run}");
    assert!(run.out().contains("gone"), "{run}");
}
