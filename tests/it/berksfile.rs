//! A Berksfile in the place of a cookpack.toml.

use crate::support::Sandbox;

/// A cookbook with a Berksfile: itself, a folder, a repository, and one for the tests.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .cookbook(".", "web", "depends 'base'\n")
        .cookbook("vendor/base", "base", "")
        .cookbook("test/web_test", "web_test", "depends 'web'\n")
        .write(
            "Berksfile",
            "source 'https://supermarket.chef.io'\n\nmetadata\ncookbook 'base', path: 'vendor/base'\n\
             cookbook 'java', git: '../java', rel: 'cookbooks/java'\n\
             group :integration do\n  cookbook 'web_test', path: 'test/web_test'\nend\n",
        )
        .write("chefignore", "vendor/*\ntest/*\n");
    let java = sandbox.repo("../java");
    java.cookbook("cookbooks/java", "java", "1.2.0")
        .commit("one");
    sandbox
}

#[test]
fn build_packs_what_a_berksfile_asks_for_as_berks_package_lays_it_out() {
    let sandbox = sandbox();
    let archive = sandbox.build("");
    for path in [
        "cookbooks/web/metadata.json",
        "cookbooks/base/recipes/default.rb",
        "cookbooks/java/metadata.json",
        "cookbooks/web_test/metadata.json",
    ] {
        assert!(archive.has(path), "{path}");
    }
    assert!(sandbox.text("cookpack.lock").contains("git = \"../java\""));
    sandbox.ok("build --locked -o web.tar.gz");
    assert_eq!(sandbox.read("web.tar.gz"), sandbox.build_bytes("--locked"));
}

#[test]
fn the_archive_is_called_after_the_cookbook_or_else_after_the_folder() {
    let sandbox = sandbox();
    sandbox.ok("build");
    assert!(sandbox.exists("web.tar.gz"));
    sandbox.write("vendor/Berksfile", "cookbook 'base', path: 'base'\n");
    sandbox.ok("build --manifest-path vendor");
    assert!(sandbox.exists("vendor.tar.gz"));
}

#[test]
fn groups_choose_what_is_packed_and_never_what_is_locked() {
    let sandbox = sandbox();
    sandbox.ok("lock");
    let lockfile = sandbox.text("cookpack.lock");
    for (args, names) in [
        ("--except integration", "base java web"),
        ("--only integration", "base web web_test"),
        ("--only default,integration", "base java web web_test"),
    ] {
        let out = format!("out/{}", args.replace(' ', ""));
        sandbox.ok(&format!("vendor {out} {args} --locked"));
        let run = sandbox.ok(&format!("files {args}"));
        let mut found: Vec<_> = run
            .lines()
            .into_iter()
            .filter_map(|line| line.split('/').nth(1))
            .collect();
        found.dedup();
        assert_eq!(found.join(" "), names, "{args}");
        for name in ["base", "java", "web", "web_test"] {
            let packed = names.split(' ').any(|packed| packed == name);
            assert_eq!(
                sandbox.exists(format!("{out}/cookbooks/{name}")),
                packed,
                "{args} {name}"
            );
        }
        assert_eq!(sandbox.text("cookpack.lock"), lockfile);
    }
    let tree = sandbox.ok("tree --except integration");
    assert!(!tree.out().contains("web_test"), "{}", tree.out());
    let both = sandbox.run("build --only a --except b");
    both.fails(2);
    sandbox.run("build --only integratoin").fails(1).says([
        "no cookbook is in the group `integratoin`",
        "did you mean `integration`?",
    ]);
    sandbox
        .run("build --except default,integration")
        .fails(1)
        .says(["nothing to pack"]);
}

#[test]
fn groups_stand_in_a_cookpack_toml_too() {
    let sandbox = Sandbox::new();
    sandbox
        .cookbook("a", "a", "")
        .cookbook("b", "b", "")
        .manifest("a = { path = \"a\" }\nb = { path = \"b\", groups = [\"test\"] }\n");
    let run = sandbox.ok("files --except test");
    assert!(
        run.lines().iter().all(|line| line.starts_with("a/")),
        "{run}"
    );
}

#[test]
fn a_cookbook_that_no_source_has_is_told_of() {
    let sandbox = sandbox();
    sandbox.write("market/universe", "{}");
    let market = sandbox.path("market");
    sandbox.write(
        "Berksfile",
        format!("source 'file://{}'\nmetadata\ncookbook 'base', path: 'vendor/base'\ncookbook 'apt', '~> 7.0'\n", market.display()),
    );
    sandbox.run("build").fails(1).says([
        "no source has a cookbook `apt`",
        "Berksfile:4:",
        "asked: ",
        "`cookbook \"apt\", git: \"...\"`",
    ]);
}

