//! The same content gives the same bytes, whatever else differs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::support::{Repo, Sandbox, Tarball, finish, have};

/// A cookbook with all that a git tree can hold, committed.
fn repository(repo: &Repo) {
    repo.cookbook_with(".", "web", "1.2.3", "chef_version '>= 12'\n");
    repo.write("chefignore", "*.swp\nspec/*\n");
    repo.write("spec/default_spec.rb", "x");
    repo.write("README.md", "# web\n\nüber\n");
    repo.write(".rubocop.yml", "{}\n");
    repo.write("templates/default/b.erb", "<%= 1 %>\r\n");
    repo.write("templates/default/a.erb", [0, 159, 146, 150]);
    repo.write("files/empty", "");
    repo.executable("files/bin/run.sh", "#!/bin/sh\nexec true\n");
    repo.symlink("bin/run.sh", "files/start");
    for i in 0..200 {
        repo.write(&format!("files/many/{i:03}"), format!("{i}\n").repeat(i));
    }
    repo.commit("All of it");
}

/// A project with a git, a path and a monorepo source.
fn sample(sandbox: &Sandbox) {
    repository(&sandbox.repo("repos/web"));
    let mono = sandbox.repo("repos/mono");
    mono.cookbook("cookbooks/db", "db", "2.0.0");
    mono.commit("db");
    sandbox.cookbook("own/base", "base", "depends 'web'\n");
    sandbox.manifest(
        "web = { git = \"repos/web\" }\n\
         db = { git = \"repos/mono\", rel = \"cookbooks/db\" }\n\
         base = { path = \"own/base\" }\n",
    );
}

/// Builds with a store of its own into a file outside of the project, the command changed before.
fn build_with(sandbox: &Sandbox, change: impl FnOnce(&mut Command)) -> Vec<u8> {
    let out = tempfile::tempdir().expect("a folder");
    let file = out.path().join("x.tar.gz");
    let mut command = sandbox.command(["build", "-o"]);
    command
        .arg(&file)
        .env("COOKPACK_STORE", out.path().join("store"));
    change(&mut command);
    finish(&mut command).ok();
    fs::read(&file).expect("the archive")
}

#[test]
fn neither_environment_nor_folder_nor_user_settings_change_a_byte() {
    let sandbox = Sandbox::new();
    sample(&sandbox);
    let wanted = build_with(&sandbox, |_| {});
    assert!(Tarball::read(&wanted).members.len() > 200);
    let same = |what: &str, change: &dyn Fn(&mut Command)| {
        let built = build_with(&sandbox, |command| change(command));
        assert!(built == wanted, "{what} changed the archive");
    };
    for zone in ["UTC", "Asia/Kathmandu", "America/St_Johns", ":nonsense"] {
        same(zone, &|c| {
            c.env("TZ", zone);
        });
    }
    for locale in ["C", "tr_TR.UTF-8", "de_DE@euro", "POSIX", "nonsense"] {
        same(locale, &|c| {
            c.env("LANG", locale)
                .env("LC_ALL", locale)
                .env("LANGUAGE", locale);
        });
    }
    // Berkshelf looks for a chefignore in the parents and in `.chef` of the home.
    let hostile = sandbox.root().join("hostile-home");
    fs::create_dir_all(hostile.join(".chef")).expect("a folder");
    fs::write(hostile.join(".chef/chefignore"), "*\n").expect("a file");
    fs::write(hostile.join("chefignore"), "*\n").expect("a file");
    fs::write(
        hostile.join(".gitconfig"),
        "[core]\n\tautocrlf = true\n\tfilemode = false\n",
    )
    .expect("a file");
    same("the home", &|c| {
        c.env("HOME", &hostile).env("XDG_CONFIG_HOME", &hostile);
    });
    same("no home", &|c| {
        c.env_remove("HOME");
    });
    same("the user's name", &|c| {
        c.env("USER", "x").env("LOGNAME", "x").env("HOSTNAME", "y");
    });
    same("git's own variables", &|c| {
        c.env("GIT_DIR", "/nowhere")
            .env("GIT_WORK_TREE", "/")
            .env("GIT_CONFIG_COUNT", "x");
    });
    let manifest = sandbox.path("cookpack.toml");
    for folder in [sandbox.home(), sandbox.path("own/base"), "/".into()] {
        same(&format!("{}", folder.display()), &|c| {
            c.current_dir(&folder).arg("--manifest-path").arg(&manifest);
        });
    }
    same("a relative manifest path", &|c| {
        c.current_dir(sandbox.path("own"))
            .args(["--manifest-path", "../cookpack.toml"]);
    });
    fs::write(sandbox.root().join("chefignore"), "*\n").expect("a file");
    same("a chefignore above the project", &|_| {});
}

