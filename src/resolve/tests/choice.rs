//! What is chosen: the newest that fits, what is locked first.

use super::*;
use crate::event::CancelToken;

fn chosen(cookbooks: &str, universe: &str) -> String {
    let manifest = manifest(cookbooks);
    let pinned = BTreeMap::new();
    shown(&solve(&Question::new(&manifest, &pinned), &shelf(universe)).expect("an answer"))
}

fn locked(cookbooks: &str, lock: &str, update: &[&str], universe: &str) -> String {
    let manifest = manifest(cookbooks);
    let pinned = BTreeMap::new();
    let mut question = Question::new(&manifest, &pinned);
    question.preferred = versions(lock);
    question.update = update
        .iter()
        .map(|name| name.parse().expect("a name"))
        .collect();
    shown(&solve(&question, &shelf(universe)).expect("an answer"))
}

#[test]
fn the_newest_that_fits_is_chosen() {
    let universe = "
        app 1.0 1.1: lib ~> 1.2
        app 2.0: lib >= 2.0
        lib 1.1 1.2 1.9.9 2.0 10.0
        unused 1.0";
    assert_eq!(
        chosen("app = \"*\"".replace('*', ">= 0").as_str(), universe),
        "app 2.0.0, lib 10.0.0"
    );
    assert_eq!(chosen("app = \"~> 1.0\"", universe), "app 1.1.0, lib 1.9.9");
    assert_eq!(
        chosen("app = \"= 1.0\"\nlib = \"< 1.9.9\"", universe),
        "app 1.0.0, lib 1.2.0"
    );
}

/// Both would be newest alone; the manifest's own name is decided before what it depends on.
#[test]
fn names_of_the_manifest_come_before_what_they_need() {
    let universe = "
        zoo 1.0: ant
        zoo 2.0: ant < 2.0
        ant 1.0 2.0";
    assert_eq!(chosen("zoo = \">= 0\"", universe), "ant 1.0.0, zoo 2.0.0");
    let universe = "
        a 1.0 2.0
        b 1.0
        b 2.0: a < 2.0";
    assert_eq!(
        chosen("b = \">= 0\"\na = \">= 0\"", universe),
        "a 2.0.0, b 1.0.0"
    );
}

#[test]
fn a_choice_that_leads_nowhere_is_taken_back() {
    let universe = "
        app 1.0: left = 1.0
        app 2.0: left = 2.0, right = 2.0
        left 1.0
        left 2.0: deep = 1.0
        right 2.0: deep = 2.0
        deep 1.0 2.0";
    assert_eq!(chosen("app = \">= 0\"", universe), "app 1.0.0, left 1.0.0");
}

#[test]
fn cycles_and_dependencies_on_oneself_are_fine() {
    let universe = "
        a 1.0: b
        a 2.0: a < 2.0
        b 1.0: a, b = 1.0
        b 2.0: a >= 2.0";
    assert_eq!(chosen("a = \">= 0\"", universe), "a 1.0.0, b 1.0.0");
}

#[test]
fn pinned_and_provided_cookbooks_are_not_asked_for() {
    let manifest = manifest("app = { git = \"https://git.example/app\" }\nlib = \">= 0\"");
    let pinned = pinned("app 1.5: lib < 3.0, agent > 99.0");
    let shelf = shelf("app 9.0\nlib 1.0 2.0: app ~> 1.2\nlib 3.0\nagent 1.0");
    let answer = solve(&Question::new(&manifest, &pinned), &shelf).expect("an answer");
    assert_eq!(shown(&answer), "lib 2.0.0");
    assert_eq!(*shelf.asked.borrow(), ["lib"]);
    assert_eq!(*shelf.announced.borrow(), ["lib"]);
    let needs = |name: &str| {
        let needs = &answer.resolution.dependencies[name];
        needs.iter().map(CookbookName::as_str).collect::<Vec<_>>()
    };
    assert_eq!(needs("app"), ["lib"]);
    assert_eq!(needs("lib"), ["app"]);
}

#[test]
fn a_lock_that_fits_is_kept() {
    let universe = "
        app 1.0 2.0: lib
        lib 1.0 2.0
        other 1.0 2.0";
    let cookbooks = "app = \">= 0\"\nother = \">= 0\"";
    let lock = "app 1.0, lib 1.0, other 1.0";
    assert_eq!(
        locked(cookbooks, lock, &[], universe),
        "app 1.0.0, lib 1.0.0, other 1.0.0"
    );
    // What is new is the newest that fits it; what is needed no more goes.
    assert_eq!(
        locked(
            "app = \">= 0\"\nother = \">= 0\"",
            "app 1.0, gone 1.0, other 1.0",
            &[],
            universe
        ),
        "app 1.0.0, lib 2.0.0, other 1.0.0"
    );
}

