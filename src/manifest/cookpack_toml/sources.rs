//! `[[sources]]`: the places that give cookbooks by name.

use crate::document::{DocumentError, Table};
use crate::manifest::upstream::{Upstream, UpstreamKind, address_problem};
use crate::manifest::{NamePattern, PUBLIC_SUPERMARKET};
use crate::text::Location;

/// The keys that say what a source is and where, of which each has one.
const KINDS: [&str; 5] = [
    "artifactory",
    "chef_repo",
    "chef_server",
    "supermarket",
    "universe",
];

/// The keys of a source.
const KEYS: [&str; 7] = [
    "artifactory",
    "chef_repo",
    "chef_server",
    "except",
    "only",
    "supermarket",
    "universe",
];

/// Reads the sources in their order, in which they are asked.
pub(super) fn read_sources(root: &Table<'_, '_>) -> Result<Vec<Upstream>, DocumentError> {
    let mut upstreams: Vec<Upstream> = Vec::new();
    let Some(value) = root.value("sources") else {
        return Ok(upstreams);
    };
    let Ok(list) = value.list() else {
        return Err(value.wrong_type("a list of tables, each under `[[sources]]`"));
    };
    for value in list {
        let upstream = read_source(&value.table("[[sources]]".to_owned())?)?;
        let address = upstream.kind.address();
        if let Some(earlier) = upstreams.iter().find(|u| u.kind.address() == address) {
            return Err(DocumentError::InvalidValue {
                reason: format!("`{address}` is a source twice"),
                hint: Some(format!(
                    "it is at {} as well: keep one, with the `only` and `except` of both",
                    earlier.at
                )),
                at: upstream.at,
            });
        }
        upstreams.push(upstream);
    }
    Ok(upstreams)
}

fn read_source(table: &Table<'_, '_>) -> Result<Upstream, DocumentError> {
    table.only(&KEYS)?;
    let mut kinds = Vec::new();
    for key in KINDS {
        if let Some((text, at)) = table.string(key)? {
            kinds.push((key, text, at));
        }
    }
    kinds.sort_by_key(|(_, _, at)| at.span.start);
    let mut kinds = kinds.into_iter();
    let Some((key, text, at)) = kinds.next() else {
        return Err(DocumentError::InvalidValue {
            reason: "a source does not say where it is".to_owned(),
            hint: Some(format!(
                "write `supermarket = \"{PUBLIC_SUPERMARKET}\"`, or one of `artifactory`, `chef_repo`, `chef_server` and `universe`"
            )),
            at: table.at(),
        });
    };
    if let Some((other, _, at)) = kinds.next() {
        return Err(DocumentError::InvalidValue {
            reason: format!("a source is both `{key}` and `{other}`"),
            hint: Some("write a `[[sources]]` for each".to_owned()),
            at,
        });
    }
    let kind = read_kind(key, text, &at)?;
    let (only, except) = (
        read_patterns(table, "only")?,
        read_patterns(table, "except")?,
    );
    for (pattern, at) in &except {
        if pattern.is_name() && only.iter().any(|(other, _)| other == pattern) {
            return Err(DocumentError::InvalidValue {
                reason: format!("`{pattern}` is in both `only` and `except`"),
                hint: Some("take it out of one of them".to_owned()),
                at: at.clone(),
            });
        }
    }
    let patterns = |read: Vec<(NamePattern, Location)>| {
        let patterns = read.into_iter().map(|(pattern, _)| pattern);
        patterns.collect()
    };
    Ok(Upstream {
        only: patterns(only),
        except: patterns(except),
        ..Upstream::new(kind, at)
    })
}

fn read_kind(key: &str, text: String, at: &Location) -> Result<UpstreamKind, DocumentError> {
    let problem = match key {
        "chef_repo" => (text.is_empty() || text.contains('\0')).then_some("the path is empty"),
        _ => url_problem(key, &text),
    };
    if let Some(problem) = problem {
        return Err(DocumentError::InvalidValue {
            reason: format!("this is no source: {problem}"),
            hint: Some(
                match key {
                    "chef_repo" => "write the folder that holds the cookbooks' folders",
                    "chef_server" => "write `https://HOST/organizations/NAME`",
                    "universe" => "write the address of its folder, `https://...` or `file:///...`",
                    _ => "write its address, as in `https://supermarket.example`",
                }
                .to_owned(),
            ),
            at: at.clone(),
        });
    }
    Ok(match key {
        "artifactory" => UpstreamKind::Artifactory(text),
        "chef_repo" => UpstreamKind::ChefRepo(text),
        "chef_server" => UpstreamKind::ChefServer(Some(text)),
        "universe" => UpstreamKind::Universe(text),
        _ => UpstreamKind::Supermarket(text),
    })
}