#[test]
fn the_umask_changes_no_byte() {
    let wanted = {
        let sandbox = Sandbox::new();
        sample(&sandbox);
        sandbox.build_bytes("")
    };
    for mask in ["000", "022", "077", "027"] {
        let sandbox = Sandbox::new();
        sample(&sandbox);
        // The folder once more, all of it written under the mask.
        sandbox
            .shell(&format!(
                "umask {mask}; cp -R --no-preserve=mode own other\n\
                 find own -type f -exec chmod +x {{}} + ; rm -r own; mv other own\n\
                 \"$cookpack\" build -o ../masked.tar.gz"
            ))
            .ok();
        let built = fs::read(sandbox.root().join("masked.tar.gz")).expect("the archive");
        assert!(built == wanted, "umask {mask} changed the archive");
    }
}

#[test]
fn file_times_change_no_byte() {
    let sandbox = Sandbox::new();
    sample(&sandbox);
    let wanted = sandbox.build_bytes("");
    for seconds in [1, 1_000_000_000, 4_000_000_000] {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        for file in [
            "own/base/metadata.rb",
            "own/base/recipes/default.rb",
            "cookpack.toml",
        ] {
            let file = fs::File::options().append(true).open(sandbox.path(file));
            file.expect("a file").set_modified(time).expect("a time");
        }
        assert!(sandbox.build_bytes("") == wanted, "time {seconds}");
    }
}

#[test]
fn the_order_in_which_a_folder_lists_its_files_changes_no_byte() {
    let names: Vec<String> = (0..400)
        .map(|i| format!("files/f{}", i * 7919 % 10_007))
        .collect();
    let build = |names: &mut dyn Iterator<Item = &String>| {
        let sandbox = Sandbox::new();
        for name in names {
            sandbox.write(format!("web/{name}"), name);
        }
        sandbox.cookbook("web", "web", "");
        sandbox.manifest("web = { path = \"web\" }\n");
        let listed = fs::read_dir(sandbox.path("web/files")).expect("a folder");
        let listed: Vec<_> = listed.map(|e| e.expect("an entry").file_name()).collect();
        (sandbox.build_bytes(""), listed)
    };
    let (wanted, _) = build(&mut names.iter());
    let (reversed, _) = build(&mut names.iter().rev());
    let mut sorted = names.clone();
    sorted.sort();
    let (in_order, listed) = build(&mut sorted.iter());
    assert!(
        !listed.is_sorted(),
        "this file system sorts: the test shows nothing here"
    );
    assert!(wanted == reversed && wanted == in_order);
}

