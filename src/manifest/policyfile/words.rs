//! The words of a Policyfile.rb.

use super::super::berksfile::own_cookbook;
use super::super::declared::{ANY, Declaration, Origin, constraint, folder, origin};
use super::super::upstream::{
    NameScope, PUBLIC_SUPERMARKET, Upstream, UpstreamKind, address_problem,
};
use super::super::{DEFAULT_GROUP, GitProtocol, IncludedPolicy, ManifestError, ManifestProblem};
use super::attributes::Node;
use super::{NamedRunList, Policyfile};
use crate::metadata::{Json, json_of};
use crate::ruby::{Dsl, Eval, Files, Interpreter, Invocation, RubyError, Settings, Value};
use crate::run_list::RunListItem;
use crate::text::{Location, SourceFile, nearest};

/// What a Policyfile.rb declares.
pub(super) struct Words<'a> {
    files: &'a dyn Files,
    settings: &'a Settings,
    protocol: GitProtocol,
    policyfile: Policyfile,
    pub(super) default: Node,
    pub(super) overrides: Node,
    /// The objects that the evaluation holds, by their number.
    objects: Vec<Held>,
    /// What chef-cli complains of at the end.
    problems: Vec<ManifestProblem>,
    failure: Option<ManifestError>,
    hint: Option<String>,
}

/// An object of this kind of file.
#[derive(Clone)]
pub(super) enum Held {
    /// A place within the attributes.
    Attributes {
        is_override: bool,
        path: Vec<String>,
    },
    /// A source, by its number.
    Source(usize),
    /// What has no use.
    Nothing,
}

/// The words of chef-cli.
const WORDS: [&str; 9] = [
    "cookbook",
    "default",
    "default_source",
    "include_policy",
    "metadata",
    "name",
    "named_run_list",
    "override",
    "run_list",
];

/// The places of cookbooks that are neither git nor a folder.
const OTHER_PLACES: [&str; 4] = [
    "artifactory",
    "artifactserver",
    "chef_server",
    "chef_server_artifact",
];

impl<'a> Words<'a> {
    pub(super) fn new(
        file: &SourceFile,
        files: &'a dyn Files,
        settings: &'a Settings,
        protocol: GitProtocol,
    ) -> Self {
        let nothing = || Json::Object(Vec::new());
        Self {
            files,
            settings,
            protocol,
            policyfile: Policyfile {
                file: file.clone(),
                name: None,
                run_list: Vec::new(),
                run_list_at: file.at(0..0),
                named_run_lists: Vec::new(),
                sources: Vec::new(),
                cookbooks: Vec::new(),
                included: Vec::new(),
                default: nothing(),
                overrides: nothing(),
            },
            default: Node::default(),
            overrides: Node::default(),
            objects: vec![Held::Nothing],
            problems: Vec::new(),
            failure: None,
            hint: None,
        }
    }

    /// The Policyfile.rb, if the evaluation came to its end and there is nothing to complain of.
    pub(super) fn finished(
        mut self,
        result: Result<(), RubyError>,
    ) -> Result<Policyfile, ManifestError> {
        match (result, self.failure.take()) {
            (Ok(()), _) => {}
            (Err(RubyError::Raised { .. }), Some(failure)) => return Err(failure),
            (Err(error), _) => {
                return Err(ManifestError::Ruby {
                    error: Box::new(error),
                    hint: self.hint,
                });
            }
        }
        if self.policyfile.run_list.is_empty() && self.problems.is_empty() {
            let at = self.policyfile.run_list_at.clone();
            let hint =
                "write `run_list \"cookbook::recipe\"`: chef-cli refuses a policy without one";
            self.complain("the policy has no run list", Some(hint.to_owned()), at);
        }
        self.complain_of_preferences();
        match self.problems.is_empty() {
            true => Ok(self.policyfile),
            false => Err(ManifestError::Invalid(self.problems)),
        }
    }

    fn complain(&mut self, message: impl Into<String>, hint: Option<String>, at: Location) {
        self.problems.push(ManifestProblem {
            message: message.into(),
            hint,
            at,
        });
    }

    /// One cookbook cannot come first from two sources.
    fn complain_of_preferences(&mut self) {
        let mut found = Vec::new();
        for (number, later) in self.policyfile.sources.iter().enumerate() {
            for earlier in &self.policyfile.sources[..number] {
                let twice = later.preferred_for.iter();
                for name in twice.filter(|name| earlier.preferred_for.contains(name)) {
                    let message = format!(
                        "both {} and {} are preferred for `{name}`",
                        earlier.kind, later.kind
                    );
                    found.push((message, later.at.clone()));
                }
            }
        }
        for (message, at) in found {
            self.complain(message, None, at);
        }
    }