/// What is wrong with an address. Tokens hide in queries; they would be sent, and never shown.
fn url_problem(key: &str, url: &str) -> Option<&'static str> {
    if let Some(problem) = address_problem(url) {
        return Some(problem);
    }
    let (scheme, rest) = url.split_once("://")?;
    let is_file = scheme.eq_ignore_ascii_case("file");
    if url.contains(['?', '#']) {
        return Some("an address of a source has neither a query nor a fragment");
    }
    match (is_file, key) {
        (true, "artifactory" | "chef_server") => Some("it must begin with `https://` or `http://`"),
        (true, _) if !rest.starts_with('/') => {
            Some("`file://` is followed by a path from the root, as in `file:///srv/mirror`")
        }
        (false, _) if rest.starts_with('/') => Some("it names no host"),
        _ => None,
    }
}

fn read_patterns(
    table: &Table<'_, '_>,
    key: &'static str,
) -> Result<Vec<(NamePattern, Location)>, DocumentError> {
    let mut patterns: Vec<(NamePattern, Location)> = Vec::new();
    for (text, at) in table.strings(key)? {
        let pattern: NamePattern = match text.parse() {
            Ok(pattern) => pattern,
            Err(error) => return Err(crate::document::invalid(&error, at)),
        };
        if !patterns.iter().any(|(known, _)| *known == pattern) {
            patterns.push((pattern, at));
        }
    }
    match (table.key_at(key), patterns.is_empty()) {
        (Some(at), true) => Err(DocumentError::InvalidValue {
            reason: format!("`{key}` names nothing"),
            hint: Some(format!(
                "write names or patterns, as in `{key} = [\"apt\", \"acme_*\"]`, or take it out"
            )),
            at,
        }),
        _ => Ok(patterns),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Diagnose;
    use crate::manifest::Manifest;

    const HEAD: &str = "[bundle]\nname = \"x\"\n";

    fn read(sources: &str) -> Result<Manifest, DocumentError> {
        Manifest::parse("cookpack.toml", &format!("{HEAD}{sources}"))
    }

    #[test]
    fn sources_are_read_in_their_order() {
        let manifest = read(
            "[[sources]]\nuniverse = \"file:///srv/mirror\"\nonly = [\"acme_*\", \"apt\", \"apt\"]\nexcept = [\"acme_old\"]\n\
             [[sources]]\nsupermarket = \"https://supermarket.chef.io\"\nexcept = [\"x*\"]\n\
             [[sources]]\nchef_repo = \"../chef\"\n\
             [[sources]]\nartifactory = \"https://example.com/api/chef/chef-local\"\n\
             [[sources]]\nchef_server = \"https://chef.example/organizations/acme\"\n",
        )
        .unwrap();
        let shown: Vec<_> = manifest
            .upstreams
            .iter()
            .map(|upstream| {
                let texts = |patterns: &[NamePattern]| {
                    let texts: Vec<_> = patterns.iter().map(NamePattern::as_str).collect();
                    texts.join(" ")
                };
                let Upstream { kind, at, .. } = upstream;
                let (only, except) = (texts(&upstream.only), texts(&upstream.except));
                format!("{}: {kind} [{only}] [{except}]", at.line())
            })
            .collect();
        assert_eq!(
            shown,
            [
                "4: universe file:///srv/mirror [acme_* apt] [acme_old]",
                "8: supermarket https://supermarket.chef.io [] [x*]",
                "11: chef_repo ../chef [] []",
                "13: artifactory https://example.com/api/chef/chef-local [] []",
                "15: chef_server https://chef.example/organizations/acme [] []",
            ]
        );
        assert!(!manifest.transitive_sources);
    }

    /// What is wrong, the line that is marked, and what the message and its hint must say.
    #[test]
    fn what_makes_no_sense_is_marked_with_a_next_step() {
        let table = [
            ("[sources]\na = 1\n", 3, "must be a list", ""),
            ("[[sources]]\n", 3, "does not say where", "`supermarket = "),
            (
                "[[sources]]\nonly = [\"a\"]\n",
                3,
                "does not say where",
                "`universe`",
            ),
            (
                "[[sources]]\nsupermarkt = \"https://a\"\n",
                4,
                "unknown key `supermarkt`",
                "did you mean `supermarket`",
            ),
            (
                "[[sources]]\nsupermarket = \"https://a\"\nuniverse = \"https://b\"\n",
                5,
                "both `supermarket` and `universe`",
                "for each",
            ),
            (
                "[[sources]]\nsupermarket = true\n",
                4,
                "must be a string",
                "",
            ),
            (
                "[[sources]]\nsupermarket = \"supermarket.chef.io\"\n",
                4,
                "must begin with `https://`",
                "write its address",
            ),
            (
                "[[sources]]\nsupermarket = \"https:///x\"\n",
                4,
                "no host",
                "",
            ),
            (
                "[[sources]]\nsupermarket = \"https://a/?token=s3cret\"\n",
                4,
                "neither a query",
                "",
            ),
            (
                "[[sources]]\nuniverse = \"ftp://a\"\n",
                4,
                "must begin with",
                "`file:///...`",
            ),
            (
                "[[sources]]\nuniverse = \"file://mirror\"\n",
                4,
                "a path from the root",
                "",
            ),
            (
                "[[sources]]\nartifactory = \"file:///x\"\n",
                4,
                "`https://` or `http://`",
                "",
            ),
            (
                "[[sources]]\nchef_server = \"file:///x\"\n",
                4,
                "`https://` or `http://`",
                "organizations",
            ),
            (
                "[[sources]]\nchef_repo = \"\"\n",
                4,
                "the path is empty",
                "holds the cookbooks'",
            ),
            (
                "[[sources]]\nsupermarket = \"https://a\"\nonly = []\n",
                5,
                "`only` names nothing",
                "acme_*",
            ),
            (
                "[[sources]]\nsupermarket = \"https://a\"\nexcept = [\"a/b\"]\n",
                5,
                "no pattern for names",
                "",
            ),
            (
                "[[sources]]\nsupermarket = \"https://a\"\nonly = [\"b\"]\nexcept = [\"b\"]\n",
                6,
                "both `only` and `except`",
                "take it out",
            ),
            (
                "[[sources]]\nsupermarket = \"https://a/\"\n[[sources]]\nuniverse = \"HTTPS://me:x@A\"\n",
                6,
                "`https://a` is a source twice",
                "cookpack.toml:4",
            ),
            (
                "[[sources]]\nchef_repo = \"a\"\n[[sources]]\nchef_repo = \"a/\"\n",
                6,
                "`a` is a source twice",
                "",
            ),
        ];
        for (text, line, message, hint) in table {
            let shown = read(text).expect_err(text).diagnostics().remove(0);
            assert_eq!(shown.labels[0].at.line(), line, "{text}: {shown:?}");
            assert!(shown.message.contains(message), "{text}: {shown:?}");
            assert!(shown.hints.join(" ").contains(hint), "{text}: {shown:?}");
            assert!(!shown.message.contains("s3cret"), "{shown:?}");
        }
    }

    #[test]
    fn sources_move_the_requirements_digest_only_where_there_are_any() {
        let digest = |text: &str| read(text).unwrap().requirements_digest();
        let none = digest("[cookbooks]\napt = \"~> 7.0\"\n");
        assert_eq!(
            none,
            crate::digest::Digest::of("cookbook apt ~> 7.0 anywhere\n")
        );
        let one = "[[sources]]\nsupermarket = \"https://a\"\n";
        let two = "[[sources]]\nuniverse = \"https://b\"\n";
        // As it was for a Berksfile before there were `only` and `except`.
        assert_eq!(
            digest(one),
            crate::digest::Digest::of("upstream supermarket https://a []\n")
        );
        assert_ne!(
            digest(&format!("{one}{two}")),
            digest(&format!("{two}{one}"))
        );
        let only = digest(&format!("{one}only = [\"a\", \"b\"]\n"));
        assert_eq!(only, digest(&format!("{one}only = [\"b\", \"a\"]\n")));
        assert_ne!(only, digest(one));
        assert_ne!(only, digest(&format!("{one}except = [\"a\", \"b\"]\n")));
        let transitive = "[bundle]\nname = \"x\"\ntransitive_sources = ";
        let parse = |value: &str| {
            Manifest::parse("c", &format!("{transitive}{value}\n"))
                .unwrap()
                .requirements_digest()
        };
        assert_eq!(parse("false"), digest(""));
        assert_ne!(parse("true"), digest(""));
    }
}
