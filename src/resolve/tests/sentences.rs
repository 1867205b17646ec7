//! What a person reads.

use super::*;

fn story(cookbooks: &str, pins: &str, held: &str, universe: &str) -> String {
    let manifest = manifest(cookbooks);
    let pinned = pinned(pins);
    let mut question = Question::new(&manifest, &pinned);
    question.held = versions(held);
    match solve(&question, &shelf(universe)) {
        Err(SolveError::Clash(clash)) => {
            let told: Vec<_> = clash
                .contradictions
                .iter()
                .map(ToString::to_string)
                .collect();
            told.join("\n") + if clash.more { "\nmore" } else { "" }
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn show() {
    let all = [
        story("application_javascript = \"~> 1.0\"\nnodejs = \"~> 3.0\"", "", "", "
            application_javascript 1.0.0 1.0.1 1.0.2: application ~> 5.0, poise ~> 2.4, poise-javascript ~> 1.0
            application_javascript 2.0.0: application >= 5.0, nodejs
            application 5.0.0 5.1.0 5.2.0: poise ~> 2.4
            application 6.0.0: poise ~> 3.0
            poise 2.4.0 2.7.2 2.8.2 3.0.0
            poise-javascript 1.0.0 1.1.0 1.2.1: poise ~> 2.0, nodejs < 3.0
            nodejs 1.0.0 2.0.0 2.4.8 3.0.0 3.1.0"),
        story("apche2 = \"~> 8.0\"", "", "", "apache2 7.0 8.0 8.1\napt 1.0"),
        story("left = \">= 0\"\nright = \"~> 2.0\"", "", "", "
            left 1.0 1.1 1.2: apt < 3.0
            right 1.9: apt
            right 2.0: apt >= 5.0
            right 2.1: apt >= 6.0
            apt 1.0 2.0 2.9 3.0 5.0 6.0 7.4.0"),
        story("app = \"~> 1.0\"", "", "lib 1.0.5", "app 1.0 1.1: lib ~> 1.0\nlib 1.0 1.1"),
        story("app = { git = \"https://git.example/app\" }\nweb = \"~> 3.0\"", "app 1.2: apt", "", "web 3.0 3.1: app >= 2.0\napt 1.0\nweb 2.0: app"),
        story("app = { git = \"https://git.example/app\" }", "app 1.2: apt, wholly-unknown ~> 1.0", "", "apt 1.0"),
        story("a = \">= 0\"\nc = \">= 2.0\"", "", "", "a 1.0 1.1: b >= 1.0\nb 0.9: c\nb 1.0 1.1: c < 2.0\nc 1.0 1.5 2.0 2.1"),
        story("a = \"~> 9.0\"\nb = \">= 0\"\nzz = \">= 0\"", "", "", "a 1.0 2.0\nb 1.0: c = 2.0\nc 1.0"),
    ];
    panic!("{}", all.join("\n\n"));
}