    pub(super) fn hold(&mut self, cx: &mut Interpreter<'_>, object: Held) -> Eval {
        cx.charge(64)?;
        let number = u32::try_from(self.objects.len()).unwrap_or(u32::MAX);
        self.objects.push(object);
        Ok(Value::Object(number))
    }

    fn name(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        cx.arity(call, 0, 1)?;
        if let Some(value) = call.args.first().filter(|value| !value.is_nil()) {
            let Some(name) = cx.name_text(*value) else {
                return cx.unsupported("a name that is no string");
            };
            self.policyfile.name = Some(cx.placeless(name)?);
        }
        match self.policyfile.name.clone() {
            Some(name) => cx.string(name),
            None => Ok(Value::Nil),
        }
    }

    /// The entries of a run list; lists in lists count as one list.
    fn items(&mut self, cx: &mut Interpreter<'_>, values: &[Value]) -> Eval<Vec<String>> {
        let mut items = Vec::new();
        for value in values {
            if let Value::Array(_) = value {
                let inner = cx.items_of(*value)?;
                items.extend(cx.deeper(|cx| self.items(cx, &inner))?);
                continue;
            }
            let text = cx.text_of(*value)?;
            items.push(cx.placeless(text)?);
        }
        Ok(items)
    }

    fn check_items(&mut self, items: &[String], at: &Location) {
        for item in items {
            if let Err(error) = item.parse::<RunListItem>() {
                let hint = item.contains(':') && !item.contains("::");
                let hint = hint.then(|| format!("did you mean `{}`?", item.replacen(':', "::", 1)));
                self.complain(error.to_string(), hint, at.clone());
            }
        }
    }

    fn run_list(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        let items = self.items(cx, &call.args)?;
        if !items.is_empty() {
            let at = cx.location(call.args_span);
            self.check_items(&items, &at);
            self.policyfile.run_list = items;
            self.policyfile.run_list_at = at;
        }
        let items = self.policyfile.run_list.clone();
        strings(cx, &items)
    }

    fn named_run_list(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        cx.arity(call, 1, usize::MAX)?;
        let Some(name) = cx.name_text(call.args[0]) else {
            return cx.unsupported("a run list whose name is no string");
        };
        let items = self.items(cx, &call.args[1..])?;
        let at = cx.location(call.args_span);
        self.check_items(&items, &at);
        let known = &mut self.policyfile.named_run_lists;
        cx.step(known.len() as u64 / 64)?;
        let place = known.iter().position(|known| known.name == name);
        match place {
            None if items.is_empty() => return Ok(Value::Nil),
            None => known.push(NamedRunList { name, items, at }),
            Some(place) if !items.is_empty() => known[place] = NamedRunList { name, items, at },
            Some(_) => {}
        }
        let items = known[place.unwrap_or(known.len() - 1)].items.clone();
        strings(cx, &items)
    }

    fn default_source(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        cx.arity(call, 0, 2)?;
        let Some(kind) = call.args.first().filter(|kind| !kind.is_nil()) else {
            return cx.unsupported("reading `default_source`");
        };
        let at = cx.location(call.args_span);
        let word = match kind {
            Value::Sym(_) => cx.name_text(*kind).unwrap_or_default(),
            _ => cx.inspect(*kind)?,
        };
        let place = call.args.get(1).copied().filter(|place| !place.is_nil());
        let kind = match (&*word, place) {
            ("community" | "supermarket", None) => {
                UpstreamKind::Supermarket(PUBLIC_SUPERMARKET.to_owned())
            }
            ("chef_repo", Some(path)) => UpstreamKind::ChefRepo(folder(cx, path)?),
            (
                word @ ("community"
                | "supermarket"
                | "delivery_supermarket"
                | "chef_server"
                | "artifactory"),
                Some(url),
            ) => {
                let url = cx.text_of(url)?;
                let url = cx.placeless(url)?;
                if let Some(problem) = address_problem(&url) {
                    let message = format!("`{}` is no source: {problem}", url.escape_debug());
                    self.complain(message, None, at);
                    return Ok(Value::Object(0));
                }
                match word {
                    "delivery_supermarket" => UpstreamKind::DeliverySupermarket(url),
                    "chef_server" => UpstreamKind::ChefServer(Some(url)),
                    "artifactory" => UpstreamKind::Artifactory(url),
                    _ => UpstreamKind::Supermarket(url),
                }
            }
            ("delivery_supermarket" | "chef_server" | "chef_repo" | "artifactory", None) => {
                let message = format!("`default_source :{word}` does not say where it is");
                self.complain(message, None, at);
                return Ok(Value::Object(0));
            }
            _ => {
                let message = format!("`{word}` is no kind of source");
                let known =
                    ":supermarket, :delivery_supermarket, :chef_server, :chef_repo, :artifactory";
                self.complain(message, Some(format!("known are {known}")), at);
                return Ok(Value::Object(0));
            }
        };
        let number = self.policyfile.sources.len();
        self.policyfile.sources.push(Upstream {
            kind,
            preferred_for: Vec::new(),
            names: NameScope::default(),
            at,
        });
        let source = self.hold(cx, Held::Source(number))?;
        if let Some(block) = call.block {
            cx.call_block(self, block, &[source])?;
        }
        Ok(source)
    }

