//! Many processes on one store, and processes that are killed at any moment.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::{GitServer, Run, Sandbox, noise};

/// A project with repositories over http and from folders, and a monorepo.
fn project() -> (Sandbox, GitServer) {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    let mut manifest = String::new();
    for name in ["web", "base"] {
        server
            .cookbook(name)
            .write("files/x", noise(20_000, 3))
            .commit("x");
        manifest += &format!(
            "{name} = {{ git = \"{}\" }}\n",
            server.url(&format!("{name}.git"))
        );
    }
    let mono = sandbox.repo("../srv/mono.git");
    for i in 0..3 {
        mono.cookbook(&format!("cookbooks/cb{i}"), &format!("cb{i}"), "1.0.0");
        manifest +=
            &format!("cb{i} = {{ git = \"../srv/mono.git\", rel = \"cookbooks/cb{i}\" }}\n");
    }
    mono.write("cookbooks/cb0/files/x", noise(20_000, 4))
        .commit("x");
    sandbox.manifest(&manifest);
    (sandbox, server)
}

fn start(sandbox: &Sandbox, args: &[&str]) -> Child {
    let mut command = sandbox.command(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("a start")
}

fn end(child: Child, shown: &str) -> Run {
    Run::new(shown.to_owned(), child.wait_with_output().expect("an end"))
}

#[test]
fn sixteen_processes_on_an_empty_store_build_the_same_twenty_times() {
    let (sandbox, _server) = project();
    let wanted = sandbox.build_bytes("");
    for round in 0..20 {
        sandbox.forget();
        let children: Vec<_> = (0..16)
            .map(|i| {
                let output = format!("../out-{i}.tar.gz");
                (start(&sandbox, &["build", "-o", &output]), output)
            })
            .collect();
        for (child, output) in children {
            let run = end(child, &output).ok();
            assert!(sandbox.read(&output) == wanted, "round {round}: {run}");
            sandbox.remove(&output);
        }
    }
}

#[test]
fn two_fetches_of_one_repository_wait_for_each_other_and_say_so() {
    let (sandbox, server) = project();
    let url = server.url("web.git");
    sandbox.manifest(&format!("web = {{ git = \"{url}\" }}\n"));
    server.behave(|b| b.thinks = Duration::from_secs(2));
    let first = start(&sandbox, &["build", "-o", "../first.tar.gz"]);
    std::thread::sleep(Duration::from_millis(700));
    let second = start(&sandbox, &["build", "-o", "../second.tar.gz"]);
    let first = end(first, "the first").ok();
    let second = end(second, "the second").ok();
    first.never_says("waiting");
    let waited = second
        .stderr
        .lines()
        .filter(|line| line.contains("waiting"));
    assert_eq!(waited.count(), 1, "{second}");
    second.says(["waiting", &*url]);
    assert!(sandbox.read("../first.tar.gz") == sandbox.read("../second.tar.gz"));
    assert_eq!(server.most_at_once(), 1);
}

#[test]
fn fetches_of_different_repositories_do_not_wait() {
    let (sandbox, server) = project();
    let (url, other) = (server.url("web.git"), server.url("base.git"));
    sandbox.manifest(&format!("web = {{ git = \"{url}\" }}\n"));
    sandbox.write(
        "other/cookpack.toml",
        format!("[bundle]\nname = \"other\"\n[cookbooks]\nbase = {{ git = \"{other}\" }}\n"),
    );
    server.behave(|b| b.thinks = Duration::from_secs(4));
    let slow = start(&sandbox, &["build"]);
    std::thread::sleep(Duration::from_millis(700));
    server.behave(|b| b.thinks = Duration::ZERO);
    let args = ["build", "--manifest-path", "other/cookpack.toml"];
    let started = Instant::now();
    let run = end(start(&sandbox, &args), "the other").ok();
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "it waited: {run}"
    );
    run.never_says("waiting");
    end(slow, "the slow one").ok();
}

/// The bytes in a folder, whatever they are.
fn size(folder: &Path) -> u64 {
    let mut sum = 0;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let found = entry.path().symlink_metadata().expect("an entry");
        sum += match found.is_dir() {
            true => size(&entry.path()),
            false => found.len(),
        };
    }
    sum
}

/// Kills a build at random moments, a hundred times, and has the next one be right.
fn kill_at_random(cookbooks: impl Fn(&GitServer) -> String, seed: u32) {
    let (sandbox, server) = project();
    sandbox.manifest(&cookbooks(&server));
    let started = Instant::now();
    sandbox.ok("build");
    let whole = started.elapsed();
    let wanted = sandbox.read("bundle.tar.gz");
    let clean = size(&sandbox.store());
    let in_project = fs::read_dir(sandbox.project()).expect("a folder").count();
    let mut random = seed;
    let mut killed = 0;
    for round in 0..100 {
        // The store is sometimes empty, and mostly what the killed ones left.
        if round % 10 == 0 {
            sandbox.forget();
        } else if round % 3 == 0 {
            sandbox.forget_lock();
        }
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let mut child = start(&sandbox, &["build"]);
        std::thread::sleep(whole * (random >> 16) / 65_536);
        child.kill().expect("a kill");
        killed += u32::from(end(child, "a killed one").code.is_none());
        if round % 10 == 9 {
            let run = sandbox.ok("build");
            assert!(
                sandbox.read("bundle.tar.gz") == wanted,
                "round {round}: {run}"
            );
            let left = size(&sandbox.store());
            assert!(
                left <= 2 * clean + 65_536,
                "round {round}: {left} of {clean}"
            );
            let now = fs::read_dir(sandbox.project()).expect("a folder").count();
            assert_eq!(now, in_project, "round {round}: left in the project");
        }
    }
    assert!(killed >= 30, "only {killed} of 100 were killed in time");
    server.requests();
    sandbox.ok("build --frozen");
    assert!(sandbox.read("bundle.tar.gz") == wanted);
}

#[test]
fn a_kill_at_any_moment_of_a_fetch_over_http_harms_nothing() {
    let cookbooks = |server: &GitServer| {
        server.behave(|b| b.lasts = Duration::from_millis(60));
        format!(
            "web = {{ git = \"{}\" }}\nbase = {{ git = \"{}\" }}\n",
            server.url("web.git"),
            server.url("base.git")
        )
    };
    kill_at_random(cookbooks, 17);
}

#[test]
fn a_kill_at_any_moment_of_a_fetch_from_a_folder_harms_nothing() {
    let cookbooks = |_: &GitServer| {
        let rels = (0..3).map(|i| {
            format!("cb{i} = {{ git = \"../srv/mono.git\", rel = \"cookbooks/cb{i}\" }}\n")
        });
        rels.collect()
    };
    kill_at_random(cookbooks, 23);
}

#[test]
fn a_process_that_is_stopped_leaves_no_lock_behind() {
    let (sandbox, server) = project();
    server.behave(|b| b.thinks = Duration::from_secs(30));
    let mut child = start(&sandbox, &["build"]);
    std::thread::sleep(Duration::from_millis(700));
    child.kill().expect("a kill");
    end(child, "a killed one");
    server.behave(|b| b.thinks = Duration::ZERO);
    let started = Instant::now();
    sandbox.ok("build");
    assert!(started.elapsed() < Duration::from_secs(10));
}
