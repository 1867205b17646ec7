//! Remotes over http: forms of address, redirects, servers that fail, proxies and certificates.

use std::time::{Duration, Instant};

use crate::support::{
    Authority, GitServer, Purpose, Sandbox, Sshd, count, finish, have, have_ssh, noise,
};

#[test]
fn every_form_of_address_gives_the_same_bytes() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    let repo = server.cookbook("web");
    repo.executable("files/run", "#!/bin/sh\n").commit("two");
    let folder = sandbox.root().join("srv/web.git");
    let folder = folder.to_str().expect("UTF-8");
    let sshd = have_ssh().then(|| Sshd::start(&sandbox));
    let mut forms = vec![
        "../srv/web.git".to_owned(),
        folder.to_owned(),
        format!("file://{folder}"),
        server.url("web.git"),
        server.url("web.git/"),
        // git adds `.git` where that is the folder's name.
        server.url("web"),
    ];
    let mut client = String::new();
    if let Some(sshd) = &sshd {
        client = sshd.client();
        forms.push(sshd.url(repo.folder()));
        forms.push(format!("kitchen:{folder}"));
        forms.push(format!("{}@kitchen:{folder}", sshd.user()));
    }
    let mut bytes = None;
    for form in forms {
        let source = format!("git = \"{form}\"");
        let archive = sandbox.pack_with(&source, &[("GIT_SSH_COMMAND", &*client)]);
        assert!(archive.has("web/files/run"), "{form}");
        let found = sandbox.read("../packed.tar.gz");
        assert!(
            *bytes.get_or_insert_with(|| found.clone()) == found,
            "{form}"
        );
        let lock = sandbox.text("cookpack.lock");
        assert!(lock.contains(&format!("git = \"{form}\"")), "{lock}");
    }
}

#[test]
fn addresses_are_rewritten_as_git_is_told_to() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    server.cookbook("web");
    server
        .repo("deep/web.git")
        .cookbook(".", "web", "2.0.0")
        .commit("x");
    let base = server.url("");
    let asked = "https://git.example.invalid/ops/web.git";
    let config = format!(
        "[url \"{base}\"]\n\tinsteadOf = https://git.example.invalid/ops/\n\
         [url \"{base}wrong/\"]\n\tinsteadOf = https://git.example.invalid/\n"
    );
    // The longest one that fits wins, wherever it stands.
    sandbox.write("../home/.gitconfig", &config);
    let archive = sandbox.pack(&format!("git = \"{asked}\""));
    assert!(archive.text("web/metadata.rb").contains("1.0.0"));
    let lock = sandbox.text("cookpack.lock");
    assert!(lock.contains(asked), "as it was written: {lock}");
    assert!(!lock.contains("127.0.0.1"), "{lock}");
    sandbox.remove("../home/.gitconfig");
    sandbox.write("../elsewhere", &config);
    let elsewhere = sandbox.root().join("elsewhere");
    let global = [("GIT_CONFIG_GLOBAL", elsewhere.to_str().expect("UTF-8"))];
    sandbox.forget();
    sandbox.pack_with(&format!("git = \"{asked}\""), &global);
    let key = format!("url.{base}deep/.insteadOf");
    let counted = [
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", &*key),
        ("GIT_CONFIG_VALUE_0", "ssh://git@git.example.invalid/"),
    ];
    let source = "git = \"ssh://git@git.example.invalid/web.git\"";
    let archive = sandbox.pack_with(source, &counted);
    assert!(archive.text("web/metadata.rb").contains("2.0.0"));
}

