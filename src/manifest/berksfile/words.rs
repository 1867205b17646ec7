//! The words of a Berksfile.

use std::collections::BTreeMap;

use super::super::declared::{Declaration, Origin, constraint, folder, origin};
use super::super::upstream::{
    NameScope, PUBLIC_SUPERMARKET, Upstream, UpstreamKind, address_problem,
};
use super::super::{GitProtocol, ManifestError, berksfile::Berksfile, hosts::Host};
use super::own::own_cookbook;
use crate::error::Diagnostic;
use crate::ruby::{Dsl, Eval, Files, Interpreter, Invocation, RubyError, Settings, Value};
use crate::text::{SourceFile, nearest};

/// What a Berksfile declares.
pub(super) struct Words<'a> {
    files: &'a dyn Files,
    settings: &'a Settings,
    /// The protocol of short forms that have none of their own.
    protocol: GitProtocol,
    berksfile: Berksfile,
    /// The groups of the block around.
    active: Option<Vec<Group>>,
    /// The groups of each cookbook as Berkshelf compares them.
    groups: BTreeMap<String, Vec<String>>,
    /// What stands behind an exception that was raised.
    failure: Option<ManifestError>,
    hint: Option<String>,
}

/// A group as written: Berkshelf keeps symbols and compares what is given with them, so that a
/// group written as a string is never found twice.
#[derive(Clone)]
struct Group {
    name: String,
    is_symbol: bool,
}

/// The words of Berkshelf 8.
const WORDS: [&str; 6] = [
    "cookbook",
    "extension",
    "group",
    "metadata",
    "solver",
    "source",
];

/// The options of a cookbook that mean something.
const OPTIONS: [&str; 11] = [
    "bitbucket",
    "branch",
    "git",
    "github",
    "gitlab",
    "group",
    "path",
    "ref",
    "rel",
    "revision",
    "tag",
];

/// How the short form of a repository becomes an address.
const PROTOCOL: &str = "protocol";

/// What calls give back: objects that no Berksfile has a use for.
const NOTHING: Value = Value::Object(0);

impl<'a> Words<'a> {
    pub(super) fn new(
        file: &SourceFile,
        files: &'a dyn Files,
        settings: &'a Settings,
        protocol: GitProtocol,
    ) -> Self {
        Self {
            files,
            settings,
            protocol,
            berksfile: Berksfile {
                file: file.clone(),
                sources: Vec::new(),
                legacy_sources: Vec::new(),
                cookbooks: Vec::new(),
                warnings: Vec::new(),
            },
            active: None,
            groups: BTreeMap::new(),
            failure: None,
            hint: None,
        }
    }

    /// The Berksfile, if the evaluation came to its end.
    pub(super) fn finished(
        self,
        result: Result<(), RubyError>,
    ) -> Result<Berksfile, ManifestError> {
        match (result, self.failure) {
            (Ok(()), _) => Ok(self.berksfile),
            (Err(RubyError::Raised { .. }), Some(failure)) => Err(failure),
            (Err(error), _) => Err(ManifestError::Ruby {
                error: Box::new(error),
                hint: self.hint,
            }),
        }
    }

    fn warn(&mut self, cx: &Interpreter<'_>, call: &Invocation, message: String, hint: &str) {
        let shown = Diagnostic::new(message).label(cx.location(call.args_span).label(""));
        self.berksfile.warnings.push(shown.hint(hint));
    }

