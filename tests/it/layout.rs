//! Which files an archive holds, under which paths, and what is said of the others.

use std::fmt::Write as _;

use crate::support::{Sandbox, finish, have};

fn lone(sandbox: &Sandbox) -> Vec<String> {
    let archive = sandbox.build("");
    archive.paths().into_iter().map(str::to_owned).collect()
}

#[test]
fn flat_is_the_layout_of_opsworks_and_ssm_and_cookbooks_that_of_chef_solo() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("x", "web", "");
    let flat = [
        "web/metadata.json",
        "web/metadata.rb",
        "web/recipes/default.rb",
    ];
    let nested = flat.map(|path| format!("cookbooks/{path}"));
    let bundle = |lines: &str| {
        sandbox.write(
            "cookpack.toml",
            format!("[bundle]\nname = \"b\"\n{lines}\n[cookbooks]\nweb = {{ path = \"x\" }}\n"),
        );
    };
    for (lines, switch, wanted) in [
        ("", "", &flat.map(str::to_owned)),
        ("target = \"opsworks\"", "", &flat.map(str::to_owned)),
        ("target = \"ssm\"", "", &flat.map(str::to_owned)),
        ("target = \"chef-solo\"", "", &nested),
        ("layout = \"cookbooks\"", "", &nested),
        (
            "target = \"chef-solo\"\nlayout = \"flat\"",
            "",
            &flat.map(str::to_owned),
        ),
        ("", "--layout cookbooks", &nested),
        (
            "target = \"chef-solo\"",
            "--layout flat",
            &flat.map(str::to_owned),
        ),
    ] {
        bundle(lines);
        let file = sandbox.root().join("x.tar.gz");
        let mut command = sandbox.command("build".split(' ').chain(switch.split_whitespace()));
        finish(command.arg("-o").arg(&file)).ok();
        let archive = crate::support::Tarball::read(&std::fs::read(&file).expect("it"));
        assert_eq!(archive.paths(), *wanted, "{lines} {switch}");
    }
}

#[test]
fn the_folder_has_the_name_that_the_metadata_gives() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("some-folder-2.0", "web", "");
    sandbox.manifest("web = { path = \"some-folder-2.0\" }\n");
    assert!(sandbox.build("").has("web/recipes/default.rb"));
    // A lone cookbook as well, whatever folder it lies in.
    let mut command = sandbox.command(["files"]);
    let run = finish(command.current_dir(sandbox.path("some-folder-2.0"))).ok();
    assert!(run.lines().contains(&"web/recipes/default.rb"), "{run}");
}

/// The patterns that stand in real chefignore files, and those on which readers disagree.
const PATTERNS: &[&str] = &[
    "*.swp",
    "spec/*",
    "spec",
    "spec/",
    "/spec/*",
    "./spec/*",
    "spec/**",
    "spec/**/*",
    "*/.git",
    ".*",
    ".*/*",
    "*.md",
    "**/*.md",
    "*",
    "*/*",
    "a?b",
    "a[bc]d",
    "a[!b]d",
    "a[^b]d",
    "a[b-d]e",
    "a\\*b",
    "\\#*",
    "#*",
    ".#*",
    "*~",
    "{a,b}.rb",
    "!keep.rb",
    "tmp",
    "test/*/default",
    "[a-z]*",
    "RECIPES/*",
    "*.r[bx]",
    "files/*/x",
    "files/default/*.tmp",
    "ü*",
    "a[",
    "a[]d",
    "[]a]*",
    "x\\",
    "*.[!m]*",
    "***",
    "?",
    "???",
    "a*b*c",
    "[.]rspec",
    "\\.rspec",
    "?rspec",
    "[[:alpha:]]*",
];

