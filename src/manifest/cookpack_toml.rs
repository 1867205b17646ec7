//! Reads `cookpack.toml`.

mod parts;
mod places;
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::overrides::read_override;
use super::{
    Bundle, Format, GitProtocol, GlobRequirement, GroupChoice, Layer, LayoutKind, Manifest,
    Requirement, RunListEntry, Source, Target, default_groups,
};
use crate::document::{DocumentError, Table, Value, invalid, read_document};
use crate::name::CookbookName;
use crate::path::ArchivePath;
use crate::text::{Location, SourceFile};
use crate::version::Constraint;
use parts::read_by_parts;
use places::{Place, read_git_settings, read_glob, read_place};
use sources::read_sources;

pub(super) fn parse(file: &SourceFile, protocol: GitProtocol) -> Result<Manifest, DocumentError> {
    let by_parts = read_by_parts(file, protocol);
    by_parts.map_or_else(|| read_whole(file, protocol), Ok)
}

fn read_whole(file: &SourceFile, protocol: GitProtocol) -> Result<Manifest, DocumentError> {
    read_document(file, |root| read_manifest(&root, file, protocol))
}

fn read_manifest(
    root: &Table<'_, '_>,
    file: &SourceFile,
    protocol: GitProtocol,
) -> Result<Manifest, DocumentError> {
    root.only(&["bundle", "cookbooks", "git", "layers", "sources"])?;
    let bundle = root
        .table("bundle")?
        .ok_or_else(|| DocumentError::MissingKey {
            key: "[bundle]",
            table: "the manifest".to_owned(),
            at: file.at(0..0),
        })?;
    let transitive_sources = bundle.boolean("transitive_sources")?.unwrap_or(false);
    let (bundle, provided) = read_bundle(&bundle)?;
    let layers = match root.table("layers")? {
        Some(table) => read_layers(table)?,
        None => Vec::new(),
    };
    let upstreams = read_sources(root)?;
    let git = read_git_settings(root.table("git")?, protocol)?;
    let (cookbooks, globs) = match root.table("cookbooks")? {
        Some(table) => read_cookbooks(table, git.protocol)?,
        None => Default::default(),
    };
    Ok(Manifest {
        layers,
        cookbooks,
        globs,
        git,
        provided,
        upstreams,
        transitive_sources,
        ..Manifest::empty(file.clone(), Format::CookpackToml, bundle)
    })
}

fn read_bundle(table: &Table<'_, '_>) -> Result<(Bundle, BTreeSet<CookbookName>), DocumentError> {
    table.only(&[
        "layout",
        "name",
        "provided",
        "run_list",
        "target",
        "transitive_sources",
    ])?;
    let (name, at) = table.required("name")?;
    if ArchivePath::new(&name).is_err() || name.contains('/') || name.starts_with('-') {
        return Err(DocumentError::InvalidValue {
            reason: format!("`{}` cannot be the name of a file", name.escape_debug()),
            hint: Some(
                "the archive is called by it: write a plain name such as `web-cookbooks`"
                    .to_owned(),
            ),
            at,
        });
    }
    let target = table
        .string("target")?
        .map(|found| one_of("target", &Target::ALL, found))
        .transpose()?
        .unwrap_or_default();
    let layout = table
        .string("layout")?
        .map(|found| one_of("layout", &LayoutKind::ALL, found))
        .transpose()?
        .unwrap_or(target.default_layout());
    let run_list = read_run_list(table, "run_list")?;
    let provided = table
        .strings("provided")?
        .into_iter()
        .map(|(text, at)| {
            text.parse()
                .map_err(|e| invalid(&e as &dyn std::fmt::Display, at))
        })
        .collect::<Result<_, _>>()?;
    let bundle = Bundle {
        name,
        target,
        layout,
        run_list,
        groups: GroupChoice::All,
    };
    Ok((bundle, provided))
}