    /// The options of a call, whose keys are symbols.
    fn options(
        &mut self,
        cx: &mut Interpreter<'_>,
        value: Option<Value>,
    ) -> Eval<Vec<(String, Value)>> {
        let Some(Value::Hash(id)) = value else {
            return Ok(Vec::new());
        };
        let mut options = Vec::new();
        for (key, value) in cx.entries(id)? {
            match (key, cx.name_text(key)) {
                (Value::Sym(_), Some(name)) => options.push((name, value)),
                _ => return cx.unsupported("an option that is not named by a symbol"),
            }
        }
        Ok(options)
    }

    fn cookbook(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        cx.arity(call, 1, usize::MAX)?;
        let (args, options) = match call.args.split_last() {
            Some((hash @ Value::Hash(_), args)) => (args, self.options(cx, Some(*hash))?),
            _ => (&call.args[..], Vec::new()),
        };
        let Some(name) = args.first().and_then(|name| cx.name_text(*name)) else {
            return cx.raise("ArgumentError", "`cookbook` without a name");
        };
        let declaration = Declaration {
            name: cx.placeless(name)?,
            constraint: constraint(cx, args.get(1).copied())?,
            groups: vec![DEFAULT_GROUP.to_owned()],
            is_metadata: false,
            origin: origin(cx, &options, &OTHER_PLACES, self.protocol)?,
            options: shown_options(cx, &options)?,
            at: cx.location(call.args_span),
        };
        self.declare(cx, declaration)
    }

    fn declare(&mut self, cx: &mut Interpreter<'_>, declaration: Declaration) -> Eval {
        let known = &mut self.policyfile.cookbooks;
        cx.step(known.len() as u64 / 64)?;
        if let Some(earlier) = known.iter().find(|known| known.name == declaration.name) {
            let message = format!("cookbook `{}` is declared twice", declaration.name);
            let hint = format!("it is at {}: keep one of them", earlier.at);
            self.complain(message, Some(hint), declaration.at);
            return Ok(Value::Object(0));
        }
        if !declaration.options.is_empty() && declaration.origin.is_none() {
            let names: Vec<_> = declaration
                .options
                .iter()
                .map(|(name, _)| format!("`{name}`"))
                .collect();
            let message = format!(
                "the options of cookbook `{}` name no place: {}",
                declaration.name,
                names.join(", ")
            );
            let hint = "write `git:`, `github:` or `path:`".to_owned();
            self.complain(message, Some(hint), declaration.at.clone());
        }
        self.policyfile.cookbooks.push(declaration);
        Ok(Value::Object(0))
    }

    fn include_policy(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        cx.arity(call, 1, 2)?;
        let Some(name) = cx.name_text(call.args[0]) else {
            return cx.raise("ArgumentError", "`include_policy` without a name");
        };
        let options = self.options(cx, call.args.get(1).copied())?;
        let at = cx.location(call.args_span);
        let options = shown_options(cx, &options)?;
        let has = |name: &str| {
            options
                .iter()
                .any(|(key, value)| key == name && *value != Json::Null)
        };
        if self
            .policyfile
            .included
            .iter()
            .any(|known| known.name == name)
        {
            self.complain(format!("policy `{name}` is included twice"), None, at);
            return Ok(Value::Object(0));
        }
        if !["path", "remote", "server", "git"].into_iter().any(has) {
            let message = format!("policy `{name}` is included from nowhere");
            let hint = "write one of `path:`, `git:`, `remote:` and `server:`".to_owned();
            self.complain(message, Some(hint), at.clone());
        } else if has("server") && !has("path") && !has("remote") {
            let revision = has("policy_revision_id") || has("policy_group");
            if !has("policy_name") || !revision {
                let message = format!("policy `{name}` of a server is not told apart");
                let hint = "write `policy_name:`, and `policy_group:` or `policy_revision_id:`";
                self.complain(message, Some(hint.to_owned()), at.clone());
            }
        }
        self.policyfile
            .included
            .push(IncludedPolicy { name, options, at });
        Ok(Value::Object(0))
    }