#[test]
fn the_shorthands_of_a_berksfile_are_fetched() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    for host in ["github.com", "gitlab.com", "bitbucket.org"] {
        let name = host.split('.').next().expect("a name");
        let repo = server.repo(&format!("{host}/ops/{name}.git"));
        repo.cookbook(".", name, "1.0.0").commit("x");
    }
    let rules: String = ["github.com", "gitlab.com", "bitbucket.org"]
        .map(|host| {
            let base = server.url(host);
            format!("[url \"{base}/\"]\n\tinsteadOf = https://{host}/\n")
        })
        .concat();
    sandbox.write("../home/.gitconfig", rules);
    sandbox.write(
        "Berksfile",
        "cookbook 'github', github: 'ops/github'\ncookbook 'gitlab', gitlab: 'ops/gitlab'\n\
         cookbook 'bitbucket', bitbucket: 'ops/bitbucket'\n",
    );
    let archive = sandbox.build("");
    for name in ["github", "gitlab", "bitbucket"] {
        assert!(
            archive.has(&format!("cookbooks/{name}/metadata.json")),
            "{name}"
        );
    }
    let lock = sandbox.text("cookpack.lock");
    assert!(lock.contains("https://github.com/ops/github.git"), "{lock}");
}

#[test]
fn the_unencrypted_protocol_becomes_https_or_is_refused() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    for host in ["github.com", "gitlab.com", "bitbucket.org"] {
        let repo = server.repo(&format!("{host}/ops/web.git"));
        repo.cookbook(".", "web", "1.0.0").commit("x");
        let rule = format!(
            "[url \"{}/\"]\n\tinsteadOf = https://{host}/\n",
            server.url(host)
        );
        sandbox.write("../home/.gitconfig", rule);
        sandbox.pack(&format!("git = \"git://{host}/ops/web.git\""));
    }
    sandbox.forget_lock();
    sandbox.manifest("web = { git = \"git://git.example.invalid/web.git\" }\n");
    let run = sandbox.run("build").fails(1);
    run.says(["git.example.invalid/web.git", "https://"]);
}

#[test]
fn nothing_that_could_run_a_command_is_an_address() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    let trap = sandbox.root().join("trapped");
    let touch = format!("touch {}", trap.display());
    for url in [
        format!("ext::sh -c {}", touch.replace(' ', "% ")),
        format!("ext::{touch}"),
        "fd::17/foo".to_owned(),
        format!("--upload-pack={touch}"),
        format!("-u{touch}"),
        format!("ssh://-oProxyCommand={touch}/x"),
        format!("-oProxyCommand={touch}:x"),
        format!("ssh://git@-oProxyCommand={touch}/x"),
        "ftp://git.example.invalid/x.git".to_owned(),
    ] {
        sandbox.manifest(&format!("web = {{ git = \"{url}\" }}\n"));
        for variables in [&[][..], &[("COOKPACK_GIT_CLI", "1")][..]] {
            let run = sandbox.run_with("build", variables);
            assert!(matches!(run.code, Some(1 | 5)), "{url}: {run}");
            assert!(!trap.exists(), "{url}: {run}");
        }
    }
    // Nor does a rewritten one become such.
    let rule = format!(
        "[url \"ext::sh -c {}% #\"]\n\tinsteadOf = https://git.example.invalid/\n",
        touch.replace(' ', "% ")
    );
    sandbox.write("../home/.gitconfig", rule);
    sandbox.manifest("web = { git = \"https://git.example.invalid/x.git\" }\n");
    for variables in [&[][..], &[("COOKPACK_GIT_CLI", "1")][..]] {
        let run = sandbox.run_with("build", variables);
        assert!(matches!(run.code, Some(1 | 5)), "{run}");
        assert!(!trap.exists(), "{run}");
    }
    // Nor does a redirect lead there, or to a file.
    sandbox.remove("../home/.gitconfig");
    let repo = sandbox.repo("local");
    repo.cookbook(".", "web", "1.0.0").commit("x");
    for to in [
        format!("ext::{touch}"),
        format!("file://{}", repo.folder().display()),
        "ssh://-oProxyCommand=x/y".to_owned(),
    ] {
        server.behave(|b| b.redirect = Some(("/web.git".to_owned(), to.clone(), 302)));
        sandbox.manifest(&format!(
            "web = {{ git = \"{}\" }}\n",
            server.url("web.git")
        ));
        let run = sandbox.run("build");
        assert!(matches!(run.code, Some(1 | 5)), "{to}: {run}");
        assert!(!trap.exists(), "{run}");
    }
}