#[test]
fn a_git_source_a_checkout_and_a_copy_give_the_same_bytes() {
    let sandbox = Sandbox::new();
    repository(&sandbox.repo("web"));
    sandbox
        .shell(
            "export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null\n\
             git clone -q --bare web bare.git\n\
             (umask 077; git clone -q web checkout)\n\
             mkdir copy mono; git -C web archive HEAD | tar -x -C copy\n\
             cp -R copy mono/web; cp -R copy dotless\n\
             cd mono; git init -q -b main; git add -A -f\n\
             git -c user.name=x -c user.email=x@example.com commit -q -m x",
        )
        .ok();
    let build = |source: &str| {
        if sandbox.exists("cookpack.lock") {
            sandbox.remove("cookpack.lock");
        }
        sandbox.manifest(&format!("web = {{ {source} }}\n"));
        sandbox.build_bytes("")
    };
    let wanted = build("git = \"web\"");
    let archive = Tarball::read(&wanted);
    assert_eq!(archive.member("web/files/start").mode(), 0o755);
    assert!(!archive.paths().iter().any(|p| p.contains(".git/")));
    for source in [
        "git = \"bare.git\"",
        "git = \"mono\", rel = \"web\"",
        "path = \"web\"",
        "path = \"checkout\"",
        "path = \"copy\"",
        "path = \"mono/web\"",
        "path = \"./mono/../copy/\"",
    ] {
        assert!(build(source) == wanted, "{source} differs");
    }
    let url = format!("git = \"file://{}\"", sandbox.path("bare.git").display());
    assert!(build(&url) == wanted, "{url} differs");
    // A lone cookbook without a manifest has its own name for the bundle and the same content.
    sandbox.remove("cookpack.lock");
    sandbox.remove("cookpack.toml");
    let mut lone = sandbox.command(["build", "-o", "../lone.tar.gz"]);
    finish(lone.current_dir(sandbox.path("dotless"))).ok();
    assert!(
        sandbox.read("lone.tar.gz") == wanted,
        "a lone cookbook differs"
    );
}

#[test]
fn a_project_may_lie_anywhere() {
    let wanted = {
        let sandbox = Sandbox::new();
        sample(&sandbox);
        sandbox.build_bytes("")
    };
    let sandbox = Sandbox::new();
    sample(&sandbox);
    for folder in [
        "a [b] *?",
        "with space",
        "ü-日本",
        "-dash",
        "100%",
        "quote'\"",
        "#x",
    ] {
        let moved = sandbox.root().join(folder);
        finish(
            Command::new("cp")
                .arg("-R")
                .arg(sandbox.project())
                .arg("--")
                .arg(&moved),
        )
        .ok();
        let built = build_with(&sandbox, |c| {
            c.current_dir(&moved);
        });
        assert!(built == wanted, "in {folder} the archive differs");
        let lock = fs::read_to_string(moved.join("cookpack.lock")).expect("a lock");
        let root = sandbox.root().to_str().expect("UTF-8");
        assert!(
            !lock.contains(root),
            "the lock holds a path of this machine: {lock}"
        );
    }
}

#[test]
fn a_cold_a_warm_and_another_store_give_the_same_bytes() {
    let sandbox = Sandbox::new();
    sample(&sandbox);
    let cold = sandbox.build_bytes("");
    let warm = sandbox.build_bytes("");
    let other = sandbox.build_bytes("--store ../other-store");
    assert!(sandbox.root().join("other-store").is_dir());
    assert!(cold == warm && cold == other);
}

#[test]
fn another_user_builds_the_same_bytes() {
    if !have("setpriv") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "");
    sandbox.manifest("web = { path = \"web\" }\n");
    let wanted = sandbox.build_bytes("");
    fs::set_permissions(sandbox.root(), fs::Permissions::from_mode(0o777)).expect("chmod");
    let binary = Path::new(env!("CARGO_BIN_EXE_cookpack"));
    // The build folder may lie where nobody else may look.
    let copy = sandbox.root().join("cookpack");
    fs::copy(binary, &copy).expect("a copy");
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(&copy)
        .args(["build", "--locked", "-o", "../theirs.tar.gz"])
        .env_clear()
        .env("COOKPACK_STORE", sandbox.root().join("their-store"))
        .current_dir(sandbox.project());
    let root = finish(Command::new("id").arg("-u")).ok().out().trim() == "0";
    let run = finish(&mut command);
    if !root {
        // Only root can become somebody else; that is not this machine's lack of a tool.
        assert_ne!(run.code, Some(0));
        return;
    }
    run.ok();
    let theirs = fs::read(sandbox.root().join("theirs.tar.gz")).expect("the archive");
    assert!(theirs == wanted);
}
