//! What a dependency's own manifest says of the places of cookbooks: taken over only when that is asked
//! for.

use super::{locked, versions};
use crate::support::{Sandbox, Supermarket};

/// web is in a repository, and its Berksfile places lib in another one. A source has a lib as well.
fn project(bundle: &str, market: &Supermarket) -> Sandbox {
    let sandbox = Sandbox::new();
    let lib = sandbox.repo("repos/lib");
    lib.cookbook(".", "lib", "2.0.0").commit("x");
    let web = sandbox.repo("repos/web");
    web.cookbook_with(".", "web", "1.0.0", "depends 'lib'\n");
    web.write(
        "Berksfile",
        format!("metadata\ncookbook 'lib', git: '{}'\n", address(&sandbox)),
    );
    web.commit("x");
    write(&sandbox, bundle, "", market);
    sandbox
}

/// The address of lib's repository.
fn address(sandbox: &Sandbox) -> String {
    format!("file://{}", sandbox.path("repos/lib").display())
}

fn write(sandbox: &Sandbox, bundle: &str, cookbooks: &str, market: &Supermarket) {
    sandbox.write(
        "cookpack.toml",
        format!(
            "[bundle]\nname = \"bundle\"\n{bundle}\n[cookbooks]\nweb = {{ git = \"repos/web\" }}\n{cookbooks}\n\
             [[sources]]\nsupermarket = \"{}\"\n",
            market.url()
        ),
    );
}

#[test]
fn a_dependencys_own_sources_count_when_that_is_asked_for() {
    let market = Supermarket::start();
    let sandbox = project("transitive_sources = true\n", &market);
    let run = sandbox.ok("build");
    let address = address(&sandbox);
    let told: Vec<_> = run
        .stderr
        .lines()
        .filter(|line| line.contains(&address))
        .collect();
    assert!(
        told.iter()
            .any(|line| line.contains("lib") && line.contains("web")),
        "{run}"
    );
    assert!(locked(&sandbox, "lib").contains(&format!("git = \"{address}\"\n")));
    assert_eq!(versions(&sandbox), ["lib 2.0.0", "web 1.0.0"]);
    // Locked means locked: the repository goes on, and the build does not.
    let lock = sandbox.text("cookpack.lock");
    sandbox
        .repo("repos/lib")
        .cookbook(".", "lib", "3.0.0")
        .commit("y");
    let bytes = sandbox.build_bytes("--locked");
    assert_eq!(sandbox.build_bytes("--frozen"), bytes);
    assert_eq!(sandbox.text("cookpack.lock"), lock);
    sandbox.ok("update");
    assert_eq!(versions(&sandbox), ["lib 3.0.0", "web 1.0.0"]);
}

#[test]
fn a_dependencys_own_sources_do_not_count_otherwise() {
    for bundle in ["", "transitive_sources = false\n"] {
        let market = Supermarket::start();
        let sandbox = project(bundle, &market);
        let run = sandbox.run("build").fails(1);
        let run = run.says(["`lib`", "metadata.rb:3"]);
        assert!(!run.stderr.contains(&address(&sandbox)), "{run}");
        // A source that has it is where it is from.
        market.publish("lib", "1.0.0", &[]);
        sandbox.ok("build");
        assert_eq!(versions(&sandbox), ["lib 1.0.0", "web 1.0.0"]);
    }
}

#[test]
fn the_projects_own_word_goes_before_a_dependencys() {
    let market = Supermarket::start();
    market.publish("lib", "1.0.0", &[]);
    let sandbox = project("transitive_sources = true\n", &market);
    sandbox.cookbook("mine", "lib", "");
    let bundle = "transitive_sources = true\n";
    write(&sandbox, bundle, "lib = { path = \"mine\" }\n", &market);
    let run = sandbox.ok("build");
    assert!(!run.stderr.contains(&address(&sandbox)), "{run}");
    assert!(locked(&sandbox, "lib").contains("path = \"mine\"\n"));
    // What is adopted goes before a source, and has to fit what the project asks for.
    sandbox.forget_lock();
    write(&sandbox, bundle, "", &market);
    sandbox.ok("build");
    assert_eq!(versions(&sandbox), ["lib 2.0.0", "web 1.0.0"]);
    sandbox.forget_lock();
    write(&sandbox, bundle, "lib = \"~> 1.0\"\n", &market);
    sandbox
        .run("build")
        .fails(1)
        .says(["`lib`", "2.0.0", "~> 1.0"]);
}

#[test]
fn what_is_adopted_may_say_of_more() {
    let market = Supermarket::start();
    let sandbox = project("transitive_sources = true\n", &market);
    // lib's own places deep beside it, at the same commit, and stray, which nobody wants.
    let lib = sandbox.repo("repos/lib");
    lib.cookbook_with("cookbooks/lib", "lib", "2.1.0", "depends 'deep'\n");
    lib.cookbook("cookbooks/deep", "deep", "1.4.0");
    lib.write(
        "cookbooks/lib/Berksfile",
        "metadata\ncookbook 'deep', path: '../deep'\ncookbook 'stray', git: 'file:///nowhere'\n",
    );
    lib.commit("y");
    let web = sandbox.repo("repos/web");
    let source = format!(
        "cookbook 'lib', git: '{}', rel: 'cookbooks/lib'\n",
        address(&sandbox)
    );
    web.write("Berksfile", source).commit("y");
    let run = sandbox.ok("build");
    assert_eq!(versions(&sandbox), ["deep 1.4.0", "lib 2.1.0", "web 1.0.0"]);
    let commit = lib.git("rev-parse HEAD");
    for name in ["deep", "lib"] {
        let block = locked(&sandbox, name);
        assert!(
            block.contains(&format!("commit = \"{commit}\"\n")),
            "{block}"
        );
        assert!(
            block.contains(&format!("rel = \"cookbooks/{name}\"\n")),
            "{block}"
        );
        let told = run
            .stderr
            .lines()
            .filter(|line| line.starts_with(&format!("took {name} from ")));
        assert_eq!(told.count(), 1, "{run}");
    }
    assert!(!run.stderr.contains("stray"), "{run}");
    assert_eq!(sandbox.build_bytes("--frozen"), sandbox.build_bytes(""));
}