#[test]
fn a_lock_that_fits_no_more_is_left_only_where_it_must() {
    let universe = "
        app 1.0: lib ~> 1.0
        app 2.0 3.0: lib ~> 2.0
        lib 1.0 1.1 2.0 2.1
        other 1.0 2.0: far
        far 1.0 2.0";
    let lock = "app 1.0, lib 1.0, other 1.0, far 1.0";
    assert_eq!(
        locked("app = \">= 2.0\"\nother = \">= 0\"", lock, &[], universe),
        "app 3.0.0, far 1.0.0, lib 2.1.0, other 1.0.0"
    );
    // A version that no source has any more.
    assert_eq!(
        locked(
            "app = \">= 0\"\nother = \">= 0\"",
            "app 1.0, lib 1.0.5, other 1.0, far 1.0",
            &[],
            universe
        ),
        "app 1.0.0, far 1.0.0, lib 1.1.0, other 1.0.0"
    );
}

#[test]
fn update_moves_a_name_and_what_its_newer_version_needs() {
    let universe = "
        top 1.0 2.0: mid < 3.0
        mid 1.0: low = 1.0
        mid 2.0: low >= 2.0, side
        mid 3.0: low
        low 1.0 2.0 3.0
        side 1.0 2.0
        else 1.0 2.0";
    let cookbooks = "top = \">= 0\"\nelse = \">= 0\"";
    let lock = "top 1.0, mid 1.0, low 1.0, else 1.0";
    // What stands above stays, even where that holds the newest back.
    assert_eq!(
        locked(cookbooks, lock, &["mid"], universe),
        "else 1.0.0, low 3.0.0, mid 2.0.0, side 2.0.0, top 1.0.0"
    );
    assert_eq!(
        locked(cookbooks, lock, &["low"], universe),
        "else 1.0.0, low 1.0.0, mid 1.0.0, top 1.0.0"
    );
    // A dependency that the newer version is content with stays.
    assert_eq!(
        locked(
            cookbooks,
            "top 1.0, mid 1.0, low 1.0, side 1.0, else 1.0",
            &["mid"],
            universe
        ),
        "else 1.0.0, low 3.0.0, mid 2.0.0, side 1.0.0, top 1.0.0"
    );
    assert_eq!(
        locked(cookbooks, lock, &["else", "top"], universe),
        "else 2.0.0, low 1.0.0, mid 1.0.0, top 2.0.0"
    );
}

#[test]
fn what_is_held_is_not_left() {
    let manifest = manifest("app = \">= 0\"");
    let pinned = BTreeMap::new();
    let mut question = Question::new(&manifest, &pinned);
    question.held = versions("lib 1.0");
    let universe = shelf("app 1.0: lib\napp 2.0: lib >= 2.0\nlib 1.0 2.0");
    assert_eq!(
        shown(&solve(&question, &universe).unwrap()),
        "app 1.0.0, lib 1.0.0"
    );
}

#[test]
fn the_order_in_which_a_source_lists_versions_shows_nowhere() {
    let manifest = manifest("app = \">= 0\"");
    let pinned = BTreeMap::new();
    let mut universe = shelf("app 1.0 3.0 2.0: lib\nlib 2.0 1.0");
    let first = solve(&Question::new(&manifest, &pinned), &universe).unwrap();
    for offers in universe.cookbooks.values_mut() {
        *offers = offers.iter().rev().cloned().collect();
    }
    assert_eq!(
        solve(&Question::new(&manifest, &pinned), &universe).unwrap(),
        first
    );
    assert_eq!(shown(&first), "app 3.0.0, lib 2.0.0");
}

#[test]
fn each_name_is_asked_for_once() {
    let manifest = manifest("app = \">= 2.0\"");
    let pinned = BTreeMap::new();
    let mut question = Question::new(&manifest, &pinned);
    question.preferred = versions("app 1.0, lib 1.0");
    let universe = shelf("app 1.0: lib\napp 2.0: lib = 1.5\nlib 1.0 2.0");
    solve(&question, &universe).unwrap_err();
    let mut asked = universe.asked.borrow().clone();
    asked.sort();
    assert_eq!(asked, ["app", "lib"]);
}

#[test]
fn a_catalogue_that_fails_and_a_cancelled_search_end_it() {
    let manifest = manifest("app = \">= 0\"");
    let pinned = BTreeMap::new();
    let mut universe = shelf("app 1.0: lib\nlib 1.0");
    universe.broken = Some("lib".to_owned());
    let mut question = Question::new(&manifest, &pinned);
    let error = solve(&question, &universe).unwrap_err();
    assert!(
        matches!(&error, SolveError::Catalogue(Broken(name)) if name == "lib"),
        "{error:?}"
    );
    question.cancel = CancelToken::default();
    question.cancel.cancel();
    let error = solve(&question, &universe).unwrap_err();
    assert!(matches!(error, SolveError::Cancelled(_)), "{error:?}");
}