#[test]
fn a_cookpack_toml_is_taken_before_a_berksfile() {
    let sandbox = sandbox();
    sandbox.manifest("base = { path = \"vendor/base\" }\n");
    let run = sandbox.ok("files");
    assert!(
        run.lines().iter().all(|line| line.starts_with("base/")),
        "{run}"
    );
}

#[test]
fn the_environment_is_seen_only_where_it_is_shown() {
    let sandbox = Sandbox::new();
    sandbox.write("Berksfile", "cookbook ENV.fetch('NAME', 'none')\n");
    let name = |args: &str| {
        let run = sandbox.ok(&format!("manifest --json {args}"));
        run.json()["dependencies"][0]["name"].clone()
    };
    assert_eq!(name(""), "none");
    assert_eq!(name("--env NAME=web"), "web");
    let mut command = sandbox.command(["manifest", "--json", "--env", "NAME"]);
    command.env("NAME", "java");
    let run = crate::support::finish(&mut command).ok();
    assert_eq!(run.json()["dependencies"][0]["name"], "java");
}

#[test]
fn nothing_is_read_outside_of_the_project() {
    let sandbox = Sandbox::new();
    sandbox.write("../secret", "cookbook 'secret'\n");
    for path in ["../secret", "/etc/hostname"] {
        sandbox.write("Berksfile", format!("instance_eval(File.read('{path}'))\n"));
        sandbox.run("manifest --json").fails(1).says(["outside"]);
    }
    // In a repository the whole work tree is the project.
    sandbox.repo("..");
    sandbox.write("Berksfile", "instance_eval(File.read('../secret'))\n");
    let run = sandbox.ok("manifest --json");
    assert_eq!(run.json()["dependencies"][0]["name"], "secret");
}

#[test]
fn metadata_of_a_file_is_that_files() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "").write(
        "web/metadata.json",
        "{\"name\": \"web\", \"version\": \"2.0.0\"}",
    );
    let version = |path: &str| sandbox.ok(&format!("metadata {path}")).json()["version"].clone();
    assert_eq!(version("web"), "2.0.0");
    assert_eq!(version("web/metadata.json"), "2.0.0");
    assert_eq!(version("web/metadata.rb"), "1.0.0");
}

#[test]
fn what_berkshelf_locked_stays_until_cookpack_locks() {
    let sandbox = Sandbox::new();
    let java = sandbox.repo("../java");
    let first = java.cookbook(".", "java", "1.0.0").commit("one");
    java.cookbook(".", "java", "2.0.0").commit("two");
    let lock = |branch: &str| {
        format!(
            "DEPENDENCIES\n  java\n    git: ../java\n    revision: {}\n{branch}\nGRAPH\n  java (1.0.0)\n",
            first.trim()
        )
    };
    sandbox
        .write("Berksfile", "cookbook 'java', git: '../java'\n")
        .write("Berksfile.lock", lock(""));
    sandbox.ok("build");
    assert!(sandbox.text("cookpack.lock").contains("1.0.0"));
    // From now on it is cookpack.lock that counts.
    sandbox.remove("Berksfile.lock");
    sandbox.ok("build --locked");
    sandbox.ok("update");
    assert!(sandbox.text("cookpack.lock").contains("2.0.0"));

    // What Berkshelf locked for something else does not count.
    sandbox.remove("cookpack.lock");
    sandbox.write("Berksfile.lock", lock("    branch: other\n"));
    sandbox.ok("build");
    assert!(sandbox.text("cookpack.lock").contains("2.0.0"));
}

#[test]
fn a_ref_is_a_tag_or_a_branch_or_a_commit() {
    let sandbox = Sandbox::new();
    let java = sandbox.repo("../java");
    let first = java.cookbook(".", "java", "1.0.0").commit("one");
    java.git("tag v1");
    java.git("branch old");
    java.cookbook(".", "java", "2.0.0").commit("two");
    for reference in ["v1", "old", &first.trim()[..7], first.trim()] {
        let text = format!("cookbook 'java', git: '../java', ref: '{reference}'\n");
        sandbox.write("Berksfile", text);
        sandbox.ok("lock");
        assert!(
            sandbox.text("cookpack.lock").contains("1.0.0"),
            "{reference}"
        );
        sandbox.ok("build --locked");
    }
    sandbox.write("Berksfile", "cookbook 'java', git: '../java', ref: 'odl'\n");
    sandbox
        .run("lock")
        .fails(1)
        .says(["ref `odl`", "Berksfile:1:", "old"]);
}

