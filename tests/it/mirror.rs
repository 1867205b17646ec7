//! What is locked, written as a source of its own.

use crate::support::{Sandbox, Supermarket, Tarball};

/// A project with a cookbook of a Supermarket, one of a repository and one of a folder.
fn project(market: &Supermarket) -> Sandbox {
    let sandbox = Sandbox::new();
    market.publish("apt", "7.0.0", &[]);
    market.publish("apt", "7.1.0", &[]);
    sandbox
        .repo("repos/java")
        .cookbook(".", "java", "2.0.0")
        .commit("x");
    sandbox.cookbook(
        "cookbooks/web",
        "web",
        "depends 'apt', '~> 7.0'\ndepends 'java'\n",
    );
    sandbox.manifest(&format!(
        "web = {{ path = \"cookbooks/web\" }}\njava = {{ git = \"repos/java\" }}\n\n[[sources]]\nsupermarket = \"{}\"\n",
        market.url()
    ));
    sandbox
}

#[test]
fn a_mirror_gives_the_same_cookbooks_to_whoever_reaches_nothing_else() {
    let market = Supermarket::start();
    let sandbox = project(&market);
    let run = sandbox.ok("mirror ../mirror");
    assert!(run.out().contains("3 cookbooks"), "{run}");
    let universe: serde_json::Value =
        serde_json::from_str(&sandbox.text("../mirror/universe")).expect("JSON");
    assert_eq!(universe["apt"]["7.1.0"]["location_type"], "uri");
    assert_eq!(universe["web"]["1.0.0"]["dependencies"]["apt"], "~> 7.0");
    assert!(universe["apt"]["7.0.0"].is_null(), "exactly what is locked");
    // What a source gave stays as it is, byte for byte.
    assert_eq!(
        sandbox.read("../mirror/apt-7.1.0.tar.gz"),
        market.tarball("apt", "7.1.0")
    );
    let java = Tarball::read(&sandbox.read("../mirror/java-2.0.0.tar.gz"));
    assert!(java.text("java/metadata.rb").contains("name 'java'"));

    // Another machine: nothing but the mirror is there.
    drop(market);
    let files = sandbox.ok("files").out().to_owned();
    let other = Sandbox::new();
    let mirror = sandbox.path("../mirror");
    other.manifest(&format!(
        "web = \">= 0\"\n\n[[sources]]\nuniverse = \"file://{}\"\n",
        std::fs::canonicalize(mirror).expect("a folder").display()
    ));
    let listed = other.ok("files").out().to_owned();
    let own = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.ends_with("metadata.json"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(own(&listed), own(&files));
}

#[test]
fn a_mirror_is_brought_up_to_date_and_nothing_else_is_touched() {
    let market = Supermarket::start();
    let sandbox = project(&market);
    sandbox.ok("mirror ../mirror --base-url https://mirror.example.com/chef/");
    let universe = sandbox.text("../mirror/universe");
    let address = "https://mirror.example.com/chef/apt-7.1.0.tar.gz";
    assert!(universe.contains(address), "{universe}");
    sandbox.write("../mirror/README.md", "kept");
    market.publish("apt", "7.2.0", &[]);
    sandbox.ok("update");
    let json = sandbox.ok("mirror ../mirror --json").json();
    assert_eq!(json["files"][0], "apt-7.2.0.tar.gz");
    assert!(sandbox.exists("../mirror/apt-7.2.0.tar.gz"));
    assert!(
        !sandbox.exists("../mirror/apt-7.1.0.tar.gz"),
        "it is not locked any more"
    );
    assert_eq!(sandbox.text("../mirror/README.md"), "kept");

    // A folder of somebody else's is not written into.
    sandbox.write("../own/notes", "mine");
    let run = sandbox.run("mirror ../own").fails(1);
    run.says(["something else than an earlier mirror"]);
    assert!(!sandbox.exists("../own/universe"));
}
