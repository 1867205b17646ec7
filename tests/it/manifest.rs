//! The manifest: where it is found, and how its errors read.

use crate::support::{Sandbox, finish};

const GOOD: &str = "web = { path = \"web\" }\n";

#[test]
fn errors_show_the_line_the_span_and_what_is_allowed() {
    // The manifest, the line that is wrong, the text that is marked, what is said beside it.
    let head = "[bundle]\nname = \"b\"\n";
    let table: &[(&str, usize, &str, &[&str])] = &[
        ("[bundel]\nname = \"b\"\n", 1, "bundel", &["bundle"]),
        ("[bundle]\nnmae = \"b\"\n", 2, "nmae", &["name"]),
        ("[bundle]\nname = 3\n", 2, "3", &["string"]),
        (
            "[bundle]\nname = \"b\"\ntarget = \"opswork\"\n",
            3,
            "\"opswork\"",
            &["opsworks", "ssm", "chef-solo"],
        ),
        (
            "[bundle]\nname = \"b\"\nlayout = \"nested\"\n",
            3,
            "\"nested\"",
            &["flat", "cookbooks"],
        ),
        (
            "[bundle]\nname = \"b\"\nrun_list = \"web\"\n",
            3,
            "\"web\"",
            &["run_list"],
        ),
        (
            "[bundle]\nname = \"b\"\nrun_list = [1]\n",
            3,
            "1",
            &["string"],
        ),
        (
            "[bundle]\nname = \"b\"\nprovided = [\"a b\"]\n",
            3,
            "\"a b\"",
            &["a b"],
        ),
        ("[bundle]\nname = \"../b\"\n", 2, "\"../b\"", &["name"]),
        ("[bundle]\nname = \"\"\n", 2, "\"\"", &["name"]),
        ("name = \"b\"\n", 1, "name", &["bundle"]),
        ("[bundle\n", 1, "", &[]),
        (
            "[bundle]\nname = \"b\"\nname = \"c\"\n",
            3,
            "name",
            &["duplicate"],
        ),
    ];
    let cookbooks: &[(&str, &str, &[&str])] = &[
        (
            "web = { path = \"web\", brnach = \"x\" }",
            "brnach",
            &["branch"],
        ),
        (
            "web = { git = \"x\", brnach = \"x\" }",
            "brnach",
            &["branch"],
        ),
        (
            "web = { git = \"x\", branch = \"a\", tag = \"b\" }",
            "",
            &["branch", "tag"],
        ),
        ("web = { git = \"x\", path = \"y\" }", "", &["git", "path"]),
        ("web = { path = \"web\", branch = \"x\" }", "", &["git"]),
        ("web = { path = \"web\", rel = \"x\" }", "", &["git"]),
        ("web = {}", "", &["git", "path"]),
        ("web = { version = \"1.0\" }", "", &["git", "path"]),
        ("web = { git = 1 }", "1", &["string"]),
        ("web = { git = \"\" }", "\"\"", &[]),
        ("web = { path = \"\" }", "\"\"", &[]),
        (
            "web = { git = \"x\", rel = \"../y\" }",
            "\"../y\"",
            &["rel"],
        ),
        ("web = { git = \"x\", rel = \"/y\" }", "\"/y\"", &["rel"]),
        (
            "web = { git = \"x\", commit = \"xyz\" }",
            "\"xyz\"",
            &["commit"],
        ),
        (
            "web = { git = \"x\", commit = \"abc\" }",
            "\"abc\"",
            &["commit"],
        ),
        ("web = { git = \"x\", branch = \"\" }", "\"\"", &[]),
        (
            "web = { path = \"web\", version = \"about 1\" }",
            "\"about 1\"",
            &["~>"],
        ),
        (
            "web = { path = \"web\", version = \"~> 1.2.3.4\" }",
            "\"~> 1.2.3.4\"",
            &[],
        ),
        (
            "web = { path = \"web\", lfs = true }",
            "lfs",
            &["belongs to `git`"],
        ),
        (
            "web = { github = \"a/b\", git = \"x\" }",
            "\"a/b\"",
            &["both `git` and `github`"],
        ),
        (
            "web = { github = \"https://github.com/a/b\" }",
            "\"https://github.com/a/b\"",
            &["`owner/repository`"],
        ),
        (
            "web = { github = \"a/b.git\" }",
            "\"a/b.git\"",
            &["without `.git`"],
        ),
        (
            "web = { git = \"git://example.com/a.git\" }",
            "\"git://example.com/a.git\"",
            &["write https://"],
        ),
        (
            "web = { git = \"HTTPS://me:s3cret@example.com/a.git\" }",
            "",
            &["lower case"],
        ),
        (
            "web = { git = \"x\", commit = \"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\" }",
            "",
            &["SHA-256"],
        ),
        (
            "all = { git = \"x\", glob = \"cookbooks/*\", rel = \"cookbooks\" }",
            "rel",
            &["names many", "into the pattern"],
        ),
        (
            "all = { path = \"x\", glob = \"**\" }",
            "\"**\"",
            &["each level"],
        ),
        (
            "all = { path = \"x\", glob = \"cookbooks\" }",
            "\"cookbooks\"",
            &["`cookbooks/*`"],
        ),
        ("all = { glob = \"*\" }", "", &["`git = ", "`path = "]),
        ("web = \"one\"", "\"one\"", &["~>"]),
        ("web = 3", "3", &[]),
        ("web = [\"x\"]", "[\"x\"]", &[]),
        ("\"w b\" = { path = \"web\" }", "\"w b\"", &["letters"]),
    ];
    let mut all: Vec<(String, usize, &str, &[&str])> = table
        .iter()
        .map(|(text, line, span, says)| (format!("{text}[cookbooks]\n{GOOD}"), *line, *span, *says))
        .collect();
    for (line, span, says) in cookbooks {
        all.push((format!("{head}[cookbooks]\n{line}\n"), 4, *span, *says));
    }
    let problems: Vec<String> = all
        .into_iter()
        .flat_map(|(text, line, span, says)| problems(&text, line, span, says))
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// What is wrong with the error that a manifest gives.
fn problems(text: &str, line: usize, span: &str, says: &[&str]) -> Vec<String> {
    let sandbox = Sandbox::new();
    sandbox
        .cookbook("web", "web", "")
        .write("cookpack.toml", text);
    let run = sandbox.run("build");
    let shown = text.lines().nth(line - 1).expect("the line");
    let place = format!("cookpack.toml:{line}");
    let mut problems = Vec::new();
    let mut wanted = vec![&*place, shown];
    wanted.extend(says);
    for text in wanted {
        if !run.stderr.contains(text) {
            problems.push(format!("does not say {text:?}"));
        }
    }
    // The mark stands below the span, and is as long.
    let lines: Vec<&str> = run.stderr.lines().collect();
    match lines.iter().position(|l| l.contains('^')) {
        None => problems.push("marks nothing".to_owned()),
        Some(at) => {
            let (start, end) = (lines[at].find('^'), lines[at].rfind('^'));
            let (start, end) = (start.expect("a mark"), end.expect("a mark"));
            let above = lines[at - 1];
            let marked = &above[start.min(above.len())..above.len().min(end + 1)];
            if !span.is_empty() && marked != span {
                problems.push(format!("marks {marked:?} instead of {span:?}"));
            }
        }
    }
    if run.code != Some(1) {
        problems.push(format!("ends with {:?}", run.code));
    }
    for path in ["cookpack.lock", "bundle.tar.gz"] {
        if sandbox.exists(path) {
            problems.push(format!("wrote {path}"));
        }
    }
    let said = &run.stderr;
    let told = problems.into_iter();
    told.map(|problem| format!("--- {shown}\n{problem}:\n{said}"))
        .collect()
}

#[test]
fn a_span_beyond_ascii_is_marked_where_it_is() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "cookpack.toml",
        "[bundle]\nname = \"b\" # größe\nlayuot = \"日本\"\n",
    );
    let run =
        sandbox
            .run("build")
            .fails(1)
            .says(["cookpack.toml:3", "layuot = \"日本\"", "layout"]);
    assert!(run.stderr.contains("^^^^^^"), "{run}");
}

