//! Prints a manifest as the cookpack.toml that means the same.

use std::fmt::Write as _;

use super::{
    DEFAULT_GROUP, GitProtocol, GitSettings, GlobRequirement, Manifest, NamePattern, Override,
    Policy, Requirement, RunListEntry, Source, Upstream, UpstreamKind,
};
use crate::document::quote;
use crate::metadata::Json;
use crate::path::TreePath;

impl Manifest {
    /// The cookpack.toml that means the same. What it has no words for yet stands in comments, and
    /// so do credentials in addresses: they are left out.
    pub fn to_toml(&self) -> String {
        let bundle = &self.bundle;
        let mut text = format!(
            "[bundle]\nname = {}\nlayout = {}\n",
            quote(&bundle.name),
            quote(bundle.layout.as_str())
        );
        if !bundle.run_list.is_empty() {
            let _ = writeln!(text, "run_list = {}", run_list(&bundle.run_list));
        }
        if !self.provided.is_empty() {
            let names: Vec<_> = self.provided.iter().map(|n| quote(n.as_str())).collect();
            let _ = writeln!(text, "provided = [{}]", names.join(", "));
        }
        if self.transitive_sources {
            text.push_str("transitive_sources = true\n");
        }
        for layer in &self.layers {
            let _ = writeln!(text, "\n[layers.{}]", key(&layer.name));
            for (event, entries) in &layer.events {
                let _ = writeln!(text, "{event} = {}", run_list(entries));
            }
        }
        self.git.print(&mut text);
        for (index, upstream) in self.upstreams.iter().enumerate() {
            upstream.print(&self.upstreams[index + 1..], &mut text);
        }
        if let Some(policy) = &self.policy {
            policy.print(&mut text);
        }
        text.push_str("\n[cookbooks]\n");
        for (name, asked) in &self.cookbooks {
            let note = match asked.source.is_none() && self.upstreams.is_empty() {
                true => "    # from no place: there are no `[[sources]]`",
                false => "",
            };
            let _ = writeln!(text, "{} = {}{note}", key(name.as_str()), asked.print());
        }
        for asked in &self.globs {
            let _ = writeln!(text, "{} = {}", key(&asked.label), asked.print());
        }
        text
    }
}

impl Upstream {
    /// Prints it, knowing the places that are asked after it. A name for which one of those is preferred
    /// is not asked for here: a cookpack.toml says it so.
    fn print(&self, later: &[Upstream], text: &mut String) {
        let Some(place) = self.kind.place() else {
            let _ = writeln!(
                text,
                "\n# {}: its address stands in another file; write it as `{} = \"...\"` under `[[sources]]`",
                self.kind, self.kind
            );
            return;
        };
        text.push_str("\n[[sources]]\n");
        let word = match &self.kind {
            UpstreamKind::DeliverySupermarket(_) => {
                text.push_str("# of which only the newest versions counted\n");
                "supermarket"
            }
            kind => kind.word(),
        };
        let _ = writeln!(text, "{word} = {}", quote(&place));
        let list = |patterns: &mut dyn Iterator<Item = &str>| {
            let quoted: Vec<_> = patterns.map(quote).collect();
            quoted.join(", ")
        };
        let only = list(&mut self.only.iter().map(NamePattern::as_str));
        let elsewhere = later.iter().flat_map(|later| &later.preferred_for);
        let elsewhere = elsewhere.map(String::as_str);
        let except = self.except.iter().map(NamePattern::as_str);
        let except = list(&mut except.chain(elsewhere));
        for (key, list) in [("only", only), ("except", except)] {
            if !list.is_empty() {
                let _ = writeln!(text, "{key} = [{list}]");
            }
        }
    }
}

impl GitSettings {
    fn print(&self, text: &mut String) {
        if *self == Self::default() {
            return;
        }
        text.push_str("\n[git]\n");
        if self.executable {
            text.push_str("executable = true\n");
        }
        if self.protocol != GitProtocol::default() {
            let _ = writeln!(text, "protocol = {}", quote(self.protocol.as_str()));
        }
    }
}

/// The pairs of a table that say where something comes from.
fn print_source(source: &Source) -> Vec<(&'static str, String)> {
    match source {
        Source::Path(path) => vec![("path", quote(path))],
        Source::Git {
            url,
            reference,
            rel,
            lfs,
        } => {
            let mut pairs = vec![("git", quote(&url.redacted()))];
            if let Some((key, value)) = reference.key_and_value() {
                pairs.push((key, quote(value)));
            }
            if !rel.is_root() {
                pairs.push(("rel", quote(rel.as_str())));
            }
            if *lfs {
                pairs.push(("lfs", "true".to_owned()));
            }
            pairs
        }
    }
}

