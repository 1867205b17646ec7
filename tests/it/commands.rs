//! The commands as a person or a script meets them.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use crate::support::{Run, Sandbox, finish, noise};

fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo("repos/lib");
    repo.cookbook(".", "lib", "2.1.0").commit("x");
    sandbox.cookbook("web", "web", "depends 'lib', '~> 2.0'\n");
    sandbox.write(
        "cookpack.toml",
        "[bundle]\nname = \"bundle\"\nrun_list = [\"web\"]\n\n[cookbooks]\n\
         web = { path = \"web\" }\nlib = { git = \"repos/lib\" }\n",
    );
    sandbox
}

#[test]
fn json_is_one_document_and_nothing_else() {
    let sandbox = project();
    for command in [
        "build",
        "lock",
        "update",
        "vendor out",
        "tree",
        "tree --invert lib",
        "why lib",
        "outdated",
        "update --dry-run",
        "files",
        "files web",
    ] {
        for color in ["", "--color always"] {
            let run = sandbox.ok(&format!("{command} --json {color}"));
            let json = run.json();
            assert!(json.is_object() || json.is_array(), "{run}");
        }
    }
    let json = sandbox.ok("build --json").json();
    assert_eq!(json["path"], "bundle.tar.gz");
    let lib = &json["cookbooks"][0];
    assert_eq!(
        (lib["name"].as_str(), lib["version"].as_str()),
        (Some("lib"), Some("2.1.0"))
    );
    assert!(lib["source"].to_string().contains("repos/lib"), "{json:#}");
    // A failure leaves stdout empty or one document, and the exit code as it is.
    sandbox.write("cookpack.toml", "[bundle]\nnmae = 1\n");
    let run = sandbox.run("build --json").ends_with(1);
    assert!(run.stdout.is_empty() || run.json().is_object(), "{run}");
}

#[test]
fn quiet_says_nothing_and_errors_are_still_said() {
    let sandbox = project();
    let run = sandbox.ok("build -q");
    assert_eq!((run.out(), &*run.stderr), ("", ""));
    let run = sandbox.ok("--quiet lock");
    assert_eq!((run.out(), &*run.stderr), ("", ""));
    sandbox.write("cookpack.toml", "x");
    sandbox.run("build -q").fails(1);
}

#[test]
fn without_a_terminal_there_is_no_progress_and_no_colour() {
    let sandbox = project();
    for command in ["build", "build -v", "update", "vendor out"] {
        let run = sandbox.ok(command);
        let bytes = [&*run.stdout, run.stderr.as_bytes()].concat();
        assert!(!bytes.contains(&0x1b) && !bytes.contains(&b'\r'), "{run}");
    }
    sandbox.write("cookpack.toml", "[bundle]\nnmae = \"x\"\n");
    assert!(!sandbox.run("build").stderr.contains('\x1b'));
    assert!(sandbox.run("build --color always").stderr.contains('\x1b'));
    assert!(!sandbox.run("build --color never").stderr.contains('\x1b'));
    let mut command = sandbox.command(["build", "--color", "sometimes"]);
    finish(&mut command).fails(2).says(["sometimes"]);
}

#[test]
fn on_a_terminal_there_is_progress_and_stdout_stays_clean() {
    if !crate::support::have("script") {
        return;
    }
    let sandbox = project();
    for i in 0..200 {
        sandbox.write(format!("web/files/{i}"), vec![b'x'; 20_000]);
    }
    let script =
        "script -qec '\"$cookpack\" build > ../stdout' ../terminal < /dev/null > /dev/null";
    sandbox.shell(&format!("export TERM=xterm; {script}")).ok();
    let stdout = sandbox.text("../stdout");
    assert!(stdout.contains("bundle.tar.gz"), "{stdout}");
    assert!(!stdout.contains('\x1b'), "stdout is a file: {stdout:?}");
}

/// Starts a command, reads one line of its stdout, and closes it.
fn first_line(sandbox: &Sandbox, args: &str) -> (String, Run) {
    let mut command = sandbox.command(args.split(' '));
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("a start");
    let mut stdout = BufReader::with_capacity(64, child.stdout.take().expect("stdout"));
    let mut line = Vec::new();
    stdout.read_until(b'\n', &mut line).expect("a line");
    drop(stdout);
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .expect("stderr")
        .read_to_string(&mut stderr)
        .expect("UTF-8");
    let output = child.wait_with_output().expect("an end");
    let mut run = Run::new(args.to_owned(), output);
    run.stderr = stderr;
    (String::from_utf8_lossy(&line).trim_end().to_owned(), run)
}

#[test]
fn a_broken_pipe_is_a_silent_success() {
    let sandbox = project();
    // More than a pipe holds.
    for i in 0..1500 {
        let name = format!("web/files/{}{i:04}", "long".repeat(20));
        sandbox.write(name, "x");
    }
    sandbox.write("web/files/noise", noise(400_000, 1));
    for args in [
        "files",
        "files web",
        "files --json",
        "build -o - -q",
        "tree",
        "metadata web",
    ] {
        let (line, run) = first_line(&sandbox, args);
        assert!(!line.is_empty(), "{args}");
        let run = run.ok();
        let unexpected = run
            .stderr
            .lines()
            .any(|l| l.contains("pipe") || l.contains("panic"));
        assert!(!unexpected, "{args}: {run}");
    }
    let run = sandbox.shell("\"$cookpack\" files | head -1").ok();
    assert_eq!(run.lines().len(), 1);
}

