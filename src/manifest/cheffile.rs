//! Reads a Cheffile as librarian-chef does (applicationsonline/librarian-chef), to take it over into
//! a cookpack.toml.

use std::collections::BTreeMap;

use super::declared::{Declaration, Origin, constraint, folder, origin};
use super::upstream::{NameScope, PUBLIC_SUPERMARKET, Upstream, UpstreamKind, address_problem};
use super::{
    Bundle, DEFAULT_GROUP, Format, GitProtocol, GroupChoice, LayoutKind, Manifest, ManifestError,
    Target,
};
use crate::ruby::{self, Dsl, Eval, Files, Interpreter, Invocation, Settings, Value};
use crate::text::{SourceFile, nearest};

/// A Cheffile as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Cheffile {
    file: SourceFile,
    /// Its `site` lines.
    pub sites: Vec<Upstream>,
    /// Its cookbooks.
    pub cookbooks: Vec<Declaration>,
}

impl Cheffile {
    /// Evaluates a Cheffile, whose own file name is `name`. `protocol` is that of `github`.
    ///
    /// # Errors
    /// When librarian-chef would fail, or cookpack does not know a construct.
    pub fn parse(
        file: &SourceFile,
        name: &str,
        files: &dyn Files,
        settings: &Settings,
        protocol: GitProtocol,
    ) -> Result<Self, ManifestError> {
        let mut words = Words {
            protocol,
            cheffile: Self {
                file: file.clone(),
                sites: Vec::new(),
                cookbooks: Vec::new(),
            },
            around: None,
            hint: None,
        };
        match ruby::evaluate(file, name, files, settings, &mut words) {
            Ok(()) => Ok(words.cheffile),
            Err(error) => Err(ManifestError::Ruby {
                error: Box::new(error),
                hint: words.hint,
            }),
        }
    }

    /// The manifest that means the same. `folder` names the bundle. The layout is librarian-chef's,
    /// which fills a folder `cookbooks`.
    ///
    /// # Errors
    /// When a name, a git address or a reference cannot be one.
    pub fn manifest(&self, folder: &str) -> Result<Manifest, ManifestError> {
        let mut cookbooks = BTreeMap::new();
        for declared in &self.cookbooks {
            cookbooks.insert(declared.cookbook_name()?, declared.requirement()?);
        }
        let bundle = Bundle {
            name: folder.to_owned(),
            target: Target::default(),
            layout: LayoutKind::Cookbooks,
            run_list: Vec::new(),
            groups: GroupChoice::All,
        };
        Ok(Manifest {
            upstreams: self.sites.clone(),
            cookbooks,
            ..Manifest::empty(self.file.clone(), Format::Cheffile, bundle)
        })
    }
}

struct Words {
    protocol: GitProtocol,
    cheffile: Cheffile,
    /// Where the cookbooks of the block around come from.
    around: Option<Origin>,
    hint: Option<String>,
}

const WORDS: [&str; 5] = ["cookbook", "git", "github", "path", "site"];

impl Words {
    fn site(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        cx.arity(call, 1, 1)?;
        let url = match call.args[0] {
            Value::Sym(_) => PUBLIC_SUPERMARKET.to_owned(),
            value => {
                let url = cx.text_of(value)?;
                cx.placeless(url)?
            }
        };
        if let Some(problem) = address_problem(&url) {
            let message = format!("`{}` is no site: {problem}", url.escape_debug());
            return cx.raise("ArgumentError", message);
        }
        if let Some(block) = call.block {
            let around = self.around.take();
            cx.call_block(self, block, &[])?;
            self.around = around;
        }
        // The address of the programming interface is below the Supermarket's own.
        let url = url.trim_end_matches('/').trim_end_matches("/api/v1");
        self.cheffile.sites.push(Upstream {
            kind: UpstreamKind::Supermarket(url.to_owned()),
            preferred_for: Vec::new(),
            names: NameScope::default(),
            at: cx.location(call.args_span),
        });
        Ok(Value::Nil)
    }

