//! Run lists are checked against what is packed.

use crate::support::{Run, Sandbox};

/// A project whose bundle has more lines.
fn with(sandbox: &Sandbox, bundle: &str) -> Run {
    sandbox.write(
        "cookpack.toml",
        format!("[bundle]\nname = \"bundle\"\n{bundle}\n[cookbooks]\nweb = {{ path = \"web\" }}\n"),
    );
    sandbox.run("build")
}

#[test]
fn every_kind_of_recipe_is_found() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "");
    for recipe in ["rb.rb", "one.yml", "two.yaml", "three.json"] {
        sandbox.write(format!("web/recipes/{recipe}"), "---\n");
    }
    let good = "run_list = [\"web\", \"web::default\", \"recipe[web]\", \"recipe[web::rb]\", \
                \"web::one\", \"recipe[web::two]\", \"web::three\", \"recipe[web@1.0.0]\"]";
    with(&sandbox, good).ok();
    for bad in [
        "web::four",
        "recipe[web::four]",
        "web::",
        "web::one.yml",
        "recipe[web",
        "web::x::y",
    ] {
        let run = with(&sandbox, &format!("run_list = [\"web\", \"{bad}\"]"));
        run.fails(1).says([bad, "cookpack.toml:3", "^"]);
    }
    // Roles lie outside of cookbooks.
    with(&sandbox, "run_list = [\"role[x]\"]")
        .fails(1)
        .says(["role", "cookpack.toml:3"]);
    // A version that the archive does not hold.
    with(&sandbox, "run_list = [\"web@2.0.0\"]")
        .fails(1)
        .says(["2.0.0", "1.0.0"]);
}

#[test]
fn the_recipe_at_the_root_is_the_default_one() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "");
    sandbox.remove("web/recipes");
    with(&sandbox, "run_list = [\"web\"]")
        .fails(1)
        .says(["recipes/default.rb"]);
    sandbox.write("web/recipe.rb", "");
    with(&sandbox, "run_list = [\"web\", \"web::default\"]").ok();
    with(&sandbox, "run_list = [\"web::recipe\"]").fails(1);
}

#[test]
fn a_recipe_that_is_left_out_is_not_there() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "");
    sandbox
        .write("web/recipes/db.rb", "")
        .write("web/chefignore", "recipes/db.rb\n");
    // The person is told what took it away.
    with(&sandbox, "run_list = [\"web::db\"]")
        .fails(1)
        .says(["web::db", "chefignore"]);
}

#[test]
fn a_cookbook_that_is_not_packed_is_an_error_unless_the_machine_has_it() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "");
    let run = with(&sandbox, "run_list = [\"wbe::default\"]");
    run.fails(1).says(["wbe", "cookpack.toml:3", "web"]);
    with(
        &sandbox,
        "run_list = [\"opsworks::x\"]\nprovided = [\"opsworks\"]",
    )
    .ok();
}

#[test]
fn layers_are_checked_by_event_and_unknown_events_are_errors() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "");
    let all = ["setup", "configure", "deploy", "undeploy", "shutdown"];
    let good: String = all.map(|event| format!("{event} = [\"web\"]\n")).concat();
    with(&sandbox, &format!("[layers.app]\n{good}")).ok();
    for event in all {
        let run = with(
            &sandbox,
            &format!("[layers.app]\n{event} = [\"web::nope\"]"),
        );
        run.fails(1).says(["web::nope", "cookpack.toml:4"]);
    }
    let run = with(&sandbox, "[layers.app]\nconfig = [\"web\"]");
    run.fails(1)
        .says(["config", "configure", "cookpack.toml:4"]);
}

#[test]
fn what_is_wrong_in_several_entries_is_told_at_once() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "");
    let run = with(
        &sandbox,
        "run_list = [\"web::one\", \"web::two\"]\n[layers.x]\nsetup = [\"web::three\"]",
    );
    run.fails(1).says(["web::one", "web::two", "web::three"]);
}
