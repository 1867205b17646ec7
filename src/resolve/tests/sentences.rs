//! What a person reads of typical contradictions, word for word.

use super::*;
use crate::error::Diagnose as _;

fn story(cookbooks: &str, pins: &str, held: &str, universe: &str) -> String {
    let manifest = manifest(cookbooks);
    let pinned = pinned(pins);
    let mut question = Question::new(&manifest, &pinned);
    question.held = versions(held);
    match solve(&question, &shelf(universe)) {
        Err(SolveError::Clash(clash)) => {
            let told = clash.contradictions.iter().map(|one| format!("{one}\n"));
            told.collect::<String>() + if clash.more { "and more\n" } else { "" }
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_shape_of_the_aws_demo() {
    let told = story(
        "application_javascript = \"~> 1.0\"\nnodejs = \"~> 3.0\"",
        "",
        "",
        "
            application_javascript 1.0.0 1.0.1: application ~> 5.0, poise ~> 2.4, poise-javascript ~> 1.0
            application_javascript 2.0.0: application >= 5.0, poise >= 2.4, nodejs
            application 5.0.0 5.1.0 5.2.0: poise ~> 2.4, poise-service ~> 1.0
            poise 2.4.0 2.7.2 2.8.2
            poise-service 1.0.0 1.5.2: poise ~> 2.0
            poise-archive 1.0.0 1.5.0: poise ~> 2.6
            poise-languages 1.1.0 2.0.0 2.1.2: poise ~> 2.5, poise-archive ~> 1.0
            poise-javascript 1.0.0 1.1.0 1.2.1: poise ~> 2.0, poise-languages ~> 2.0, nodejs < 3.0
            nodejs 1.0.0 2.0.0 2.4.8 3.0.0 3.1.0: ark
            ark 1.0.0",
    );
    let want = "\
no version of `nodejs` fits what cookpack.toml and `poise-javascript` want
\x20 cookpack.toml:5: wants `application_javascript ~> 1.0`
\x20 cookpack.toml:6: wants `nodejs ~> 3.0`
\x20 `application_javascript` 1.0.0 to 1.0.1 (https://supermarket.example) need `poise-javascript ~> 1.0`
\x20 every version of `poise-javascript` (https://supermarket.example) needs `nodejs < 3.0`
\x20 `nodejs` 1.0.0 to 2.4.8 do not fit `~> 3.0`, which cookpack.toml:6 wants
\x20 `nodejs` 3.0.0 to 3.1.0 do not fit `< 3.0`, which `poise-javascript` needs
\x20 `nodejs` comes from https://supermarket.example
\x20 help: write `~> 2.4` in place of `~> 3.0` for `nodejs` in cookpack.toml:6: then `nodejs` 2.4.8 fits
\x20 help: write `~> 2.0` in place of `~> 1.0` for `application_javascript` in cookpack.toml:5: then `application_javascript` 2.0.0 fits
";
    assert_eq!(told, want);
}

#[test]
fn a_misspelt_name() {
    let told = story(
        "apche2 = \"~> 8.0\"",
        "",
        "",
        "apache2 7.0 8.0 8.1\napt 1.0",
    );
    let want = "\
no source has a cookbook `apche2`, which cookpack.toml wants
\x20 cookpack.toml:5: wants `apche2 ~> 8.0`
\x20 asked: https://supermarket.example
\x20 help: did you mean `apache2`? write it in place of `apche2` in cookpack.toml:5
\x20 help: write where it comes from into [cookbooks] of cookpack.toml: `apche2 = { git = \"...\" }` or `apche2 = { path = \"...\" }`; or, if the machine already has it, `provided = [\"apche2\"]` into [bundle]
";
    assert_eq!(told, want);
}

#[test]
fn two_cookbooks_that_want_what_excludes_the_other() {
    let told = story(
        "left = \">= 0\"\nright = \"~> 2.0\"",
        "",
        "",
        "
            left 1.0 1.1 1.2: apt < 3.0
            right 1.9: apt
            right 2.0: apt >= 5.0
            right 2.1: apt >= 6.0
            apt 1.0 2.0 2.9 3.0 5.0 6.0 7.4.0",
    );
    let want = "\
no version of `apt` fits what `left` and `right` need
\x20 cookpack.toml:5: wants `left`
\x20 cookpack.toml:6: wants `right ~> 2.0`
\x20 every version of `left` (https://supermarket.example) needs `apt < 3.0`
\x20 `right` 2.0.0 (https://supermarket.example) needs `apt >= 5.0`
\x20 `right` 2.1.0 (https://supermarket.example) needs `apt >= 6.0`
\x20 `apt` 1.0.0 to 2.9.0 do not fit `>= 5.0` or `>= 6.0`, which `right` needs
\x20 `apt` 3.0.0 to 7.4.0 do not fit `< 3.0`, which `left` needs
\x20 `apt` comes from https://supermarket.example
\x20 help: write `~> 1.9` in place of `~> 2.0` for `right` in cookpack.toml:6: then `right` 1.9.0 fits
";
    assert_eq!(told, want);
}

#[test]
fn a_held_version_that_is_gone() {
    let told = story(
        "app = \"~> 1.0\"",
        "",
        "lib 1.0.5",
        "app 1.0 1.1: lib ~> 1.0\nlib 1.0 1.1",
    );
    let want = "\
no version of `lib` fits what `app` and the lockfile want
\x20 cookpack.toml:5: wants `app ~> 1.0`
\x20 every version of `app` (https://supermarket.example) needs `lib ~> 1.0`
\x20 the lockfile holds `lib` at 1.0.5, which no source has any more
\x20 `lib` 1.0.0 to 1.1.0 are not 1.0.5, which the lockfile holds
\x20 `lib` comes from https://supermarket.example
\x20 help: run `cookpack update lib`: then `lib` 1.1.0 fits
";
    assert_eq!(told, want);
}

#[test]
fn a_pinned_cookbook_that_is_too_old() {
    let told = story(
        "app = { git = \"https://git.example/app\" }\nweb = \"~> 3.0\"",
        "app 1.2: apt",
        "",
        "web 3.0 3.1: app >= 2.0\napt 1.0\nweb 2.0: app",
    );
    let want = "\
`app` 1.2.0 from https://git.example/app, branch `main` does not fit what `web` needs
\x20 cookpack.toml:6: wants `web ~> 3.0`
\x20 cookpack.toml:5: gives `app` 1.2.0
\x20 `web` 3.0.0 to 3.1.0 (https://supermarket.example) need `app >= 2.0`
\x20 `app` 1.2.0 does not fit `>= 2.0`, which `web` needs
\x20 help: write `~> 2.0` in place of `~> 3.0` for `web` in cookpack.toml:6: then `web` 2.0.0 fits
\x20 help: point `app` at a tag, branch or folder whose version fits `>= 2.0`
";
    assert_eq!(told, want);
}

#[test]
fn what_a_pinned_cookbook_asks_for() {
    let told = story(
        "app = { git = \"https://git.example/app\" }\napt = \"~> 3.0\"",
        "app 1.2: yum, apt < 3.0",
        "",
        "apt 2.0 2.5.1 3.0\nyum 1.0",
    );
    let want = "\
no version of `apt` fits what cookpack.toml and `app` want
\x20 cookpack.toml:5: wants `app`
\x20 cookpack.toml:6: wants `apt ~> 3.0`
\x20 app/metadata.rb:4: `app` 1.2.0 needs `apt < 3.0`
\x20 `apt` 2.0.0 to 2.5.1 do not fit `~> 3.0`, which cookpack.toml:6 wants
\x20 `apt` 3.0.0 does not fit `< 3.0`, which `app` needs
\x20 `apt` comes from https://supermarket.example
\x20 help: write `~> 2.5` in place of `~> 3.0` for `apt` in cookpack.toml:6: then `apt` 2.5.1 fits
\x20 help: write `~> 3.0` in place of `< 3.0` for `apt` in app/metadata.rb:4: then `apt` 3.0.0 fits
";
    assert_eq!(told, want);
}

#[test]
fn a_name_in_no_source() {
    let told = story(
        "app = { git = \"https://git.example/app\" }",
        "app 1.2: apt, wholly-unknown ~> 1.0",
        "",
        "apt 1.0",
    );
    let want = "\
no source has a cookbook `wholly-unknown`, which `app` needs
\x20 cookpack.toml:5: wants `app`
\x20 app/metadata.rb:4: `app` 1.2.0 needs `wholly-unknown ~> 1.0`
\x20 asked: https://supermarket.example
\x20 help: write where it comes from into [cookbooks] of cookpack.toml: `wholly-unknown = { git = \"...\" }` or `wholly-unknown = { path = \"...\" }`; or, if the machine already has it, `provided = [\"wholly-unknown\"]` into [bundle]
";
    assert_eq!(told, want);
}

#[test]
fn a_chain_three_deep() {
    let told = story(
        "a = \">= 0\"\nc = \">= 2.0\"",
        "",
        "",
        "a 1.0 1.1: b >= 1.0\nb 0.9: c\nb 1.0 1.1: c < 2.0\nc 1.0 1.5 2.0 2.1",
    );
    let want = "\
no version of `c` fits what cookpack.toml and `b` want
\x20 cookpack.toml:5: wants `a`
\x20 cookpack.toml:6: wants `c >= 2.0`
\x20 every version of `a` (https://supermarket.example) needs `b >= 1.0`
\x20 `b` 1.0.0 to 1.1.0 (https://supermarket.example) need `c < 2.0`
\x20 `c` 1.0.0 to 1.5.0 do not fit `>= 2.0`, which cookpack.toml:6 wants
\x20 `c` 2.0.0 to 2.1.0 do not fit `< 2.0`, which `b` needs
\x20 `c` comes from https://supermarket.example
\x20 help: write `~> 1.5` in place of `>= 2.0` for `c` in cookpack.toml:6: then `c` 1.5.0 fits
";
    assert_eq!(told, want);
}

#[test]
fn several_at_once() {
    let told = story(
        "a = \"~> 9.0\"\nb = \">= 0\"\nzz = \">= 0\"\nyy = \">= 0\"",
        "",
        "",
        "a 1.0 2.0\nb 1.0: c = 2.0\nc 1.0",
    );
    let want = "\
no source has a cookbook `zz`, which cookpack.toml wants
\x20 cookpack.toml:7: wants `zz`
\x20 asked: https://supermarket.example
\x20 help: write where it comes from into [cookbooks] of cookpack.toml: `zz = { git = \"...\" }` or `zz = { path = \"...\" }`; or, if the machine already has it, `provided = [\"zz\"]` into [bundle]
no source has a cookbook `yy`, which cookpack.toml wants
\x20 cookpack.toml:8: wants `yy`
\x20 asked: https://supermarket.example
\x20 help: write where it comes from into [cookbooks] of cookpack.toml: `yy = { git = \"...\" }` or `yy = { path = \"...\" }`; or, if the machine already has it, `provided = [\"yy\"]` into [bundle]
no version of `a` fits `~> 9.0`
\x20 cookpack.toml:5: wants `a ~> 9.0`
\x20 `a` 1.0.0 to 2.0.0 do not fit `~> 9.0`, which cookpack.toml:5 wants
\x20 `a` comes from https://supermarket.example
\x20 help: write `~> 2.0` in place of `~> 9.0` for `a` in cookpack.toml:5: then `a` 2.0.0 fits
and more
";
    assert_eq!(told, want);
}

#[test]
fn what_no_one_change_mends() {
    let told = story(
        "a = \"= 1.0\"\nb = \"= 1.0\"\nc = \"= 3.0\"",
        "",
        "",
        "a 1.0: x = 1.0\na 2.0: x = 1.0\nb 1.0: x = 2.0\nb 2.0: x = 2.0\nc 3.0\nx 1.0 2.0",
    );
    let want = "\
no version of `x` fits what `a` and `b` need
\x20 cookpack.toml:5: wants `a = 1.0`
\x20 cookpack.toml:6: wants `b = 1.0`
\x20 `a` 1.0.0 (https://supermarket.example) needs `x = 1.0`
\x20 `b` 1.0.0 (https://supermarket.example) needs `x = 2.0`
\x20 `x` 1.0.0 does not fit `= 2.0`, which `b` needs
\x20 `x` 2.0.0 does not fit `= 1.0`, which `a` needs
\x20 `x` comes from https://supermarket.example
\x20 help: no change of one constraint makes these fit: change two, or take one of the cookbooks from a repository or a folder
";
    assert_eq!(told, want);
}

#[test]
fn versions_that_each_want_something_else() {
    let told = story(
        "app = \">= 0\"\nlib = \">= 9.0\"",
        "",
        "",
        "
            app 1.0: lib = 1.0
            app 1.1: lib = 1.1
            app 1.2: lib = 1.2
            app 1.3: lib = 1.3
            app 1.4: lib = 1.4
            app 1.5: lib = 1.5
            app 1.6: lib = 1.6
            app 1.7: lib = 1.7
            lib 1.0 1.1 1.2 1.3 1.4 1.5 1.6 1.7 9.0",
    );
    let want = "\
no version of `lib` fits what cookpack.toml and `app` want
\x20 cookpack.toml:5: wants `app`
\x20 cookpack.toml:6: wants `lib >= 9.0`
\x20 `app` 1.0.0 (https://supermarket.example) needs `lib = 1.0`
\x20 `app` 1.1.0 (https://supermarket.example) needs `lib = 1.1`
\x20 `app` 1.2.0 (https://supermarket.example) needs `lib = 1.2`
\x20 `app` 1.3.0 (https://supermarket.example) needs `lib = 1.3`
\x20 `app` 1.4.0 (https://supermarket.example) needs `lib = 1.4`
\x20 `app` 1.5.0 (https://supermarket.example) needs `lib = 1.5`
\x20 and 2 more demands
\x20 `lib` 1.0.0 to 1.7.0 do not fit `>= 9.0`, which cookpack.toml:6 wants
\x20 `lib` 9.0.0 does not fit what `app` needs
\x20 `lib` comes from https://supermarket.example
\x20 help: write `~> 1.7` in place of `>= 9.0` for `lib` in cookpack.toml:6: then `lib` 1.7.0 fits
";
    assert_eq!(told, want);
}

#[test]
fn candidates_that_are_out_for_different_reasons() {
    let told = story(
        "web = \">= 2.0\"\napt = \">= 3.0\"\nyum = \"< 2.0\"",
        "",
        "",
        "
            web 1.0
            web 2.0 2.1: apt < 3.0
            web 2.2 2.3: yum >= 2.0
            web 2.4: gone
            apt 2.0 3.0
            yum 1.0 2.0",
    );
    let want = "\
no version of `web` that cookpack.toml wants can be used
\x20 cookpack.toml:5: wants `web >= 2.0`
\x20 cookpack.toml:6: wants `apt >= 3.0`
\x20 cookpack.toml:7: wants `yum < 2.0`
\x20 `web` 1.0.0 does not fit `>= 2.0`, which cookpack.toml:5 wants
\x20 `web` 2.0.0 to 2.1.0 need `apt < 3.0`
\x20 `web` 2.2.0 to 2.3.0 need `yum >= 2.0`
\x20 `web` 2.4.0 needs `gone`, which no source has
\x20 `web` comes from https://supermarket.example
\x20 help: write `~> 1.0` in place of `>= 2.0` for `web` in cookpack.toml:5: then `web` 1.0.0 fits
\x20 help: write `~> 2.0` in place of `>= 3.0` for `apt` in cookpack.toml:6: then `apt` 2.0.0 fits
";
    assert_eq!(told, want);
}

#[test]
fn a_diagnostic_has_the_lines_the_facts_and_the_steps() {
    let manifest = manifest("app = { git = \"https://git.example/app\" }\napt = \"~> 3.0\"");
    let pinned = pinned("app 1.2: yum, apt < 3.0");
    let question = Question::new(&manifest, &pinned);
    let error = solve(&question, &shelf("apt 2.0 3.0\nyum 1.0")).unwrap_err();
    let SolveError::Clash(clash) = error else {
        panic!("{error:?}");
    };
    let [shown] = &clash.diagnostics()[..] else {
        panic!("{clash:?}");
    };
    assert_eq!(
        shown.message,
        "no version of `apt` fits what cookpack.toml and `app` want"
    );
    assert_eq!(clash.to_string(), shown.message);
    let marked: Vec<_> = shown
        .labels
        .iter()
        .map(|label| (&label.at.file.text()[label.at.span.clone()], &*label.note))
        .collect();
    assert_eq!(
        marked[2],
        ("depends 'apt', '< 3.0'", "`app` 1.2.0 needs `apt < 3.0`")
    );
    assert_eq!(
        (marked.len(), shown.notes.len(), shown.hints.len()),
        (3, 3, 2)
    );
}

/// With no place to ask, and with a name that no cookbook can have.
#[test]
fn odd_names_and_no_sources_are_told_like_others() {
    let manifest = manifest("app = { git = \"https://git.example/app\" }");
    let pinned = pinned("app 1.2: ../\u{1b}etc, yum");
    let error = solve(&Question::new(&manifest, &pinned), &Shelf::default()).unwrap_err();
    let SolveError::Clash(clash) = error else {
        panic!("{error:?}");
    };
    let told: Vec<_> = clash
        .contradictions
        .iter()
        .map(ToString::to_string)
        .collect();
    let [yum, etc] = &told[..] else {
        panic!("{told:?}");
    };
    let want = "\
no source has a cookbook `yum`, which `app` needs
\x20 cookpack.toml:5: wants `app`
\x20 app/metadata.rb:4: `app` 1.2.0 needs `yum`
\x20 no source is given to ask for cookbooks by name
\x20 help: write where it comes from";
    assert!(yum.starts_with(want), "{yum}");
    let want = "\
no source has a cookbook `../\\u{1b}etc`, which `app` needs
\x20 cookpack.toml:5: wants `app`
\x20 app/metadata.rb:3: `app` 1.2.0 needs `../\\u{1b}etc`
\x20 no source is given to ask for cookbooks by name
\x20 help: `../\\u{1b}etc` is not a cookbook name: ";
    assert!(etc.starts_with(want), "{etc}");
}