const PATHS: &[&str] = &[
    "a.swp",
    "dir/a.swp",
    ".a.swp",
    "spec/a.rb",
    "spec/unit/b.rb",
    "spec/.rspec",
    "myspec/a.rb",
    "README.md",
    "docs/README.md",
    "docs/.x.md",
    ".x.md",
    ".rspec",
    ".rubocop.yml",
    "a-b",
    "axb",
    "abd",
    "acd",
    "aed",
    "abe",
    "ade",
    "a*b",
    "#x",
    ".#x",
    "x~",
    "a.rb",
    "b.rb",
    "{a,b}.rb",
    "keep.rb",
    "!keep.rb",
    "tmp",
    "tmpx/tmp",
    "test/integration/default",
    "test/a/b/default",
    "files/default/x",
    "files/default/y.tmp",
    "files/a/b/c.tmp",
    "über.txt",
    "u.txt",
    "sub/.hidden",
    "a[",
    "a]d",
    "]a",
    "x\\y",
    "q",
    "abc",
    "a1b2c",
    "recipes/default.rb",
];

#[test]
fn chefignore_matches_as_rubys_fnmatch_does() {
    if !have("ruby") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.cookbook(".", "web", "");
    // A file name with a backslash or a star would be refused were it not left out.
    let paths: Vec<&str> = PATHS
        .iter()
        .copied()
        .filter(|p| !p.contains(['*', '\\']))
        .collect();
    for path in &paths {
        sandbox.write(path, "x");
    }
    let mut truth = String::from("# encoding: utf-8\n");
    writeln!(truth, "paths = %w\x01{}\x01", paths.join(" ")).expect("text");
    truth += "while (pattern = gets)\n  pattern = pattern.chomp.force_encoding('UTF-8')\n";
    truth += "  puts paths.select { |p| File.fnmatch?(pattern, p) }.join(' ')\nend\n";
    sandbox.write("../truth.rb", truth);
    sandbox.write("../patterns", PATTERNS.join("\n") + "\n");
    let run = sandbox
        .shell("LC_ALL=C.UTF-8 ruby -Ku ../truth.rb < ../patterns")
        .ok();
    let answers: Vec<&str> = run.out().split('\n').collect();
    let mut compared = 0;
    let mut ignored = 0;
    for (pattern, answer) in PATTERNS.iter().zip(answers) {
        // What Chef drops before it matches.
        let is_comment = pattern.starts_with('#');
        let mut wanted: Vec<&str> = match is_comment {
            true => Vec::new(),
            false => answer.split_whitespace().collect(),
        };
        wanted.sort_unstable();
        sandbox.write("chefignore", format!("{pattern}\n"));
        let run = sandbox.run("files .");
        let run = run.ok();
        let included = run.lines();
        let mut found: Vec<&str> = paths
            .iter()
            .copied()
            .filter(|p| !included.contains(p))
            .collect();
        found.sort_unstable();
        assert_eq!(found, wanted, "what `{pattern}` ignores");
        compared += paths.len();
        ignored += found.len();
    }
    assert!(
        compared > 1500 && ignored > 150,
        "{compared} compared, {ignored} ignored"
    );
}

#[test]
fn chefignore_lines_are_trimmed_and_comments_and_blanks_are_nothing() {
    let sandbox = Sandbox::new();
    sandbox.cookbook(".", "web", "");
    for path in ["a.x", "b.x", "c.x", "#d.x", "e.x # not"] {
        sandbox.write(path, "");
    }
    sandbox.write(
        "chefignore",
        "# a.x\n\n  b.x  \r\n\t#c.x\n#d.x\ne.x # not\n",
    );
    let paths = lone(&sandbox);
    for kept in ["web/a.x", "web/c.x", "web/#d.x", "web/chefignore"] {
        assert!(paths.iter().any(|p| p == kept), "{kept} of {paths:?}");
    }
    for gone in ["web/b.x", "web/e.x # not"] {
        assert!(!paths.iter().any(|p| p == gone), "{gone} of {paths:?}");
    }
}