fn print_groups(groups: &[String]) -> Option<(&'static str, String)> {
    let quoted: Vec<_> = groups.iter().map(|group| quote(group)).collect();
    (groups != [DEFAULT_GROUP]).then(|| ("groups", format!("[{}]", quoted.join(", "))))
}

fn print_table(pairs: &[(&'static str, String)]) -> String {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(key, value)| format!("{key} = {value}"))
        .collect();
    format!("{{ {} }}", pairs.join(", "))
}

impl GlobRequirement {
    fn print(&self) -> String {
        let mut pairs = match &self.source {
            super::GlobSource::Path(path) => vec![("path", quote(path))],
            git @ super::GlobSource::Git { .. } => print_source(&git.at(&TreePath::root())),
        };
        pairs.insert(1, ("glob", quote(self.glob.as_str())));
        pairs.extend(print_groups(&self.groups));
        print_table(&pairs)
    }
}

impl Requirement {
    fn print(&self) -> String {
        let groups = print_groups(&self.groups);
        let constraint = quote(&self.constraint.to_string());
        let mut pairs = match &self.source {
            None if groups.is_none() && self.overrides.is_none() => {
                return constraint;
            }
            None => vec![("version", constraint.clone())],
            Some(source) => print_source(source),
        };
        if self.source.is_some() && !self.constraint.is_any() {
            pairs.push(("version", constraint));
        }
        pairs.extend(groups);
        if let Some(overrides) = &self.overrides {
            pairs.push(("override", print_override(overrides)));
        }
        print_table(&pairs)
    }
}

fn print_override(overrides: &Override) -> String {
    let depends: Vec<_> = overrides
        .dependencies
        .iter()
        .map(|d| format!("{} = {}", key(&d.name), quote(&d.constraint.to_string())))
        .collect();
    let version = quote(&overrides.version.to_string());
    match depends.is_empty() {
        true => format!("{{ version = {version} }}"),
        false => format!(
            "{{ version = {version}, depends = {{ {} }} }}",
            depends.join(", ")
        ),
    }
}

impl Policy {
    /// A cookpack.toml has no words for any of it.
    fn print(&self, text: &mut String) {
        if !self.named_run_lists.is_empty() {
            text.push_str("\n# Named run lists, which have no words here yet:\n");
        }
        for (name, entries) in &self.named_run_lists {
            let _ = writeln!(text, "# {} = {}", key(name), run_list(entries));
        }
        if !self.included.is_empty() {
            text.push_str("\n# Included policies, which this version does not read:\n");
        }
        for included in &self.included {
            let options: Vec<_> = included
                .options
                .iter()
                .filter(|(name, _)| !matches!(&**name, "git" | "remote" | "server"))
                .map(|(name, value)| format!("{name} = {}", plain(value)))
                .collect();
            let _ = writeln!(
                text,
                "# {} {}",
                one_line(&included.name),
                options.join(", ")
            );
        }
        for (level, attributes) in [("default", &self.default), ("override", &self.overrides)] {
            let mut lines = Vec::new();
            flatten(level, attributes, &mut lines);
            if !lines.is_empty() {
                let _ = writeln!(
                    text,
                    "\n# Attributes ({level}), which have no words here yet:"
                );
            }
            for line in lines {
                let _ = writeln!(text, "# {line}");
            }
        }
    }
}

/// Attributes, one line each.
fn flatten(path: &str, attributes: &Json, lines: &mut Vec<String>) {
    let Json::Object(entries) = attributes else {
        lines.push(format!("{path} = {}", plain(attributes)));
        return;
    };
    for (name, value) in entries {
        flatten(&format!("{path}[{}]", quote(name)), value, lines);
    }
}

fn plain(value: &Json) -> String {
    match value {
        Json::Null => "nil".to_owned(),
        Json::Bool(value) => value.to_string(),
        Json::Number(number) => number.clone(),
        Json::String(text) => quote(text),
        Json::Array(items) => {
            let items: Vec<_> = items.iter().map(plain).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|(key, value)| format!("{} => {}", quote(key), plain(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn run_list(entries: &[RunListEntry]) -> String {
    let items: Vec<_> = entries
        .iter()
        .map(|entry| quote(&entry.item.to_string()))
        .collect();
    format!("[{}]", items.join(", "))
}

/// A TOML key, quoted where it must be.
pub(crate) fn key(name: &str) -> String {
    let bare = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    match !name.is_empty() && name.bytes().all(bare) {
        true => name.to_owned(),
        false => quote(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_means_the_same() {
        let text = r#"
            [bundle]
            name = "web"
            layout = "cookbooks"
            run_list = ["web", "role[x]"]
            provided = ["agent"]
            transitive_sources = true
            [[sources]]
            universe = "https://me:s3cret@example.com/mirror"
            only = ["acme_*", "x"]
            except = ["acme_old"]
            [[sources]]
            supermarket = "https://supermarket.chef.io"
            [[sources]]
            chef_repo = "../a \"b\""
            [[sources]]
            artifactory = "https://example.com/api/chef/x"
            [[sources]]
            chef_server = "https://example.com/organizations/x"
            [layers."app 1"]
            deploy = ["web::deploy"]
            [git]
            executable = true
            protocol = "ssh"
            [cookbooks]
            "all of them" = { git = "../chef", glob = "cookbooks/*", tag = "v1", lfs = true }
            site = { path = "site", glob = "*", groups = ["test"] }
            short = { github = "example/short", lfs = true, branch = "main" }
            web = { path = "a \"b\" c", version = "~> 1.2" }
            java = { git = "../java", ref = "v1", rel = "cookbooks/java", groups = ["test", "x"] }
            apt = "~> 7.0"
            odd = { path = "odd", override = { version = "1.2.0", depends = { apt = "~> 7.0" } } }
            yum = { version = ">= 1.0", groups = ["test"] }
        "#;
        let one = Manifest::parse("cookpack.toml", text).unwrap();
        let printed = one.to_toml();
        let two = Manifest::parse("cookpack.toml", &printed).unwrap();
        assert_eq!(one.requirements_digest(), two.requirements_digest());
        let groups = |m: &Manifest| -> Vec<_> {
            m.cookbooks
                .values()
                .map(|asked| asked.groups.clone())
                .collect()
        };
        assert_eq!(groups(&one), groups(&two));
        assert_eq!(one.git, two.git);
        assert_eq!(two.upstreams.len(), 5);
        assert!(two.transitive_sources && !printed.contains("s3cret"));
        assert!(
            printed.contains("git@github.com:example/short.git"),
            "{printed}"
        );
        let globs = |m: &Manifest| -> Vec<_> {
            let globs = m.globs.iter();
            let parts = |asked: &GlobRequirement| {
                let label = asked.label.clone();
                (
                    label,
                    asked.source.clone(),
                    asked.glob.clone(),
                    asked.groups.clone(),
                )
            };
            globs.map(parts).collect()
        };
        assert_eq!(globs(&one).len(), 2);
        assert_eq!(globs(&one), globs(&two));
        assert_eq!(printed, two.to_toml());
    }

    #[test]
    fn what_a_policyfile_prefers_is_asked_for_nowhere_before_it() {
        let mut manifest = Manifest::parse(
            "cookpack.toml",
            "[bundle]\nname = \"x\"\n[[sources]]\nsupermarket = \"https://a\"\n[[sources]]\nsupermarket = \"https://b\"\n",
        )
        .unwrap();
        manifest.upstreams[0].preferred_for = vec!["yum".to_owned()];
        manifest.upstreams[1].preferred_for = vec!["apt".to_owned()];
        let again = Manifest::parse("cookpack.toml", &manifest.to_toml()).unwrap();
        for name in ["apt", "yum", "ark"] {
            let name = name.parse().unwrap();
            let first = |manifest: &Manifest| {
                let asked = crate::manifest::upstreams_for(&manifest.upstreams, &name);
                asked[0].kind.address()
            };
            assert_eq!(first(&manifest), first(&again), "{name}");
        }
        manifest.upstreams[1].kind = UpstreamKind::ChefServer(None);
        manifest.upstreams[0].kind = UpstreamKind::DeliverySupermarket("https://a".to_owned());
        let again = Manifest::parse("cookpack.toml", &manifest.to_toml()).unwrap();
        assert_eq!(again.upstreams.len(), 1, "{}", manifest.to_toml());
    }
}
