//! Where the cookbooks of an entry come from, and the settings of git.

use super::{ENTRY_KEYS, one_of, read_groups};
use crate::document::{DocumentError, Table, Value, invalid};
use crate::manifest::hosts::{HOSTS, Host};
use crate::manifest::{
    CommitPrefix, GitProtocol, GitRef, GitSettings, GitUrl, Glob, GlobRequirement, GlobSource,
    check_any_ref, check_ref_name,
};
use crate::path::TreePath;
use crate::text::Location;

/// Where the cookbooks of an entry come from.
pub(super) enum Place {
    Git {
        url: GitUrl,
        reference: GitRef,
        rel: Option<TreePath>,
        lfs: bool,
    },
    Path(String),
}

/// The keys that mean something beside an address alone.
const OF_GIT: [&str; 6] = ["branch", "commit", "lfs", "ref", "rel", "tag"];

/// Reads `[git]`. `protocol` is the one for short forms where the table names none.
pub(super) fn read_git_settings(
    table: Option<Table<'_, '_>>,
    protocol: GitProtocol,
) -> Result<GitSettings, DocumentError> {
    let mut settings = GitSettings {
        executable: false,
        protocol,
    };
    let Some(table) = table else {
        return Ok(settings);
    };
    table.only(&["executable", "protocol"])?;
    settings.executable = table.boolean("executable")?.unwrap_or(false);
    if let Some(found) = table.string("protocol")? {
        settings.protocol = one_of("protocol for short forms", &GitProtocol::ALL, found)?;
    }
    Ok(settings)
}

/// Reads where the cookbooks of the entry `key` come from; none if its table does not say.
pub(super) fn read_place(
    table: &Table<'_, '_>,
    key: &str,
    protocol: GitProtocol,
) -> Result<Option<Place>, DocumentError> {
    let mut addresses = Vec::new();
    if let Some((url, at)) = table.parsed("git", str::parse::<GitUrl>)? {
        addresses.push(("git", url, at));
    }
    for host in &HOSTS {
        if let Some((url, at)) = table.parsed(host.key, |text| short_form(host, text, protocol))? {
            addresses.push((host.key, url, at));
        }
    }
    let path = table.string("path")?;
    let both = match (&addresses[..], &path) {
        ([(one, ..), (other, _, at), ..], _) => Some((*one, *other, at)),
        ([(one, ..)], Some((_, at))) => Some((*one, "path", at)),
        _ => None,
    };
    if let Some((one, other, at)) = both {
        return Err(DocumentError::InvalidValue {
            reason: format!("`{key}` has both `{one}` and `{other}`"),
            hint: Some("keep the one it comes from".to_owned()),
            at: at.clone(),
        });
    }
    let Some((_, url, _)) = addresses.pop() else {
        refuse_keys_of_git(table, key, path.is_some())?;
        return path.map(read_path).transpose();
    };
    let rel = table.parsed("rel", TreePath::parse)?;
    Ok(Some(Place::Git {
        url,
        reference: read_reference(table, key)?,
        rel: rel.map(|(rel, _)| rel),
        lfs: table.boolean("lfs")?.unwrap_or(false),
    }))
}

fn short_form(host: &Host, text: &str, protocol: GitProtocol) -> Result<GitUrl, String> {
    let repository = host.check(text).map_err(|error| error.to_string())?;
    let address = host.address(&repository, protocol);
    address
        .parse()
        .map_err(|error: crate::manifest::InvalidGitUrl| error.to_string())
}

fn read_path((path, at): (String, Location)) -> Result<Place, DocumentError> {
    match path.is_empty() || path.contains('\0') {
        true => Err(invalid(&"the path is empty", at)),
        false => Ok(Place::Path(path)),
    }
}

/// What would be passed over silently without a repository.
fn refuse_keys_of_git(
    table: &Table<'_, '_>,
    key: &str,
    has_path: bool,
) -> Result<(), DocumentError> {
    let found = OF_GIT
        .iter()
        .filter_map(|of_git| Some((of_git, table.key_at(of_git)?)));
    let Some((of_git, at)) = found.min_by_key(|(_, at)| at.span.start) else {
        return Ok(());
    };
    let (reason, hint) = match has_path {
        true => (
            format!("`{of_git}` belongs to `git`, but `{key}` has a `path`"),
            "take it out, or write `git` instead of `path`",
        ),
        false => (
            format!("`{of_git}` belongs to `git`, and `{key}` has no `git`"),
            "add the repository, `git = \"...\"`, or take it out",
        ),
    };
    Err(DocumentError::InvalidValue {
        reason,
        hint: Some(hint.to_owned()),
        at,
    })
}