fn one_of<T: Copy>(
    key: &str,
    known: &[(&'static str, T)],
    (found, at): (String, Location),
) -> Result<T, DocumentError> {
    let names = || known.iter().map(|(name, _)| *name);
    known
        .iter()
        .find(|(name, _)| *name == found)
        .map(|(_, value)| *value)
        .ok_or_else(|| DocumentError::InvalidValue {
            reason: format!("`{}` is no {key}", found.escape_debug()),
            hint: Some(format!(
                "allowed: {}",
                names()
                    .map(|n| format!("`{n}`"))
                    .collect::<Vec<_>>()
                    .join(", ")
            )),
            at,
        })
}

fn read_run_list(
    table: &Table<'_, '_>,
    key: &'static str,
) -> Result<Vec<RunListEntry>, DocumentError> {
    let read = |(text, at): (String, Location)| match text.parse() {
        Ok(item) => Ok(RunListEntry { item, at }),
        Err(error) => Err(invalid(&error as &dyn std::fmt::Display, at)),
    };
    table.strings(key)?.into_iter().map(read).collect()
}

/// OpsWorks's lifecycle events, in the order of a machine's life.
const LIFECYCLE_EVENTS: [&str; 5] = ["setup", "configure", "deploy", "undeploy", "shutdown"];

fn read_layers(table: Table<'_, '_>) -> Result<Vec<Layer>, DocumentError> {
    let read = |(name, _, value): (String, Location, Value<'_, '_>)| {
        let table = value.table(format!("[layers.{name}]"))?;
        table.only(&LIFECYCLE_EVENTS)?;
        let mut events = BTreeMap::new();
        for event in LIFECYCLE_EVENTS {
            let run_list = read_run_list(&table, event)?;
            if !run_list.is_empty() {
                events.insert(event, run_list);
            }
        }
        Ok(Layer { name, events })
    };
    table.entries().into_iter().map(read).collect()
}

type Entries = (BTreeMap<CookbookName, Requirement>, Vec<GlobRequirement>);

fn read_cookbooks(table: Table<'_, '_>, protocol: GitProtocol) -> Result<Entries, DocumentError> {
    let mut cookbooks = BTreeMap::new();
    let mut globs = Vec::new();
    for (key, at, value) in table.entries() {
        if is_glob(&value) {
            globs.push(read_glob(&value, &key, at, protocol)?);
            continue;
        }
        let name: CookbookName = key
            .parse()
            .map_err(|error| invalid(&error as &dyn std::fmt::Display, at.clone()))?;
        cookbooks.insert(name, read_requirement(&value, &key, at, protocol)?);
    }
    // A map that was filled in order has nodes that are half empty, and one that is made of a whole has none.
    Ok((cookbooks.into_iter().collect(), globs))
}

pub(super) fn parse_constraint(text: &str, at: Location) -> Result<Constraint, DocumentError> {
    text.parse()
        .map_err(|error| invalid(&error as &dyn std::fmt::Display, at))
}

/// Whether an entry names folders by a pattern: its key is then a label, and no cookbook's name.
fn is_glob(value: &Value<'_, '_>) -> bool {
    let table = value.table(String::new());
    table.is_ok_and(|table| table.key_at("glob").is_some())
}

/// The keys of an entry of `[cookbooks]`.
const ENTRY_KEYS: [&str; 15] = [
    "bitbucket",
    "branch",
    "commit",
    "git",
    "github",
    "gitlab",
    "glob",
    "groups",
    "lfs",
    "override",
    "path",
    "ref",
    "rel",
    "tag",
    "version",
];

fn read_requirement(
    value: &Value<'_, '_>,
    key: &str,
    at: Location,
    protocol: GitProtocol,
) -> Result<Requirement, DocumentError> {
    if value.is_string() {
        let (text, constraint_at) = value.string()?;
        return Ok(Requirement {
            constraint: parse_constraint(&text, constraint_at)?,
            source: None,
            groups: default_groups(),
            overrides: None,
            at,
        });
    }
    if value.table(String::new()).is_err() {
        return Err(value.wrong_type("a table such as `{ git = \"...\" }` or a version constraint"));
    }
    let table = value.table(format!("cookbook `{key}`"))?;
    table.only(&ENTRY_KEYS)?;
    let groups = read_groups(&table)?;
    let overrides = table.value("override");
    let overrides = overrides
        .map(|value| read_override(&value, key).map(Box::new))
        .transpose()?;
    let version = table.string("version")?;
    let source = match read_place(&table, key, protocol)? {
        Some(Place::Git {
            url,
            reference,
            rel,
            lfs,
        }) => Some(Source::Git {
            url,
            reference,
            rel: rel.unwrap_or_default(),
            lfs,
        }),
        Some(Place::Path(path)) => Some(Source::Path(path)),
        None if version.is_some() => None,
        None => {
            return Err(DocumentError::InvalidValue {
                reason: format!("cookbook `{key}` has no source"),
                hint: Some(
                    "write `git = \"...\"` or `path = \"...\"` into its table, or `version = \"...\"` for one of the `[[sources]]` to give it"
                        .to_owned(),
                ),
                at: value.at(),
            });
        }
    };
    let constraint = match version {
        Some((text, at)) => parse_constraint(&text, at)?,
        None => Constraint::any(),
    };
    Ok(Requirement {
        constraint,
        source,
        groups,
        overrides,
        at,
    })
}

/// The groups of a cookbook, each once.
fn read_groups(table: &Table<'_, '_>) -> Result<Arc<[String]>, DocumentError> {
    let mut groups = Vec::new();
    for (group, at) in table.strings("groups")? {
        if group.is_empty() || group.contains(',') {
            let reason = "a group's name is not empty and has no comma";
            return Err(invalid(&reason, at));
        }
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    Ok(match groups.is_empty() {
        true => default_groups(),
        false => groups.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::error::Diagnose;

    fn read(text: &str) -> Result<Manifest, DocumentError> {
        Manifest::parse("cookpack.toml", text)
    }

    #[test]
    fn a_whole_manifest_is_read() {
        let manifest = read(
            r#"
            [bundle]
            name = "web"
            target = "chef-solo"
            run_list = ["web", "recipe[base::users]"]
            provided = ["opsworks_agent"]
            [layers.app]
            setup = ["base"]
            deploy = ["web::deploy"]
            [cookbooks]
            web = { git = "https://example.com/web.git", branch = "main" }
            base = { path = "cookbooks/base", version = "~> 1.2" }
            apt = { git = "../chef.git", tag = "v3.1", rel = "./cookbooks/apt/" }
            yum = { git = "file:///srv/yum.git", commit = "0A1b2c3" }
            ark = ">= 2.0"
            "#,
        )
        .unwrap();
        assert_eq!(manifest.bundle.layout, LayoutKind::Cookbooks);
        assert_eq!(manifest.run_list_entries().count(), 4);
        assert_eq!(manifest.provided.len(), 1);
        let source = |name: &str| {
            manifest.cookbooks[name]
                .source
                .clone()
                .map(|s| s.to_string())
        };
        assert_eq!(
            source("web").unwrap(),
            "https://example.com/web.git, branch `main`"
        );
        assert_eq!(source("base").unwrap(), "folder `cookbooks/base`");
        assert_eq!(
            source("apt").unwrap(),
            "../chef.git, tag `v3.1`, folder `cookbooks/apt`"
        );
        assert_eq!(
            source("yum").unwrap(),
            "file:///srv/yum.git, commit `0a1b2c3`"
        );
        assert_eq!(source("ark"), None);
        assert_eq!(manifest.cookbooks["base"].at.line(), 12);
    }

    /// A bad manifest, the line that must be marked, and what the message and its hint must say.
    #[test]
    fn every_error_marks_its_line_and_says_what_is_allowed() {
        let bundle = "[bundle]\nname = \"x\"\n";
        let table = [
            ("[cookbooks]\n", 1, "the manifest has no `[bundle]`", ""),
            ("[bundle]\n", 1, "has no `name`", ""),
            (
                "[bundle]\nnmae = \"x\"\n",
                2,
                "unknown key `nmae`",
                "did you mean `name`",
            ),
            (
                "[bundel]\nname = \"x\"\n",
                1,
                "unknown key `bundel`",
                "did you mean `bundle`",
            ),
            ("[bundle]\nname = 3\n", 2, "`name` must be a string", ""),
            (
                "[bundle]\nname = \"a/b\"\n",
                2,
                "cannot be the name of a file",
                "plain name",
            ),
            (
                "[bundle]\nname = \"x\"\ntarget = \"mars\"\n",
                3,
                "`mars` is no target",
                "`opsworks`",
            ),
            (
                "[bundle]\nname = \"x\"\nrun_lists = []\n",
                3,
                "unknown key `run_lists`",
                "did you mean `run_list`",
            ),
            (
                "[bundle]\nname = \"x\"\nrun_list = [\"roles[x]\"]\n",
                3,
                "not a run list entry",
                "",
            ),
            ("[bundle]\nname = \"x\n", 2, "", ""),
            (
                "+[bundel]\n",
                3,
                "unknown key `bundel`",
                "did you mean `bundle`",
            ),
            (
                "[bundle]\nname = \"x\"\ntransitive_sources = \"yes\"\n",
                3,
                "`transitive_sources` must be `true` or `false`",
                "",
            ),
            (
                "+[cookbooks]\napt = \"latest\"\n",
                4,
                "`latest` is not a version constraint",
                "",
            ),
            ("+[cookbooks]\napt = 7\n", 4, "`apt` must be a table", ""),
            (
                "+[cookbooks]\napt = {}\n",
                4,
                "`apt` has no source",
                "`git = ",
            ),
            ("+[cookbooks]\n\"a b\" = {}\n", 4, "not a cookbook name", ""),
            (
                "+[cookbooks]\napt = { git = \"x\", brnach = \"y\" }\n",
                4,
                "unknown key `brnach`",
                "did you mean `branch`",
            ),
            (
                "+[cookbooks]\napt = { git = \"x\", tag = \"a\", branch = \"b\" }\n",
                4,
                "more than one commit",
                "keep one",
            ),
            (
                "+[cookbooks]\napt = { git = \"x\", path = \"y\" }\n",
                4,
                "both `git` and `path`",
                "keep",
            ),
            (
                "+[cookbooks]\napt = { path = \"y\", tag = \"a\" }\n",
                4,
                "belongs to `git`",
                "",
            ),
            (
                "+[cookbooks]\napt = { git = \"x\", rel = \"../y\" }\n",
                4,
                "not a folder inside the source",
                "",
            ),
            (
                "+[cookbooks]\napt = { git = \"x\", commit = \"main\" }\n",
                4,
                "not a commit",
                "",
            ),
            (
                "+[cookbooks]\napt = { git = \"ext::sh\" }\n",
                4,
                "remote helpers",
                "",
            ),
            (
                "+[layers.x]\nboot = []\n",
                4,
                "unknown key `boot`",
                "`setup`",
            ),
        ];
        for (text, line, message, hint) in table {
            let text = match text.strip_prefix('+') {
                Some(rest) => format!("{bundle}{rest}"),
                None => text.to_owned(),
            };
            let error = read(&text).expect_err(&text);
            let shown = error.diagnostics().remove(0);
            assert_eq!(shown.labels[0].at.line(), line, "{text}: {shown:?}");
            assert!(shown.message.contains(message), "{text}: {shown:?}");
            assert!(shown.hints.join(" ").contains(hint), "{text}: {shown:?}");
        }
    }

    #[test]
    fn the_requirements_digest_moves_with_what_decides_a_resolution_only() {
        let base = "[bundle]\nname = \"x\"\n[cookbooks]\na = { path = \"a\" }\n";
        let digest = |text: &str| read(text).unwrap().requirements_digest();
        assert_eq!(
            digest(base),
            digest(&base.replace("\"x\"", "\"y\"\nrun_list = [\"a\"]"))
        );
        assert_ne!(
            digest(base),
            digest(&base.replace("path = \"a\"", "path = \"b\""))
        );
        assert_ne!(
            digest(base),
            digest(&base.replace("\"x\"", "\"x\"\nprovided = [\"b\"]"))
        );
        assert_ne!(
            digest(base),
            digest(&base.replace("}", ", version = \"1.0\" }"))
        );
    }

    #[test]
    fn what_is_new_moves_the_requirements_digest_only_where_it_is_used() {
        let digest = |cookbooks: &str| {
            let text = format!("[bundle]\nname = \"x\"\n[cookbooks]\n{cookbooks}");
            read(&text).unwrap().requirements_digest()
        };
        // As it was before there were patterns and LFS.
        assert_eq!(
            digest("a = { git = \"a\" }\n"),
            Digest::of("cookbook a >= 0.0.0 git GitUrl(a) Default TreePath(\"\")\n")
        );
        assert_eq!(
            digest("a = { git = \"a\" }\n"),
            digest("a = { git = \"a\", lfs = false }\n")
        );
        assert_ne!(
            digest("a = { git = \"a\" }\n"),
            digest("a = { git = \"a\", lfs = true }\n")
        );
        let one = "x = { git = \"a\", glob = \"*\" }\n";
        let two = "y = { path = \"a\", glob = \"*\" }\n";
        assert_ne!(digest(one), digest(two));
        assert_ne!(digest(one), digest(&one.replace('*', "*/*")));
        assert_ne!(digest(one), digest(""));
        assert_eq!(digest(one), digest(&one.replace("x =", "z =")));
        assert_eq!(
            digest(&format!("{one}{two}")),
            digest(&format!("{two}{one}"))
        );
    }
}