    fn source(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        cx.arity(call, 1, 2)?;
        let kind = match call.args[0] {
            Value::Hash(id) => {
                let entries = cx.entries(id)?;
                let Some((key, value)) = entries.first().copied() else {
                    return cx.raise("ArgumentError", "`source` of an empty hash");
                };
                let kind = cx.name_text(key).unwrap_or_default();
                let address = |cx: &mut Interpreter<'_>, this: &mut Self| this.url(cx, value);
                match &*kind {
                    "chef_repo" => UpstreamKind::ChefRepo(folder(cx, value)?),
                    "artifactory" => UpstreamKind::Artifactory(address(cx, self)?),
                    "supermarket" => UpstreamKind::Supermarket(address(cx, self)?),
                    "chef_server" => UpstreamKind::ChefServer(Some(address(cx, self)?)),
                    other => {
                        self.hint = Some(source_hint());
                        return cx
                            .raise("ArgumentError", format!("`{other}` is no kind of source"));
                    }
                }
            }
            symbol @ Value::Sym(_) => match &*cx.name_text(symbol).unwrap_or_default() {
                "chef_server" => {
                    let url = match call.args.get(1) {
                        Some(Value::Hash(id)) => cx.keyword(*id, "url"),
                        _ => None,
                    };
                    let url = url.map(|url| self.url(cx, url)).transpose()?;
                    UpstreamKind::ChefServer(url)
                }
                "supermarket" => UpstreamKind::Supermarket(PUBLIC_SUPERMARKET.to_owned()),
                other => {
                    self.hint = Some(source_hint());
                    return cx.raise("ArgumentError", format!("`:{other}` is no kind of source"));
                }
            },
            value => UpstreamKind::Supermarket(self.url(cx, value)?),
        };
        let at = cx.location(call.args_span);
        // The same address again takes the earlier one's place.
        let known = &mut self.berksfile.sources;
        if !known.iter().any(|upstream| upstream.kind == kind) {
            known.push(Upstream {
                kind,
                preferred_for: Vec::new(),
                names: NameScope::default(),
                at,
            });
        }
        Ok(NOTHING)
    }

    fn url(&mut self, cx: &mut Interpreter<'_>, value: Value) -> Eval<String> {
        let url = cx.text_of(value)?;
        let url = cx.placeless(url)?;
        match address_problem(&url) {
            None => Ok(url),
            Some(problem) => {
                self.hint = Some(source_hint());
                let message = format!("`{}` is no source: {problem}", url.escape_debug());
                cx.raise("Berkshelf::InvalidSourceURI", message)
            }
        }
    }

    /// Berkshelf 1 and 2's `site :opscode` and `chef_api :config`.
    fn legacy_source(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        cx.arity(call, 1, 2)?;
        let kind = match (&*call.name, call.args[0]) {
            ("site", Value::Sym(_)) => UpstreamKind::Supermarket(PUBLIC_SUPERMARKET.to_owned()),
            ("site", value) => UpstreamKind::Supermarket(self.url(cx, value)?),
            (_, Value::Sym(_)) => UpstreamKind::ChefServer(None),
            (_, value) => UpstreamKind::ChefServer(Some(self.url(cx, value)?)),
        };
        let message = format!("`{}` is a word of Berkshelf 1 and 2", call.name);
        self.warn(cx, call, message, &source_hint());
        let at = cx.location(call.args_span);
        self.berksfile.legacy_sources.push(Upstream {
            kind,
            preferred_for: Vec::new(),
            names: NameScope::default(),
            at,
        });
        Ok(NOTHING)
    }

    fn cookbook(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        let (args, options) = match call.args.split_last() {
            Some((Value::Hash(id), args)) => (args, self.options(cx, call, *id)?),
            _ => (&call.args[..], Vec::new()),
        };
        let name = args.first().and_then(|name| cx.name_text(*name));
        let Some(name) = name else {
            self.hint = Some("write `cookbook \"name\"`".to_owned());
            return cx.raise("ArgumentError", "`cookbook` without a name");
        };
        let name = cx.placeless(name)?;
        let constraint = match constraint(cx, args.get(1).copied()) {
            Ok(constraint) => constraint,
            Err(fail) => {
                self.hint = Some("write one as in `cookbook \"apt\", \"~> 2.3\"`".to_owned());
                return Err(fail);
            }
        };
        if args.len() > 2 {
            let message = format!("Berkshelf ignores all but the first constraint on `{name}`");
            self.warn(cx, call, message, "keep one");
        }
        let mut groups = self.groups_of(cx, &options)?;
        groups.extend(self.active.iter().flatten().cloned());
        let protocol = self.protocol_of(cx, call, &options);
        let declaration = Declaration {
            name,
            constraint,
            groups: Vec::new(),
            is_metadata: false,
            origin: origin(cx, &options, &[], protocol)?,
            options: Vec::new(),
            at: cx.location(call.args_span),
        };
        self.declare(cx, declaration, &groups)
    }