#[test]
fn a_full_disk_is_no_silent_success() {
    let sandbox = project();
    for args in [
        "files",
        "tree",
        "metadata web",
        "build --json",
        "build -o -",
    ] {
        let run = sandbox.shell(&format!("\"$cookpack\" {args} > /dev/full"));
        assert!(!matches!(run.code, Some(0)), "{args}: {run}");
        assert!(!run.stderr.contains("panicked"), "{run}");
    }
}

#[test]
fn help_and_version_are_there_for_every_command() {
    let sandbox = project();
    let help = sandbox.ok("--help");
    for command in [
        "build", "lock", "update", "outdated", "vendor", "tree", "why", "files", "metadata", "init",
    ] {
        assert!(help.out().contains(command), "{command}");
        let own = sandbox.ok(&format!("{command} --help"));
        assert!(own.out().contains("--manifest-path"), "{own}");
    }
    let version = sandbox.ok("--version");
    assert_eq!(
        version.out(),
        format!("cookpack {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn init_writes_a_manifest_that_builds() {
    // For cookbooks in the usual folder.
    let sandbox = Sandbox::new();
    sandbox
        .cookbook("cookbooks/web", "web", "depends 'db'\n")
        .cookbook("cookbooks/db", "db", "");
    sandbox.ok("init");
    let manifest = sandbox.text("cookpack.toml");
    assert!(
        manifest.contains("cookbooks/web") && manifest.contains("cookbooks/db"),
        "{manifest}"
    );
    assert!(
        manifest.lines().any(|l| l.starts_with('#')),
        "commented: {manifest}"
    );
    let archive = sandbox.build("");
    assert!(archive.has("web/metadata.json") && archive.has("db/metadata.json"));
    sandbox.run("init").fails(1).says(["cookpack.toml"]);
    assert_eq!(sandbox.text("cookpack.toml"), manifest);

    // For a lone cookbook.
    let sandbox = Sandbox::new();
    sandbox.cookbook(".", "web", "");
    sandbox.ok("init");
    assert!(sandbox.build("").has("web/metadata.json"));

    // For nothing at all: still a manifest that says what to do.
    let sandbox = Sandbox::new();
    sandbox.ok("init");
    assert!(sandbox.text("cookpack.toml").contains("[cookbooks]"));
    sandbox.run("build").fails(1).says(["cookbook"]);
}

#[test]
fn init_overwrites_nothing_however_it_is_asked() {
    let sandbox = Sandbox::new();
    sandbox.symlink("nowhere", "cookpack.toml");
    sandbox.run("init").fails(1);
    assert!(!sandbox.exists("nowhere"));
}

#[test]
fn the_store_is_where_it_is_said_to_be() {
    let sandbox = project();
    sandbox.ok("build");
    assert!(sandbox.store().is_dir());
    sandbox.ok("build --store ../switch");
    assert!(sandbox.root().join("switch").is_dir());
    // Without either: the platform's folder for caches.
    let mut command = sandbox.command(["build"]);
    finish(command.env_remove("COOKPACK_STORE")).ok();
    if cfg!(target_os = "linux") {
        assert!(sandbox.home().join(".cache/cookpack").is_dir());
        let mut command = sandbox.command(["build"]);
        command
            .env_remove("COOKPACK_STORE")
            .env("XDG_CACHE_HOME", sandbox.root().join("xdg"));
        finish(&mut command).ok();
        assert!(sandbox.root().join("xdg/cookpack").is_dir());
    }
    // With nowhere to put it, that is what is said.
    let mut command = sandbox.command(["build"]);
    command
        .env_remove("COOKPACK_STORE")
        .env_remove("HOME")
        .env("HOME", "");
    let run = finish(&mut command);
    assert!(matches!(run.code, Some(0 | 1)), "{run}");
}

#[test]
fn nothing_is_written_but_what_was_asked_for() {
    let sandbox = project();
    for command in [
        "tree",
        "tree --format svg",
        "why lib",
        "outdated",
        "lock --dry-run",
        "update --dry-run",
        "files",
        "metadata web",
        "files web",
    ] {
        sandbox.ok(command);
    }
    let mut names: Vec<_> = std::fs::read_dir(sandbox.project())
        .expect("a folder")
        .map(|e| {
            e.expect("an entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .collect();
    names.retain(|name| name != "cookpack.lock");
    names.sort();
    assert_eq!(names, ["cookpack.toml", "repos", "web"]);
    let status = Command::new("find")
        .arg(sandbox.home())
        .arg("-type")
        .arg("f")
        .output();
    assert_eq!(String::from_utf8_lossy(&status.expect("find").stdout), "");
}