#[test]
fn every_problem_of_a_manifest_is_told_at_once_or_the_first_alone() {
    // Never the second without the first.
    let sandbox = Sandbox::new();
    sandbox.write(
        "cookpack.toml",
        "[bundle]\nnmae = \"b\"\ntagret = \"ssm\"\n",
    );
    sandbox
        .run("build")
        .fails(1)
        .says(["cookpack.toml:2", "nmae"]);
}

#[test]
fn a_manifest_is_found_in_the_folder_and_nowhere_above() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "").manifest(GOOD);
    std::fs::create_dir(sandbox.path("empty")).expect("a folder");
    let mut command = sandbox.command(["build"]);
    let run = finish(command.current_dir(sandbox.path("empty"))).fails(1);
    run.says(["cookpack.toml", "metadata.rb", "cookpack init"]);
    // The cookbook's own folder has no manifest: it stands for itself.
    let mut command = sandbox.command(["build"]);
    finish(command.current_dir(sandbox.path("web"))).ok();
    assert!(sandbox.exists("web/web.tar.gz"));
    assert!(sandbox.exists("web/cookpack.lock"));
    // cookpack.toml goes before metadata.
    sandbox.write(
        "web/cookpack.toml",
        "[bundle]\nname = \"other\"\n[cookbooks]\nweb = { path = \".\" }\n",
    );
    let mut command = sandbox.command(["build"]);
    finish(command.current_dir(sandbox.path("web"))).ok();
    assert!(sandbox.exists("web/other.tar.gz"));
}

#[test]
fn the_manifest_path_may_be_anything_that_leads_to_a_manifest() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("p/web", "web", "");
    sandbox.write(
        "p/other-name.toml",
        "[bundle]\nname = \"x\"\n[cookbooks]\nweb = { path = \"web\" }\n",
    );
    sandbox.ok("build --manifest-path p/other-name.toml");
    sandbox.ok("--manifest-path p/other-name.toml build");
    sandbox
        .run("build --manifest-path p/absent.toml")
        .fails(1)
        .says(["p/absent.toml"]);
}