    /// The options of `cookbook`. Berkshelf ignores those it does not know.
    fn options(
        &mut self,
        cx: &mut Interpreter<'_>,
        call: &Invocation,
        id: crate::ruby::HashId,
    ) -> Eval<Vec<(String, Value)>> {
        let mut options = Vec::new();
        let entries = cx.entries(id)?;
        let has_short_form = entries.iter().any(|(key, _)| {
            cx.name_text(*key)
                .is_some_and(|n| Host::of_key(&n).is_some())
        });
        for (key, value) in entries {
            let Some(name) = cx.name_text(key) else {
                return cx.unsupported("an option that is neither a symbol nor a string");
            };
            let known = OPTIONS.contains(&&*name) || (has_short_form && name == PROTOCOL);
            match key {
                Value::Sym(_) if known => options.push((name, value)),
                _ => {
                    let hint = match (known, nearest(&name, OPTIONS)) {
                        (true, _) => format!("write `{name}:`, a symbol"),
                        (_, Some(near)) => format!("did you mean `{near}`?"),
                        _ => format!("known are {}", quoted(&OPTIONS)),
                    };
                    let message = format!("Berkshelf ignores the option `{name}`");
                    self.warn(cx, call, message, &hint);
                }
            }
        }
        Ok(options)
    }

    /// The protocol of a cookbook's short form: its own, as in Berkshelf 2, whose `:git` has gone the
    /// way of `git://`, or else the one that is set.
    fn protocol_of(
        &mut self,
        cx: &mut Interpreter<'_>,
        call: &Invocation,
        options: &[(String, Value)],
    ) -> GitProtocol {
        let Some((_, own)) = options.iter().rfind(|(name, _)| name == PROTOCOL) else {
            return self.protocol;
        };
        let own = cx.name_text(*own).unwrap_or_default();
        match &*own {
            "ssh" => GitProtocol::Ssh,
            "https" | "git" => GitProtocol::Https,
            _ => {
                let message = format!("`{}` is no protocol for short forms", own.escape_debug());
                self.warn(cx, call, message, "write `protocol: :https` or `:ssh`");
                self.protocol
            }
        }
    }

    fn groups_of(
        &mut self,
        cx: &mut Interpreter<'_>,
        options: &[(String, Value)],
    ) -> Eval<Vec<Group>> {
        match options.iter().rfind(|(name, _)| name == "group") {
            Some((_, Value::Array(id))) => {
                let items = cx.items_of(Value::Array(*id))?;
                group_names(cx, &items)
            }
            Some((_, Value::Nil)) | None => Ok(Vec::new()),
            Some((_, value)) => group_names(cx, &[*value]),
        }
    }

    /// Adds a cookbook. The same name in the same group is an error.
    fn declare(
        &mut self,
        cx: &mut Interpreter<'_>,
        mut declaration: Declaration,
        groups: &[Group],
    ) -> Eval {
        let name = declaration.name.clone();
        let default = "default".to_owned();
        let compared: Vec<String> = match groups.is_empty() {
            true => vec![default.clone()],
            false => {
                let symbols = groups.iter().filter(|group| group.is_symbol);
                symbols.map(|group| group.name.clone()).collect()
            }
        };
        cx.step(self.berksfile.cookbooks.len() as u64 / 64)?;
        let known = self.groups.get(&name);
        if known.is_some_and(|known| known.iter().any(|group| compared.contains(group))) {
            let earlier = self.berksfile.cookbooks.iter().find(|c| c.name == name);
            self.hint = earlier.map(|earlier| format!("it is at {}: keep one of them", earlier.at));
            return cx.raise(
                "Berkshelf::DuplicateDependencyDefined",
                format!("cookbook `{name}` is declared twice in one group"),
            );
        }
        for group in groups {
            if !declaration.groups.contains(&group.name) {
                declaration.groups.push(group.name.clone());
            }
        }
        if declaration.groups.is_empty() {
            declaration.groups.push(default);
        }
        self.groups.insert(name.clone(), declaration.groups.clone());
        let known = &mut self.berksfile.cookbooks;
        match known.iter_mut().find(|known| known.name == name) {
            Some(known) => *known = declaration,
            None => known.push(declaration),
        }
        Ok(NOTHING)
    }