fn read_reference(table: &Table<'_, '_>, key: &str) -> Result<GitRef, DocumentError> {
    let branch = table.parsed("branch", check_ref_name)?;
    let tag = table.parsed("tag", check_ref_name)?;
    let commit = table.parsed("commit", str::parse::<CommitPrefix>)?;
    let any = table.parsed("ref", check_any_ref)?;
    let mut references = [
        branch.map(|(name, at)| (GitRef::Branch(name), at)),
        tag.map(|(name, at)| (GitRef::Tag(name), at)),
        commit.map(|(prefix, at)| (GitRef::Commit(prefix), at)),
        any.map(|(name, at)| (GitRef::Any(name), at)),
    ]
    .into_iter()
    .flatten();
    let reference = references.next();
    if let Some((_, at)) = references.next() {
        return Err(DocumentError::InvalidValue {
            reason: format!("`{key}` asks for more than one commit"),
            hint: Some("keep one of `branch`, `tag`, `commit` and `ref`".to_owned()),
            at,
        });
    }
    Ok(reference.map_or(GitRef::Default, |(reference, _)| reference))
}

/// Keys that say something of one cookbook, and what to do in place of each.
const OF_ONE_COOKBOOK: [(&str, &str); 3] = [
    (
        "rel",
        "write the folder into the pattern: `glob = \"cookbooks/*\"`",
    ),
    (
        "version",
        "take it out, or write an entry with `rel` or `path` for the cookbook that is to have it",
    ),
    (
        "override",
        "write an entry with `path` for the cookbook, or mend its metadata.rb",
    ),
];