#[test]
fn chefignore_is_looked_for_up_to_the_sources_root_and_never_above() {
    let sandbox = Sandbox::new();
    // In a monorepo the nearest one counts, alone.
    let repo = sandbox.repo("repo");
    for name in ["a", "b"] {
        repo.cookbook(&format!("group/cookbooks/{name}"), name, "1.0.0");
        repo.write(&format!("group/cookbooks/{name}/x.near"), "");
        repo.write(&format!("group/cookbooks/{name}/x.far"), "");
        repo.write(&format!("group/cookbooks/{name}/x.root"), "");
    }
    repo.write("group/cookbooks/a/chefignore", "*.near\n");
    repo.write("group/chefignore", "*.far\n");
    repo.write("chefignore", "*.root\n");
    repo.commit("x");
    // A path source inside the project is looked at up to the project, one outside of it alone.
    for folder in ["own/c", "../outside/d"] {
        sandbox.cookbook(folder, &folder[folder.len() - 1..], "");
        for file in ["x.near", "x.far", "x.root"] {
            sandbox.write(format!("{folder}/{file}"), "");
        }
    }
    sandbox
        .write("own/chefignore", "*.near\n")
        .write("chefignore", "*.far\n")
        .write("../outside/chefignore", "*\n")
        .write("../chefignore", "*\n");
    sandbox.manifest(
        "a = { git = \"repo\", rel = \"group/cookbooks/a\" }\n\
         b = { git = \"repo\", rel = \"group/cookbooks/b\" }\n\
         c = { path = \"own/c\" }\n\
         d = { path = \"../outside/d\" }\n",
    );
    let paths = lone(&sandbox);
    let paths = paths.iter().map(String::as_str);
    let paths: Vec<&str> = paths.filter(|p| p.contains("/x.")).collect();
    let wanted = [
        "a/x.far", "a/x.root", "b/x.near", "b/x.root", "c/x.far", "c/x.root", "d/x.far",
        "d/x.near", "d/x.root",
    ];
    assert_eq!(paths, wanted);
    sandbox.remove("own/chefignore");
    let paths = lone(&sandbox);
    assert!(paths.contains(&"c/x.near".to_owned()) && !paths.contains(&"c/x.far".to_owned()));
}

#[test]
fn a_chefignore_elsewhere_than_in_the_folders_on_the_way_is_none() {
    let sandbox = Sandbox::new();
    sandbox.cookbook(".", "web", "");
    sandbox
        .write(".chef/chefignore", "*.x\n")
        .write("files/chefignore", "*.x\n")
        .write("a.x", "");
    assert!(lone(&sandbox).contains(&"web/a.x".to_owned()));
}

#[test]
fn what_tools_keep_beside_a_cookbook_is_left_out_at_any_depth() {
    let sandbox = Sandbox::new();
    sandbox.cookbook(".", "web", "");
    let folders = [".git", ".svn", ".hg", ".bzr", "_darcs", "CVS"];
    let files = ["Berksfile", "Berksfile.lock", "cookpack.lock"];
    for folder in folders {
        sandbox.write(format!("{folder}/config"), "x");
        sandbox.write(format!("files/deep/{folder}/x/y"), "x");
    }
    // In a worktree or a submodule `.git` is a file.
    sandbox.write("files/sub/.git", "gitdir: /elsewhere\n");
    for file in files {
        sandbox.write(
            file,
            match file {
                "cookpack.lock" => "version = 1\nrequirements = \"\"\n",
                _ => "x",
            },
        );
    }
    sandbox.remove("cookpack.lock");
    sandbox.write(
        "cookpack.toml",
        "[bundle]\nname = \"b\"\n[cookbooks]\nweb = { path = \".\" }\n",
    );
    for kept in [
        ".gitignore",
        ".gitattributes",
        "files/git",
        "CVSROOT",
        "my.git/x",
    ] {
        sandbox.write(kept, "x");
    }
    sandbox.ok("lock");
    let paths = lone(&sandbox);
    let wanted = [
        "web/.gitattributes",
        "web/.gitignore",
        "web/CVSROOT",
        "web/files/git",
        "web/metadata.json",
        "web/metadata.rb",
        "web/my.git/x",
        "web/recipes/default.rb",
    ];
    assert_eq!(paths, wanted);
    let run = sandbox.ok("files .");
    for name in files.iter().chain(&["cookpack.toml", "files/sub/.git"]) {
        let said = run
            .stderr
            .lines()
            .any(|l| l.contains("omitted") && l.contains(name));
        assert!(said, "nothing is said of {name}: {run}");
    }
}

