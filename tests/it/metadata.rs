//! `metadata.json`: compiled where there is none, kept where there is one.

use crate::support::{Sandbox, finish, have};

/// All that metadata.rb may say in its literal form.
const RUBY: &str = r#"# A cookbook.
name 'web'
maintainer "The \"Ops\" Team"
maintainer_email 'ops@example.com'
license 'Apache-2.0'
description 'Über </a> & more'
long_description "Two\nlines\tand a \\ in them"
version '1.2'
source_url 'https://example.com/web'
issues_url 'https://example.com/web/issues'
chef_version '>= 12.5', '< 19'
chef_version '>= 13'
ohai_version '>= 8'
privacy true

supports 'ubuntu', '>= 16.04'
supports 'amazon'
depends 'zlib', '~> 1.0'
depends 'apt'
depends 'b', '1.2.3'
gem 'aws-sdk', '~> 3'
eager_load_libraries false
"#;

/// What Chef's own encoder makes of it.
const JSON: &str = r#"{
  "name": "web",
  "description": "Über </a> & more",
  "long_description": "Two\nlines\tand a \\ in them",
  "maintainer": "The \"Ops\" Team",
  "maintainer_email": "ops@example.com",
  "license": "Apache-2.0",
  "platforms": {
    "ubuntu": ">= 16.04",
    "amazon": ">= 0.0.0"
  },
  "dependencies": {
    "zlib": "~> 1.0",
    "apt": ">= 0.0.0",
    "b": "= 1.2.3"
  },
  "providing": {

  },
  "recipes": {

  },
  "version": "1.2.0",
  "source_url": "https://example.com/web",
  "issues_url": "https://example.com/web/issues",
  "privacy": true,
  "chef_versions": [
    [
      "< 19",
      ">= 12.5"
    ],
    [
      ">= 13"
    ]
  ],
  "ohai_versions": [
    [
      ">= 8"
    ]
  ],
  "gems": [
    [
      "aws-sdk",
      "~> 3"
    ]
  ],
  "eager_load_libraries": false
}
"#;

/// What stands in for all that a metadata.rb does not say.
const SMALL: &str = r#"{
  "name": "web",
  "description": "",
  "long_description": "",
  "maintainer": "",
  "maintainer_email": "",
  "license": "All rights reserved",
  "platforms": {

  },
  "dependencies": {

  },
  "providing": {

  },
  "recipes": {

  },
  "version": "0.0.0",
  "source_url": "",
  "issues_url": "",
  "privacy": false,
  "chef_versions": [

  ],
  "ohai_versions": [

  ],
  "gems": [

  ],
  "eager_load_libraries": true
}
"#;

fn lone(ruby: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .write("metadata.rb", ruby)
        .write("recipes/default.rb", "");
    sandbox
}

#[test]
fn compiled_metadata_is_in_chefs_order_and_style() {
    let sandbox = lone(RUBY);
    sandbox.write(
        "cookpack.toml",
        "[bundle]\nname = \"b\"\nprovided = [\"zlib\", \"apt\", \"b\"]\n[cookbooks]\nweb = { path = \".\" }\n",
    );
    let archive = sandbox.build("");
    assert_eq!(archive.text("web/metadata.json"), JSON);
    assert_eq!(archive.text("web/metadata.rb"), RUBY, "metadata.rb is kept");
    assert_eq!(sandbox.ok("metadata .").out(), JSON);
    assert_eq!(sandbox.ok("metadata").out(), JSON);
    assert_eq!(lone("name 'web'\n").ok("metadata").out(), SMALL);
}

#[test]
fn ruby_reads_what_was_compiled() {
    if !have("ruby") {
        return;
    }
    let sandbox = lone(RUBY);
    let script = "\"$cookpack\" metadata > ../m.json\n\
                  ruby -rjson -e 'm = JSON.parse(File.read(\"../m.json\", encoding: \"UTF-8\"))\n\
                  puts m.keys.size, m[\"description\"], m[\"dependencies\"].keys.join(\",\")'";
    let run = sandbox.shell(script).ok();
    assert_eq!(run.lines(), ["18", "Über </a> & more", "zlib,apt,b"]);
}