#[test]
fn a_redirect_is_followed_for_the_whole_fetch() {
    let sandbox = Sandbox::new();
    let (from, to) = (GitServer::start(&sandbox), GitServer::start(&sandbox));
    to.cookbook("web");
    for status in [301, 302, 303, 307, 308] {
        for (old, new) in [
            ("/old/", to.url("")),
            // Within the server, relative.
            ("/old/", "/".to_owned()),
        ] {
            from.behave(|b| b.redirect = Some((old.to_owned(), new.clone(), status)));
            sandbox.forget();
            assert_eq!(
                sandbox.version(&format!("git = \"{}\"", from.url("old/web.git"))),
                "1.0.0",
                "{status}"
            );
            let requests = from.requests();
            let redirected = requests.iter().filter(|r| r.path.starts_with("/old/"));
            assert_eq!(redirected.count(), 1, "{status} {new}: {requests:?}");
            let lock = sandbox.text("cookpack.lock");
            assert!(lock.contains(&from.url("old/web.git")), "{lock}");
        }
    }
    // In circles it ends.
    let there = from.url("");
    from.behave(|b| b.redirect = Some(("/".to_owned(), there, 302)));
    from.requests();
    sandbox.forget_lock();
    sandbox.manifest(&format!("web = {{ git = \"{}\" }}\n", from.url("x.git")));
    sandbox.run("build").fails(5).says([from.url("x.git")]);
    assert!(from.requests().len() <= 60);
}

/// A server whose repository has something large in it.
fn large(sandbox: &Sandbox) -> (GitServer, String) {
    let server = GitServer::start(sandbox);
    let repo = server.cookbook("web");
    repo.write("files/large", noise(300_000, 7)).commit("large");
    let source = format!("git = \"{}\"", server.url("web.git"));
    (server, source)
}

#[test]
fn a_connection_that_breaks_in_the_middle_of_a_pack_is_tried_again() {
    let sandbox = Sandbox::new();
    let (server, source) = large(&sandbox);
    server.behave(|b| b.cut_packs = 1);
    let archive = sandbox.pack(&source);
    assert_eq!(archive.member("web/files/large").data, noise(300_000, 7));
    assert_eq!(count(&server.requests(), Purpose::Objects), 2);
    // Not for ever; and what came is in nobody's way.
    sandbox.forget();
    server.behave(|b| b.cut_packs = u32::MAX);
    let run = sandbox.run("build").fails(5);
    run.says([server.url("web.git")]);
    let tries = count(&server.requests(), Purpose::Objects);
    assert!((2..=10).contains(&tries), "{tries}");
    server.behave(|b| b.cut_packs = 0);
    let archive = sandbox.pack(&source);
    assert_eq!(archive.member("web/files/large").data, noise(300_000, 7));
}

#[test]
fn a_server_that_is_busy_is_asked_again_and_one_that_refuses_is_not() {
    let sandbox = Sandbox::new();
    let (server, source) = large(&sandbox);
    for failures in [
        vec![(503, Some(1))],
        vec![(429, Some(1))],
        vec![(500, None)],
        vec![(502, None), (504, None)],
    ] {
        sandbox.forget();
        let waits = failures.iter().filter_map(|f| f.1).sum::<u32>();
        server.behave(|b| b.failures = failures.clone());
        let started = Instant::now();
        sandbox.pack(&source);
        let least = Duration::from_secs(u64::from(waits));
        assert!(started.elapsed() >= least, "{failures:?}");
    }
    sandbox.manifest(&format!("web = {{ {source} }}\n"));
    for status in [403, 404, 410] {
        sandbox.forget();
        server.requests();
        server.behave(|b| b.failures = vec![(status, None); 40]);
        let run = sandbox.run("build").fails(5);
        run.says([server.url("web.git")]);
        let asked = server.requests().len();
        // git asks for `web.git` and for `web.git/`; nothing is asked twice.
        assert!(asked <= 2, "{status}: {asked}");
    }
    // A status that stays is told of.
    sandbox.forget_lock();
    server.behave(|b| b.failures = vec![(503, Some(0)); 100]);
    let run = sandbox.run("build").fails(5);
    run.says([server.url("web.git"), "503".to_owned()]);
}