#[test]
fn archives_that_cookpack_wrote_are_left_out_and_others_are_not() {
    let sandbox = Sandbox::new();
    sandbox.cookbook(".", "web", "");
    sandbox.write("files/theirs.tar.gz", [0x1f, 0x8b, 8, 0]);
    let first = sandbox.build_bytes("");
    sandbox.ok("build");
    sandbox.ok("build -o other.tar.gz");
    sandbox.ok("build -o pkg.tgz --layout cookbooks");
    sandbox.write("pkg/here", "x");
    sandbox.remove("pkg/here");
    sandbox.ok("build -o pkg/again.tar.gz");
    sandbox.ok("build --format zip");
    sandbox.ok("build --format tar");
    let second = sandbox.ok("files");
    let archive = sandbox.build("");
    assert!(sandbox.build_bytes("") == first, "{:?}", archive.paths());
    assert!(archive.has("web/files/theirs.tar.gz"));
    for name in [
        "web.tar.gz",
        "other.tar.gz",
        "pkg.tgz",
        "pkg/again.tar.gz",
        "web.zip",
        "web.tar",
    ] {
        let said = second
            .stderr
            .lines()
            .any(|l| l.contains("omitted") && l.contains(name));
        assert!(said, "nothing is said of {name}: {second}");
    }
    assert!(sandbox.read("web.tar.gz") == first);
}

#[test]
fn folders_without_files_are_nothing() {
    let sandbox = Sandbox::new();
    sandbox.cookbook(".", "web", "");
    std::fs::create_dir_all(sandbox.path("libraries/empty")).expect("folders");
    assert_eq!(lone(&sandbox).len(), 3);
}

#[test]
fn the_executable_bit_is_the_owners_and_no_other_bit_counts() {
    let sandbox = Sandbox::new();
    sandbox.cookbook(".", "web", "");
    let modes = [
        (0o400, 0o644),
        (0o644, 0o644),
        (0o666, 0o644),
        (0o700, 0o755),
        (0o755, 0o755),
        (0o777, 0o755),
        (0o611, 0o644),
        (0o4755, 0o755),
    ];
    for (mode, _) in modes {
        let path = format!("files/{mode:o}");
        sandbox.write(&path, "x");
        sandbox.chmod(&path, mode);
    }
    let archive = sandbox.build("");
    for (mode, wanted) in modes {
        let found = archive.member(&format!("web/files/{mode:o}")).mode();
        assert_eq!(found, wanted, "{mode:o}");
    }
}

#[test]
fn files_tells_of_each_file_what_becomes_of_it() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "");
    sandbox
        .write("web/a.swp", "")
        .write("web/Berksfile", "")
        .write("web/.git/HEAD", "");
    sandbox.write("web/chefignore", "*.swp\n");
    let run = sandbox.ok("files web");
    // What is compiled is no file of the folder.
    let wanted = ["chefignore", "metadata.rb", "recipes/default.rb"];
    assert_eq!(run.lines(), wanted);
    let line = |path: &str| {
        let mut lines = run.stderr.lines().filter(|l| l.contains(path));
        let line = lines
            .next()
            .unwrap_or_else(|| panic!("nothing of {path}: {run}"));
        assert!(lines.next().is_none(), "{path} twice: {run}");
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    // The reason names the line of the chefignore that did it.
    let ignored = line("a.swp");
    assert!(ignored.starts_with("omitted a.swp ("), "{ignored}");
    assert!(
        ignored.contains("chefignore:1") && ignored.contains("*.swp"),
        "{ignored}"
    );
    assert!(line("Berksfile").starts_with("omitted Berksfile ("));
    assert!(line(".git").starts_with("omitted .git"));
    assert_eq!(line("metadata.json"), "compiled metadata.json");
    // Without a folder: the archive's own paths, as the archive then has them.
    sandbox.manifest("web = { path = \"web\" }\n");
    let run = sandbox.ok("files");
    assert_eq!(run.lines(), sandbox.build("").paths());
    let run = sandbox.ok("files --json").json();
    assert!(
        run.to_string().contains("web/recipes/default.rb"),
        "{run:#}"
    );
}