/// Reads an entry with a `glob`.
pub(super) fn read_glob(
    value: &Value<'_, '_>,
    label: &str,
    at: Location,
    protocol: GitProtocol,
) -> Result<GlobRequirement, DocumentError> {
    let table = value.table(format!("`{label}`"))?;
    table.only(&ENTRY_KEYS)?;
    let (text, glob_at) = table.required("glob")?;
    let glob = Glob::parse(&text).map_err(|error| DocumentError::InvalidValue {
        reason: error.to_string(),
        hint: Some(error.hint.to_owned()),
        at: glob_at,
    })?;
    for (key, hint) in OF_ONE_COOKBOOK {
        if let Some(at) = table.key_at(key) {
            return Err(DocumentError::InvalidValue {
                reason: format!("`{key}` is for one cookbook, and `glob` names many"),
                hint: Some(hint.to_owned()),
                at,
            });
        }
    }
    let source = match read_place(&table, label, protocol)? {
        Some(Place::Git {
            url,
            reference,
            lfs,
            ..
        }) => GlobSource::Git {
            url,
            reference,
            lfs,
        },
        Some(Place::Path(path)) => GlobSource::Path(path),
        None => {
            return Err(DocumentError::InvalidValue {
                reason: format!("`{label}` has no source"),
                hint: Some(
                    "write `git = \"...\"` or `path = \"...\"` beside its `glob`".to_owned(),
                ),
                at: table.at(),
            });
        }
    };
    Ok(GlobRequirement {
        label: label.to_owned(),
        source,
        glob,
        groups: read_groups(&table)?,
        at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Diagnose;
    use crate::manifest::{DEFAULT_GROUP, Manifest, Source};

    fn read(text: &str) -> Result<Manifest, DocumentError> {
        Manifest::parse("cookpack.toml", text)
    }

    /// What is wrong in a manifest's fourth line, and what the message and its hint must say.
    #[test]
    fn what_makes_no_sense_is_marked_with_a_next_step() {
        let table = [
            (
                "[cookbooks]\napt = { github = \"a/b\", git = \"x\" }\n",
                "both `git` and `github`",
                "keep",
            ),
            (
                "[cookbooks]\napt = { github = \"a/b\", gitlab = \"a/b\" }\n",
                "both `github` and `gitlab`",
                "keep",
            ),
            (
                "[cookbooks]\napt = { bitbucket = \"a/b\", path = \"x\" }\n",
                "both `bitbucket` and `path`",
                "keep",
            ),
            (
                "[cookbooks]\napt = { github = \"a\" }\n",
                "`a` is no repository at github.com: write `owner/repository`",
                "",
            ),
            (
                "[cookbooks]\napt = { lfs = true, version = \"1.0\" }\n",
                "`lfs` belongs to `git`, and `apt` has no `git`",
                "add the repository",
            ),
            (
                "[cookbooks]\napt = { path = \"x\", lfs = true }\n",
                "`lfs` belongs to `git`, but `apt` has a `path`",
                "take it out",
            ),
            (
                "[cookbooks]\napt = { path = \"x\", ref = \"main\" }\n",
                "`ref` belongs to `git`",
                "take it out",
            ),
            (
                "[cookbooks]\napt = { git = \"x\", lfs = \"yes\" }\n",
                "`lfs` must be `true` or `false`",
                "",
            ),
            (
                "[cookbooks]\nall = { git = \"x\", glob = \"*\", rel = \"y\" }\n",
                "`rel` is for one cookbook",
                "into the pattern",
            ),
            (
                "[cookbooks]\nall = { git = \"x\", glob = \"*\", version = \"1.0\" }\n",
                "`version` is for one cookbook",
                "an entry with `rel` or `path`",
            ),
            (
                "[cookbooks]\nall = { path = \"x\", glob = \"*\", override = { version = \"1\" } }\n",
                "`override` is for one cookbook",
                "mend its metadata.rb",
            ),
            (
                "[cookbooks]\nall = { path = \"x\", glob = \"*\", tag = \"v1\" }\n",
                "`tag` belongs to `git`",
                "",
            ),
            (
                "[cookbooks]\nall = { path = \"x\", glob = \"**/x\" }\n",
                "`**/x` is no pattern",
                "write each level",
            ),
            (
                "[cookbooks]\nall = { glob = \"*\" }\n",
                "`all` has no source",
                "beside its `glob`",
            ),
            (
                "[git]\nprotocol = \"git\"\n",
                "`git` is no protocol",
                "`https`, `ssh`",
            ),
            (
                "[git]\nexecutable = \"git\"\n",
                "`executable` must be `true` or `false`",
                "",
            ),
            ("[git]\nprogram = true\n", "unknown key `program`", ""),
        ];
        for (text, message, hint) in table {
            let text = format!("[bundle]\nname = \"x\"\n{text}");
            let shown = read(&text).expect_err(&text).diagnostics().remove(0);
            assert_eq!(shown.labels[0].at.line(), 4, "{text}: {shown:?}");
            assert!(shown.message.contains(message), "{text}: {shown:?}");
            assert!(shown.hints.join(" ").contains(hint), "{text}: {shown:?}");
        }
    }

    #[test]
    fn short_forms_are_addresses_by_the_protocol_that_is_set() {
        let text = "[bundle]\nname = \"x\"\n[cookbooks]\na = { github = \"x/a\" }\nb = { gitlab = \"x/y/b\", tag = \"v1\" }\n";
        let urls = |manifest: &Manifest| -> Vec<String> {
            let sources = manifest.cookbooks.values().flat_map(|asked| &asked.source);
            sources.map(ToString::to_string).collect()
        };
        let https = [
            "https://github.com/x/a.git, the default branch",
            "https://gitlab.com/x/y/b.git, tag `v1`",
        ];
        let ssh = [
            "git@github.com:x/a.git, the default branch",
            "git@gitlab.com:x/y/b.git, tag `v1`",
        ];
        assert_eq!(urls(&read(text).unwrap()), https);
        let given = |text: &str, protocol| Manifest::parse_with("c", text, protocol).unwrap();
        assert_eq!(urls(&given(text, GitProtocol::Ssh)), ssh);
        // The manifest's own goes before the one that is given.
        let own = |protocol: &str| format!("{text}[git]\nprotocol = \"{protocol}\"\n");
        assert_eq!(urls(&given(&own("https"), GitProtocol::Ssh)), https);
        assert_eq!(urls(&given(&own("ssh"), GitProtocol::Https)), ssh);
    }

    #[test]
    fn patterns_are_entries_of_their_own() {
        let manifest = read(
            "[bundle]\nname = \"x\"\n[cookbooks]\n\
             \"all of it\" = { git = \"x\", glob = \"./cookbooks/*/\", branch = \"main\", lfs = true }\n\
             site = { path = \"..\", glob = \"site-*\", groups = [\"test\"] }\n\
             web = { path = \"web\" }\n",
        )
        .unwrap();
        assert_eq!(manifest.cookbooks.len(), 1);
        let [all, site] = &manifest.globs[..] else {
            panic!("{:?}", manifest.globs)
        };
        assert_eq!(
            (&*all.label, all.glob.as_str(), all.at.line()),
            ("all of it", "cookbooks/*", 4)
        );
        assert_eq!(*all.groups, [DEFAULT_GROUP]);
        assert_eq!(*site.groups, ["test"]);
        let folder = TreePath::parse("cookbooks/web").unwrap();
        assert_eq!(
            all.requirement(&folder).source,
            Some(Source::Git {
                url: "x".parse().unwrap(),
                reference: GitRef::Branch("main".to_owned()),
                rel: folder,
                lfs: true
            })
        );
    }
}
