//! `cookpack manifest --json`: what a manifest says, as a document.

use serde_json::{Map, Value, json};

use crate::manifest::{
    Berksfile, BerksfileLock, Declaration, GitOrigin, GlobRequirement, GlobSource, IncludedPolicy,
    Manifest, NamePattern, Origin, Policyfile, Requirement, Source, Upstream, redact,
};
use crate::metadata::Json;
use crate::ops::ManifestFile;
use crate::path::TreePath;

/// The document of a file.
pub(super) fn document(file: &ManifestFile) -> Value {
    match file {
        ManifestFile::CookpackToml(manifest) | ManifestFile::Metadata(manifest) => {
            cookpack_toml(manifest)
        }
        ManifestFile::Policyfile(policyfile) => policyfile_document(policyfile),
        ManifestFile::BerksfileLock(lock) => berksfile_lock(lock),
        ManifestFile::Cheffile(cheffile) => json!({
            "sources": upstreams(&cheffile.sites),
            "dependencies": cheffile.cookbooks.iter().map(declaration).collect::<Vec<_>>(),
        }),
        ManifestFile::Berksfile(berksfile) => berksfile_document(berksfile),
    }
}

fn berksfile_document(berksfile: &Berksfile) -> Value {
    json!({
        "sources": upstreams(&berksfile.sources),
        "dependencies": berksfile.cookbooks.iter().map(declaration).collect::<Vec<_>>(),
    })
}

fn policyfile_document(policyfile: &Policyfile) -> Value {
    let named = policyfile.named_run_lists.iter();
    let named: Map<String, Value> = named
        .map(|named| (named.name.clone(), json!(named.items)))
        .collect();
    let cookbook = |declared: &Declaration| {
        json!({
            "name": declared.name,
            "constraint": declared.constraint,
            "options": options(&declared.options),
        })
    };
    let included = |policy: &IncludedPolicy| json!({ "name": policy.name, "options": options(&policy.options) });
    json!({
        "name": policyfile.name,
        "run_list": policyfile.run_list,
        "named_run_lists": named,
        "default_source": upstreams(&policyfile.sources),
        "cookbooks": policyfile.cookbooks.iter().map(cookbook).collect::<Vec<_>>(),
        "include_policy": policyfile.included.iter().map(included).collect::<Vec<_>>(),
        "default": value(&policyfile.default),
        "override": value(&policyfile.overrides),
    })
}

fn options(options: &[(String, Json)]) -> Value {
    let entries = options.iter();
    let shown = entries.map(|(name, option)| match (&**name, option) {
        ("git" | "remote" | "server", Json::String(url)) => (name.clone(), json!(redact(url))),
        _ => (name.clone(), value(option)),
    });
    Value::Object(shown.collect())
}

/// A value of the library's as one of the document's.
fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => json!(value),
        Json::Number(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        Json::String(text) => json!(text),
        Json::Array(items) => items.iter().map(value).collect(),
        Json::Object(entries) => {
            let entries = entries.iter();
            let entries = entries.map(|(key, item)| (key.clone(), value(item)));
            Value::Object(entries.collect())
        }
    }
}

fn berksfile_lock(lock: &BerksfileLock) -> Value {
    let graph = lock.graph.iter().map(|(name, locked)| {
        let document = json!({ "version": locked.version, "dependencies": locked.dependencies });
        (name.clone(), document)
    });
    json!({
        "dependencies": lock.dependencies.iter().map(declaration).collect::<Vec<_>>(),
        "graph": graph.collect::<Map<String, Value>>(),
    })
}

fn upstreams(upstreams: &[Upstream]) -> Vec<Value> {
    let one = |upstream: &Upstream| {
        let key = match upstream.kind.word() {
            "chef_repo" => "path",
            _ => "uri",
        };
        let mut document = json!({ "type": upstream.kind.word(), key: upstream.kind.place() });
        if !upstream.preferred_for.is_empty() {
            document["preferred_for"] = json!(upstream.preferred_for);
        }
        for (key, patterns) in [("only", &upstream.only), ("except", &upstream.except)] {
            if !patterns.is_empty() {
                let texts: Vec<_> = patterns.iter().map(NamePattern::as_str).collect();
                document[key] = json!(texts);
            }
        }
        document
    };
    upstreams.iter().map(one).collect()
}

fn declaration(declared: &Declaration) -> Value {
    let mut document = json!({
        "name": declared.name,
        "constraint": declared.constraint,
        "groups": declared.groups,
    });
    match &declared.origin {
        Some(Origin::Git(git)) => document["location"] = git_location(git),
        Some(Origin::Path(path)) => document["location"] = json!({ "path": path }),
        Some(Origin::Other(option)) => document["location"] = json!({ "type": option }),
        None => {}
    }
    if declared.is_metadata {
        document["metadata"] = json!(true);
    }
    document
}

fn git_location(git: &GitOrigin) -> Value {
    let mut location = Map::new();
    location.insert("git".to_owned(), json!(git.redacted_url()));
    for (key, value) in [
        ("branch", &git.branch),
        ("tag", &git.tag),
        ("ref", &git.reference),
        ("revision", &git.revision),
        ("rel", &git.rel),
    ] {
        if let Some(value) = value {
            location.insert(key.to_owned(), json!(value));
        }
    }
    Value::Object(location)
}

fn cookpack_toml(manifest: &Manifest) -> Value {
    let run_list: Vec<_> = manifest.bundle.run_list.iter().collect();
    let run_list: Vec<_> = run_list
        .iter()
        .map(|entry| entry.item.to_string())
        .collect();
    let cookbooks = manifest.cookbooks.iter();
    json!({
        "name": manifest.bundle.name,
        "layout": manifest.bundle.layout.as_str(),
        "run_list": run_list,
        "provided": manifest.provided.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "dependencies": cookbooks.map(|(name, asked)| requirement(name.as_str(), asked)).collect::<Vec<_>>(),
        "sources": upstreams(&manifest.upstreams),
        "transitive_sources": manifest.transitive_sources,
        "globs": manifest.globs.iter().map(glob).collect::<Vec<_>>(),
        "git": {
            "executable": manifest.git.executable,
            "protocol": manifest.git.protocol.as_str(),
        },
    })
}

fn requirement(name: &str, asked: &Requirement) -> Value {
    let mut document = json!({
        "name": name,
        "constraint": asked.constraint.to_string(),
        "groups": *asked.groups,
    });
    if let Some(source) = &asked.source {
        document["location"] = location(source);
    }
    document
}

fn glob(asked: &GlobRequirement) -> Value {
    let mut document = json!({
        "label": asked.label,
        "glob": asked.glob.as_str(),
        "groups": *asked.groups,
    });
    document["location"] = match &asked.source {
        GlobSource::Path(path) => json!({ "path": path }),
        git => location(&git.at(&TreePath::root())),
    };
    document
}

fn location(source: &Source) -> Value {
    match source {
        Source::Git {
            url,
            reference,
            rel,
            lfs,
        } => {
            let mut location = json!({ "git": url.redacted() });
            if let Some((key, value)) = reference.key_and_value() {
                location[key] = json!(value);
            }
            if !rel.is_root() {
                location["rel"] = json!(rel.as_str());
            }
            if *lfs {
                location["lfs"] = json!(true);
            }
            location
        }
        Source::Path(path) => json!({ "path": path }),
    }
}