#[test]
fn an_empty_bundle_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.write("cookpack.toml", "[bundle]\nname = \"b\"\n");
    sandbox.run("build").fails(1).says(["cookbooks"]);
    sandbox.write("cookpack.toml", "");
    sandbox.run("build").fails(1).says(["bundle"]);
}

#[test]
fn a_manifest_that_is_not_utf_8_or_has_a_byte_order_mark() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "");
    sandbox.write("cookpack.toml", b"[bundle]\nname = \"caf\xe9\"\n");
    sandbox
        .run("build")
        .fails(1)
        .says(["cookpack.toml", "UTF-8"]);
    let text = format!("\u{feff}[bundle]\r\nname = \"b\"\r\n[cookbooks]\r\n{GOOD}");
    sandbox.write("cookpack.toml", text);
    sandbox.ok("build");
}

#[test]
fn what_a_manifest_says_of_git_is_printed_again() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "cookpack.toml",
        "[bundle]\nname = \"b\"\n[git]\nexecutable = true\n[cookbooks]\n\
         web = { github = \"example/web\", ref = \"refs/pull/1/head\", lfs = true }\n\
         old = { git = \"git://github.com/example/old.git\" }\n\
         all = { git = \"../chef\", glob = \"cookbooks/*\" }\n\
         site = { path = \".\", glob = \"site/*\", groups = [\"test\"] }\n",
    );
    let document = sandbox.ok("manifest --json").json();
    let location = |index: usize| document["dependencies"][index]["location"].clone();
    assert_eq!(
        location(1),
        serde_json::json!({
            "git": "https://github.com/example/web.git", "ref": "refs/pull/1/head", "lfs": true
        })
    );
    assert_eq!(location(0)["git"], "https://github.com/example/old.git");
    assert_eq!(
        document["globs"],
        serde_json::json!([
            { "label": "all", "glob": "cookbooks/*", "groups": ["default"],
              "location": { "git": "../chef" } },
            { "label": "site", "glob": "site/*", "groups": ["test"], "location": { "path": "." } },
        ])
    );
    assert_eq!(
        document["git"],
        serde_json::json!({ "executable": true, "protocol": "https" })
    );
    let printed = sandbox.ok("manifest").out().to_owned();
    sandbox.write("cookpack.toml", &printed);
    assert_eq!(sandbox.ok("manifest --json").json(), document);
    assert_eq!(sandbox.ok("manifest").out(), printed);
}

#[test]
fn the_protocol_of_short_forms_is_a_setting() {
    let sandbox = Sandbox::new();
    let (https, ssh) = (
        "\"https://github.com/example/web.git\"",
        "\"git@github.com:example/web.git\"",
    );
    sandbox
        .write(
            "cookpack.toml",
            "[bundle]\nname = \"b\"\n[cookbooks]\nweb = { github = \"example/web\" }\n",
        )
        .write("Berksfile", "cookbook 'web', github: 'example/web'\n")
        .write(
            "Policyfile.rb",
            "name 'p'\nrun_list 'web'\ncookbook 'web', github: 'example/web'\n",
        )
        .write("Cheffile", "cookbook 'web', github: 'example/web'\n");
    for file in ["cookpack.toml", "Berksfile", "Policyfile.rb", "Cheffile"] {
        let shown = |args: &str, variable: &str| {
            let args = format!("manifest {file} {args}");
            let mut command = sandbox.command(args.split_whitespace());
            let run = finish(command.env("COOKPACK_GIT_PROTOCOL", variable)).ok();
            run.out().to_owned()
        };
        assert!(shown("", "").contains(https), "{file}");
        assert!(shown("", "ssh").contains(ssh), "{file}");
        assert!(shown("--git-protocol ssh", "").contains(ssh), "{file}");
        assert!(
            shown("--git-protocol https", "ssh").contains(https),
            "{file}"
        );
    }
    // A file's own goes before.
    sandbox.write(
        "Berksfile",
        "cookbook 'a', github: 'example/web', protocol: :https\ncookbook 'b', github: 'x/b'\n",
    );
    let run = sandbox.ok("manifest Berksfile --git-protocol ssh");
    assert!(run.out().contains(https), "{run}");
    assert!(run.out().contains("git@github.com:x/b.git"), "{run}");
    let mut command = sandbox.command(["manifest", "Berksfile"]);
    finish(command.env("COOKPACK_GIT_PROTOCOL", "git"))
        .fails(2)
        .says(["COOKPACK_GIT_PROTOCOL", "`https`, `ssh`"]);
}

#[test]
fn credentials_in_a_refused_address_are_not_shown_in_the_message() {
    let sandbox = Sandbox::new();
    sandbox.manifest("web = { git = \"git+https://me:s3cret@example.com/a.git\" }\n");
    let run = sandbox.run("build").fails(1).says(["write https://"]);
    // The line itself is the person's own, and is shown as it is written.
    let message = run.stderr.lines().next().expect("a message");
    assert!(!message.contains("s3cret"), "{run}");
}