#[test]
fn metadata_json_wins_and_is_kept_byte_for_byte() {
    let sandbox = lone("name 'web'\nversion '1.0.0'\n");
    let json = "{ \"version\":\"3.1.4\",\r\n\t\"name\": \"web\", \"future\": [1e3, null], \"x\": \"\\u00fc\" }\n\n";
    sandbox.write("metadata.json", json);
    let archive = sandbox.build("");
    assert_eq!(archive.text("web/metadata.json"), json);
    assert_eq!(
        archive.text("web/metadata.rb"),
        "name 'web'\nversion '1.0.0'\n"
    );
    assert!(sandbox.ok("tree").out().contains("3.1.4"));
    // It is enough alone.
    sandbox.remove("metadata.rb");
    assert_eq!(sandbox.build("").text("web/metadata.json"), json);
}

#[test]
fn a_metadata_json_that_chefignore_leaves_out_is_not_lost() {
    let sandbox = lone("name 'web'\nversion '1.0.0'\n");
    sandbox.write(
        "metadata.json",
        "{\"name\": \"web\", \"version\": \"2.0.0\"}",
    );
    sandbox.write("chefignore", "metadata.json\n");
    // Whichever of the two it is, the archive's only metadata.json says one thing with the receipt.
    let run = sandbox.run("build -o ../x.tar.gz --json");
    if run.code == Some(0) {
        let bytes = std::fs::read(sandbox.root().join("x.tar.gz")).expect("the archive");
        let archive = crate::support::Tarball::read(&bytes);
        let packed: serde_json::Value =
            serde_json::from_str(archive.text("web/metadata.json")).expect("JSON");
        assert_eq!(packed["version"], run.json()["cookbooks"][0]["version"]);
    } else {
        run.fails(1).says(["metadata.json", "chefignore"]);
    }
}

#[test]
fn what_metadata_computes_is_computed_without_running_it() {
    for (line, version) in [
        ("version \"1.#{1 + 1}.0\"", "1.2.0"),
        ("version '1.3.0' if true", "1.3.0"),
        ("x = '1.4.0'\nversion x", "1.4.0"),
        (
            "version IO.read(File.join(File.dirname(__FILE__), 'VERSION'))",
            "1.5.0",
        ),
        ("version IO.read('NONE') rescue '9.9.9'", "0.0.0"),
        ("%w(1.6.0).each { |x| version x }", "1.6.0"),
    ] {
        let sandbox = lone(&format!("name 'web'\n{line}\n"));
        sandbox.write("VERSION", "1.5.0\n");
        let json = sandbox.ok("metadata").json();
        assert_eq!(json["version"].as_str(), Some(version), "{line}");
        // From a git tree the same, without a checkout.
        sandbox.repo(".").commit("x");
        sandbox.manifest("web = { git = \".\" }\n");
        let archive = sandbox.build("");
        let packed: serde_json::Value =
            serde_json::from_str(archive.text("web/metadata.json")).expect("JSON");
        assert_eq!(packed, json, "{line}");
    }
}