    /// The groups of an inner block replace those of the outer one, which has none left after it:
    /// so it is in Berkshelf.
    fn group(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        let groups = group_names(cx, &call.args)?;
        let Some(block) = call.block else {
            return cx.raise("LocalJumpError", "`group` has no block");
        };
        self.active = Some(groups);
        cx.call_block(self, block, &[])?;
        self.active = None;
        Ok(Value::Nil)
    }

    fn metadata(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        cx.arity(call, 0, 1)?;
        let path = match call.args.first() {
            None => None,
            Some(Value::Hash(id)) => cx.keyword(*id, "path").filter(|path| path.truthy()),
            Some(_) => return cx.raise("TypeError", "`metadata` takes only `path:`"),
        };
        let path = match path {
            Some(path) => folder(cx, path)?,
            None => ".".to_owned(),
        };
        let file = &self.berksfile.file.clone();
        let name = match own_cookbook(cx, self.files, self.settings, file, &path)? {
            Ok(name) => name,
            Err(failure) => {
                let message = failure.to_string();
                self.failure = Some(failure);
                return cx.raise("Chef::Exceptions::CookbookNotFound", message);
            }
        };
        let declaration = Declaration {
            name,
            constraint: super::declared::ANY.to_owned(),
            groups: Vec::new(),
            is_metadata: true,
            origin: Some(Origin::Path(path)),
            options: Vec::new(),
            at: cx.location(call.args_span),
        };
        self.declare(cx, declaration, &[])
    }

    fn solver(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        cx.arity(call, 1, 2)?;
        let precedence = match call.args.get(1) {
            None => "preferred".to_owned(),
            Some(value) => cx.name_text(*value).unwrap_or_default(),
        };
        match call.args[0].truthy() && matches!(&*precedence, "preferred" | "required") {
            true => Ok(call.args[0]),
            false => {
                let message = format!("`:{precedence}` is neither :preferred nor :required");
                cx.raise("ArgumentError", message)
            }
        }
    }

    fn extension(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        cx.arity(call, 1, 1)?;
        let name = cx.display(call.args[0])?;
        let message = format!("the extension `{}` is not run", name.escape_debug());
        let hint = "what it adds to Berkshelf has no meaning here";
        self.warn(cx, call, message, hint);
        Ok(Value::Bool(true))
    }
}

fn group_names(cx: &mut Interpreter<'_>, values: &[Value]) -> Eval<Vec<Group>> {
    let mut groups = Vec::new();
    for value in values {
        match cx.name_text(*value) {
            Some(name) => groups.push(Group {
                name: cx.placeless(name)?,
                is_symbol: matches!(value, Value::Sym(_)),
            }),
            None => return cx.unsupported("a group that is neither a symbol nor a string"),
        }
    }
    Ok(groups)
}

fn source_hint() -> String {
    format!(
        "write `source \"{PUBLIC_SUPERMARKET}\"`, or one of `chef_repo:`, `artifactory:` and `:chef_server`"
    )
}

fn quoted(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

impl Dsl for Words<'_> {
    fn class_name(&self) -> &'static str {
        "Berkshelf::Berksfile"
    }

    fn knows(&self, name: &str) -> bool {
        WORDS.contains(&name)
    }

    fn call(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "source" => self.source(cx, call)?,
            "site" | "chef_api" => self.legacy_source(cx, call)?,
            "cookbook" => self.cookbook(cx, call)?,
            "group" => self.group(cx, call)?,
            "metadata" => self.metadata(cx, call)?,
            "solver" => self.solver(cx, call)?,
            "extension" => self.extension(cx, call)?,
            _ => return Ok(None),
        }))
    }

    fn unknown(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        let known = format!("the words of a Berksfile are {}", quoted(&WORDS));
        self.hint = Some(match nearest(&call.name, WORDS) {
            Some(near) => format!("did you mean `{near}`? {known}"),
            None => known,
        });
        let message = format!("a Berksfile has no word `{}`", call.name);
        cx.raise("NoMethodError", message)
    }
}