#[test]
fn a_policyfile_is_packed_as_well() {
    let sandbox = Sandbox::new();
    sandbox
        .cookbook("cookbooks/web", "web", "")
        .write("Berksfile", "raise 'a Policyfile.rb is taken first'\n")
        .write(
            "Policyfile.rb",
            "name 'site'\nrun_list 'web'\nnamed_run_list :more, 'web::more'\ncookbook 'web', path: 'cookbooks/web'\n",
        );
    sandbox.run("build").fails(1).says(["web::more"]);
    sandbox.write("cookbooks/web/recipes/more.rb", "");
    sandbox.ok("build");
    assert!(sandbox.exists("site.tar.gz"));
    sandbox.write(
        "Policyfile.rb",
        "default_source :chef_repo, 'market'\nrun_list 'web', 'apt'\n",
    );
    sandbox.write("market/README.md", "no cookbook yet");
    sandbox.run("build").fails(1).says([
        "no source has a cookbook `apt`",
        "no source has a cookbook `web`",
        "Policyfile.rb:2:",
        "asked: ",
    ]);
}

#[test]
fn init_takes_a_berksfile_over_and_the_archive_stays_the_same() {
    let sandbox = sandbox();
    let before = sandbox.build_bytes("");
    sandbox.remove("cookpack.lock");
    sandbox.ok("init");
    let manifest = sandbox.text("cookpack.toml");
    for line in [
        "name = \"web\"",
        "layout = \"cookbooks\"",
        "\n[[sources]]\nsupermarket = \"https://supermarket.chef.io\"\n",
        "base = { path = \"vendor/base\" }",
        "java = { git = \"../java\", rel = \"cookbooks/java\" }",
        "web_test = { path = \"test/web_test\", groups = [\"integration\"] }",
    ] {
        assert!(manifest.contains(line), "{line}\n{manifest}");
    }
    sandbox.remove("Berksfile");
    assert_eq!(sandbox.build_bytes(""), before);
    // It is what `manifest` prints, too.
    let printed = sandbox.ok("manifest");
    assert!(manifest.ends_with(&printed.out()[printed.out().find("[cookbooks]").expect("it")..]));
}

#[test]
fn init_takes_a_policyfile_over_with_comments_for_what_has_no_words() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "").write(
        "Policyfile.rb",
        "name 'site'\nrun_list 'web'\nnamed_run_list :more, 'web::default'\ncookbook 'web', path: 'web'\n\
         include_policy 'base', path: 'base.lock.json'\ndefault['web']['port'] = 80\n",
    );
    sandbox.ok("init");
    let manifest = sandbox.text("cookpack.toml");
    for line in [
        "name = \"site\"",
        "run_list = [\"recipe[web::default]\"]",
        "# more = [\"recipe[web::default]\"]",
        "# base path = \"base.lock.json\"",
        "# default[\"web\"][\"port\"] = 80",
        "web = { path = \"web\" }",
    ] {
        assert!(manifest.contains(line), "{line}\n{manifest}");
    }
    sandbox.ok("build");
    assert!(sandbox.exists("site.tar.gz"));
}

#[test]
fn init_takes_a_cheffile_over() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("vendor/base", "base", "").write(
        "Cheffile",
        "site 'https://supermarket.chef.io/api/v1'\ncookbook 'base', :path => 'vendor/base'\ncookbook 'apt', '~> 7.0'\n",
    );
    // It is taken over, and never built from.
    sandbox.run("build").fails(1);
    sandbox.ok("init");
    let manifest = sandbox.text("cookpack.toml");
    let source = "\n[[sources]]\nsupermarket = \"https://supermarket.chef.io\"\n";
    assert!(manifest.contains(source), "{manifest}");
    assert!(manifest.contains("\napt = \"~> 7.0\"\n"), "{manifest}");
    // The source is asked for it.
    sandbox
        .run("build --offline")
        .fails(5)
        .says(["https://supermarket.chef.io"]);
    sandbox.write("cookpack.toml", manifest.replace("apt =", "# apt ="));
    sandbox.ok("build");
}