    fn metadata(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        cx.arity(call, 0, 0)?;
        let file = &self.policyfile.file.clone();
        let name = match own_cookbook(cx, self.files, self.settings, file, ".")? {
            Ok(name) => name,
            Err(failure) => {
                let message = failure.to_string();
                self.failure = Some(failure);
                return cx.raise("Chef::Exceptions::CookbookNotFound", message);
            }
        };
        self.policyfile.name.get_or_insert_with(|| name.clone());
        let declaration = Declaration {
            name,
            constraint: ANY.to_owned(),
            groups: vec![DEFAULT_GROUP.to_owned()],
            is_metadata: true,
            origin: Some(Origin::Path(".".to_owned())),
            options: vec![("path".to_owned(), Json::from("."))],
            at: cx.location(call.args_span),
        };
        self.declare(cx, declaration)
    }
}

fn strings(cx: &mut Interpreter<'_>, texts: &[String]) -> Eval {
    let mut values = Vec::new();
    for text in texts {
        values.push(cx.string(text.as_str())?);
    }
    cx.array(values)
}

/// Options as written; a path that was made absolute begins at the file's folder again.
fn shown_options(
    cx: &mut Interpreter<'_>,
    options: &[(String, Value)],
) -> Eval<Vec<(String, Json)>> {
    let mut shown = Vec::new();
    for (name, value) in options {
        let text = cx.string_like(*value).map(str::to_owned);
        let absolute = text.filter(|text| text.starts_with('/'));
        let json = match absolute.and_then(|text| cx.path_from_base(&text)) {
            Some(path) => Json::from(&*path),
            None => json_of(cx, *value)?,
        };
        shown.push((name.clone(), json));
    }
    Ok(shown)
}

impl Dsl for Words<'_> {
    fn class_name(&self) -> &'static str {
        "ChefCLI::Policyfile::DSL"
    }

    fn knows(&self, name: &str) -> bool {
        WORDS.contains(&name)
    }

    fn call(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "name" => self.name(cx, call)?,
            "run_list" => self.run_list(cx, call)?,
            "named_run_list" => self.named_run_list(cx, call)?,
            "default_source" => self.default_source(cx, call)?,
            "cookbook" => self.cookbook(cx, call)?,
            "include_policy" => self.include_policy(cx, call)?,
            "metadata" => self.metadata(cx, call)?,
            "default" | "override" => self.attributes(cx, call)?,
            _ => return Ok(None),
        }))
    }

    fn unknown(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        let names: Vec<_> = WORDS.iter().map(|name| format!("`{name}`")).collect();
        let known = format!("the words of a Policyfile.rb are {}", names.join(", "));
        self.hint = Some(match nearest(&call.name, WORDS) {
            Some(near) => format!("did you mean `{near}`? {known}"),
            None => known,
        });
        let message = format!("a Policyfile.rb has no word `{}`", call.name);
        cx.raise("NoMethodError", message)
    }

    fn call_object(
        &mut self,
        cx: &mut Interpreter<'_>,
        object: u32,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        match self.objects.get(object as usize).cloned() {
            Some(Held::Attributes { is_override, path }) => {
                self.attribute(cx, (is_override, path), call)
            }
            Some(Held::Source(number)) if &*call.name == "preferred_for" => {
                for value in &call.args {
                    let name = cx.text_of(*value)?;
                    let name = cx.placeless(name)?;
                    self.policyfile.sources[number].preferred_for.push(name);
                }
                Ok(Some(Value::Nil))
            }
            _ => Ok(None),
        }
    }

    fn finish(&mut self, cx: &mut Interpreter<'_>) -> Eval<()> {
        self.policyfile.default = self.default.json(cx)?;
        self.policyfile.overrides = self.overrides.json(cx)?;
        Ok(())
    }
}