    /// `git "address" do .. end` and its like.
    fn place(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        cx.arity(call, 1, 2)?;
        let Some(block) = call.block else {
            return cx.unsupported(format!("`{}` without a block", call.name));
        };
        let mut options = vec![(call.name.to_string(), call.args[0])];
        options.extend(named(cx, call.args.get(1).copied())?);
        let place = whence(cx, &options, self.protocol)?;
        let around = std::mem::replace(&mut self.around, place);
        cx.call_block(self, block, &[])?;
        self.around = around;
        Ok(Value::Nil)
    }

    fn cookbook(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        cx.arity(call, 1, usize::MAX)?;
        let (args, options) = match call.args.split_last() {
            Some((hash @ Value::Hash(_), args)) => (args, named(cx, Some(*hash))?),
            _ => (&call.args[..], Vec::new()),
        };
        let Some(name) = args.first().and_then(|name| cx.name_text(*name)) else {
            return cx.raise("ArgumentError", "`cookbook` without a name");
        };
        if args.len() > 2 {
            return cx.unsupported("more than one constraint on a cookbook");
        }
        let at = cx.location(call.args_span);
        let own = whence(cx, &options, self.protocol)?;
        let known = &self.cheffile.cookbooks;
        cx.step(known.len() as u64 / 64)?;
        if let Some(earlier) = known.iter().find(|known| known.name == name) {
            self.hint = Some(format!("it is at {}: keep one of them", earlier.at));
            let message = format!("cookbook `{name}` is declared twice");
            return cx.raise("ArgumentError", message);
        }
        let text = constraint(cx, args.get(1).copied())?;
        self.cheffile.cookbooks.push(Declaration {
            name: cx.placeless(name)?,
            constraint: text,
            groups: vec![DEFAULT_GROUP.to_owned()],
            is_metadata: false,
            origin: own.or_else(|| self.around.clone()),
            options: Vec::new(),
            at,
        });
        Ok(Value::Nil)
    }
}

/// Options, whose keys are symbols.
fn named(cx: &mut Interpreter<'_>, value: Option<Value>) -> Eval<Vec<(String, Value)>> {
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

/// Where a cookbook comes from. Beside `git`, a `path` is the folder within the repository.
fn whence(
    cx: &mut Interpreter<'_>,
    options: &[(String, Value)],
    protocol: GitProtocol,
) -> Eval<Option<Origin>> {
    let find = |name: &str| options.iter().find(|(known, _)| known == name);
    if let Some((unknown, _)) = options
        .iter()
        .find(|(name, _)| !matches!(&**name, "git" | "github" | "path" | "ref" | "site"))
    {
        return cx.unsupported(format!("the option `{unknown}` in a Cheffile"));
    }
    let is_git = find("git").or_else(|| find("github"));
    let Some((name, value)) = is_git else {
        return match find("path") {
            Some((_, path)) => folder(cx, *path).map(|path| Some(Origin::Path(path))),
            None => Ok(None),
        };
    };
    let mut renamed = vec![(name.clone(), *value)];
    for (name, value) in options {
        match &**name {
            "ref" => renamed.push(("ref".to_owned(), *value)),
            "path" => renamed.push(("rel".to_owned(), *value)),
            _ => {}
        }
    }
    origin(cx, &renamed, &[], protocol)
}

impl Dsl for Words {
    fn class_name(&self) -> &'static str {
        "Librarian::Chef::Dsl::Target"
    }

    fn knows(&self, name: &str) -> bool {
        WORDS.contains(&name)
    }

    fn call(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "site" => self.site(cx, call)?,
            "cookbook" => self.cookbook(cx, call)?,
            "git" | "github" | "path" => self.place(cx, call)?,
            _ => return Ok(None),
        }))
    }

    fn unknown(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        let names: Vec<_> = WORDS.iter().map(|name| format!("`{name}`")).collect();
        let known = format!("the words of a Cheffile are {}", names.join(", "));
        self.hint = Some(match nearest(&call.name, WORDS) {
            Some(near) => format!("did you mean `{near}`? {known}"),
            None => known,
        });
        let message = format!("a Cheffile has no word `{}`", call.name);
        cx.raise("NoMethodError", message)
    }
}