#[test]
fn what_cannot_be_known_is_an_error_with_its_line_and_never_a_wrong_value() {
    let mut problems = Vec::new();
    for (line, says) in [
        ("version IO.read('VERSION')", "metadata.rb:2"),
        ("version IO.read('/etc/hostname')", "metadata.rb:2"),
        ("version IO.read('../VERSION')", "metadata.rb:2"),
        ("version `date`", "metadata.rb:2"),
        ("version Time.now.to_s", "metadata.rb:2"),
        ("system('touch trapped')", "metadata.rb:2"),
        ("depends DEPENDENCY", "metadata.rb:2"),
        ("version '1.0.0', '2.0.0'", "metadata.rb:2"),
        ("version 'one'", "metadata.rb:2"),
        ("version '1.2.3.4'", "metadata.rb:2"),
        ("depends 'x', 'about 1'", "metadata.rb:2"),
        ("depends 'x', '~> 1', '< 2'", "metadata.rb:2"),
        ("depends", "metadata.rb:2"),
        ("version '1.0.0", "metadata.rb:2"),
        ("def x", "metadata.rb:"),
        ("__END__ x(", "metadata.rb:2"),
    ] {
        let run = lone(&format!("name 'web'\n{line}\n")).run("build");
        let told = [says, "^"].iter().all(|text| run.stderr.contains(text));
        if run.code != Some(1) || !told {
            problems.push(format!("--- {line}\n{run}"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn a_name_is_needed_and_the_last_word_counts() {
    // As older Chef did, with a word about it.
    let run = lone("version '1.0.0'\n").run("build").ok();
    run.says(["warning", "metadata.rb", "name 'project'"]);
    let sandbox = lone("name 'old'\nname 'web'\nversion '1.0.0'\nversion '2.0.0'\n");
    let run = sandbox.ok("metadata").json();
    assert_eq!(
        (run["name"].as_str(), run["version"].as_str()),
        (Some("web"), Some("2.0.0"))
    );
    lone("name 'we b'\n")
        .run("build")
        .fails(1)
        .says(["we b", "metadata.rb:1"]);
}

#[test]
fn words_that_chef_ignores_are_ignored() {
    let sandbox = lone(
        "name 'web'\nattribute 'a/b', :default => 'x'\ngrouping 'x'\nrecipe 'web', 'text'\nfuture_word 1\n",
    );
    let run = sandbox.run("metadata").ok();
    assert_eq!(run.json()["name"], "web");
}

#[test]
fn broken_metadata_json_is_shown_with_its_line() {
    for json in ["{\n  \"name\": \"web\",\n}", "[]", "", "{\"name\": 1}"] {
        let sandbox = Sandbox::new();
        sandbox.write("metadata.json", json);
        sandbox.run("build").fails(1).says(["metadata.json"]);
    }
    let sandbox = Sandbox::new();
    sandbox.write(
        "metadata.json",
        "{\n  \"name\": \"web\",\n  \"version\": \"x\"\n}",
    );
    sandbox.run("build").fails(1).says(["metadata.json", "`x`"]);
}

#[test]
fn metadata_of_another_folder_and_of_no_cookbook() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("a/b", "web", "");
    assert_eq!(sandbox.ok("metadata a/b").json()["name"], "web");
    let mut command = sandbox.command(["metadata", "a"]);
    finish(&mut command)
        .fails(1)
        .says(["metadata.rb", "metadata.json"]);
    sandbox.run("metadata absent").fails(1).says(["absent"]);
}

#[test]
fn metadata_that_needs_ruby_can_be_declared_in_the_manifest() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("apt", "apt", "");
    sandbox.write("odd/metadata.rb", "name 'odd'\nversion `git describe`\n");
    let apt = "apt = { path = \"apt\" }\n";
    sandbox.manifest(&format!("odd = {{ path = \"odd\" }}\n{apt}"));
    sandbox
        .run("build")
        .fails(1)
        .says(["odd/metadata.rb:2", "`override`", "cookpack.toml"]);
    let overrides = "{ version = \"1.2\", depends = { apt = \">= 0.0.0\" } }";
    sandbox.manifest(&format!(
        "odd = {{ path = \"odd\", override = {overrides} }}\n{apt}"
    ));
    let archive = sandbox.build("");
    let compiled = archive.text("odd/metadata.json");
    assert!(compiled.contains("\"version\": \"1.2.0\""), "{compiled}");
    assert!(compiled.contains("\"apt\": \">= 0.0.0\""), "{compiled}");
    assert!(archive.paths().contains(&"odd/metadata.rb"));
    // Chef would read a metadata.json all the same.
    sandbox.write("odd/metadata.json", "{\"name\": \"odd\"}");
    sandbox
        .run("build")
        .fails(1)
        .says(["odd/metadata.json", "cookpack.toml:5", "override"]);
}

#[test]
fn every_character_of_a_text_reaches_the_standard_output() {
    let sandbox = lone("name 'web'\ndescription \"a\\u007fb\\u0085c\\u001b[31md\"\n");
    let run = sandbox.ok("metadata");
    let out = run.out();
    assert!(out.contains("a\u{7f}b\u{85}c\\u001B[31md"), "{out:?}");
}