#[test]
fn a_page_for_people_is_no_repository() {
    let sandbox = Sandbox::new();
    let (server, source) = large(&sandbox);
    server.behave(|b| b.login_page = true);
    sandbox.manifest(&format!("web = {{ {source} }}\n"));
    let run = sandbox.run("build").fails(5);
    run.says([server.url("web.git")]).never_says("<html>");
    assert!(server.requests().len() <= 2);
    assert!(!sandbox.exists("cookpack.lock"));
}

#[test]
fn nobody_listens_or_nobody_is_there() {
    let sandbox = Sandbox::new();
    let (mut server, source) = large(&sandbox);
    sandbox.manifest(&format!(
        "web = {{ git = \"{}\" }}\n",
        server.url("absent.git")
    ));
    sandbox
        .run("build")
        .fails(5)
        .says([server.url("absent.git")]);
    server.stop();
    sandbox.manifest(&format!("web = {{ {source} }}\n"));
    sandbox.run("build").fails(5).says([server.url("web.git")]);
}

#[test]
fn a_slow_server_has_its_time() {
    let sandbox = Sandbox::new();
    let (server, source) = large(&sandbox);
    server.behave(|b| {
        b.thinks = Duration::from_secs(1);
        b.lasts = Duration::from_secs(2);
    });
    let archive = sandbox.pack(&source);
    assert_eq!(archive.member("web/files/large").data, noise(300_000, 7));
}

#[test]
fn a_proxy_is_gone_through_as_git_and_the_environment_say() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    server.cookbook("web");
    let proxy = server.url("");
    let source = "git = \"http://git.example.invalid/web.git\"";
    sandbox.write("../home/.gitconfig", format!("[http]\n\tproxy = {proxy}\n"));
    sandbox.pack(source);
    sandbox.remove("../home/.gitconfig");
    sandbox.forget();
    sandbox.pack_with(source, &[("http_proxy", &proxy)]);
    // Not for hosts that are excepted.
    sandbox.forget();
    server.requests();
    let variables = [("http_proxy", &*proxy), ("no_proxy", "example.invalid")];
    sandbox.run_with("build", &variables).fails(5);
    assert!(server.requests().is_empty());
}

#[test]
fn certificates_are_those_that_git_trusts() {
    if !have("openssl") {
        return;
    }
    let sandbox = Sandbox::new();
    let authority = Authority::new(&sandbox.root().join("ca"));
    let server = GitServer::start_tls(&sandbox, authority.server());
    server.cookbook("web");
    let source = format!("git = \"{}\"", server.url("web.git"));
    sandbox.manifest(&format!("web = {{ {source} }}\n"));
    let run = sandbox.run("build").fails(5);
    run.says(["certificate", "http.sslCAInfo"].map(str::to_owned))
        .says([server.url("web.git")]);
    assert!(server.requests().is_empty(), "nothing was said to it");
    let certificate = authority.certificate();
    let certificate = certificate.to_str().expect("UTF-8");
    sandbox.pack_with(&source, &[("GIT_SSL_CAINFO", certificate)]);
    for section in ["http".to_owned(), format!("http \"{}\"", server.url(""))] {
        sandbox.forget();
        let config = format!("[{section}]\n\tsslCAInfo = {certificate}\n");
        sandbox.write("../home/.gitconfig", config);
        sandbox.pack(&source);
    }
    // Trust in another host is none in this one.
    sandbox.forget();
    let config = format!("[http \"https://other.invalid/\"]\n\tsslCAInfo = {certificate}\n");
    sandbox.write("../home/.gitconfig", config);
    finish(&mut sandbox.command(["build"])).fails(5);
}
