//! What a file reads and evaluates beside itself.

use super::dsl::{Dsl, Invocation};
use super::error::RubyError;
use super::fail::Eval;
use super::files::{FileKind, FilesError};
use super::interpreter::Interpreter;
use super::paths;
use super::value::Value;
use crate::text::SourceFile;

impl Interpreter<'_> {
    /// The folder that relative paths start from, as the program sees it.
    pub(super) fn working_folder(&self) -> String {
        paths::shown(&self.root, self.files.base())
    }

    fn files_error<T>(&self, source: FilesError) -> Eval<T> {
        let at = self.location(self.here);
        Err(RubyError::Files { at, source }.into())
    }

    /// A path of the program's as a path from the source's root. None where a folder on the way is
    /// missing: as for the system, `x/..` is there only if `x` is.
    pub(super) fn tree_path(&mut self, path: &str) -> Eval<Option<String>> {
        self.charge(path.len() as u64)?;
        let outside = |this: &Self| {
            let at = this.location(this.here);
            let path = paths::hidden(path, &this.root);
            Err(RubyError::Outside { path, at }.into())
        };
        if path.contains('\0') {
            return self.raise("ArgumentError", "string contains null byte");
        }
        let base = self.files.base().to_owned();
        let Some(parts) = paths::from_root(path, &base, &self.root) else {
            return outside(self);
        };
        let mut found: Vec<&str> = Vec::new();
        for part in parts {
            if part != ".." {
                found.push(part);
                continue;
            }
            if found.is_empty() {
                return outside(self);
            }
            if self.kind_at(&found.join("/"))? != Some(FileKind::Directory) {
                return Ok(None);
            }
            found.pop();
        }
        Ok(Some(found.join("/")))
    }

    fn kind_at(&mut self, path: &str) -> Eval<Option<FileKind>> {
        // Looking something up in a source costs more than evaluating a piece of syntax.
        self.step(20)?;
        self.files
            .kind(path)
            .or_else(|error| self.files_error(error))
    }

    /// What stands at a path of the program's.
    pub(super) fn path_kind(&mut self, path: &str) -> Eval<Option<FileKind>> {
        match self.tree_path(path)? {
            Some(path) => self.kind_at(&path),
            None => Ok(None),
        }
    }

    /// Whether a symbolic link stands at a path of the program's.
    pub(super) fn path_is_link(&mut self, path: &str) -> Eval<bool> {
        self.step(20)?;
        match self.tree_path(path)? {
            Some(path) => self
                .files
                .is_link(&path)
                .or_else(|error| self.files_error(error)),
            None => Ok(false),
        }
    }

    /// A whole file, as bytes, and its path from the source's root.
    fn read_bytes(&mut self, path: &str) -> Eval<(Vec<u8>, String)> {
        let found = self.tree_path(path)?;
        let kind = match &found {
            Some(found) => self.kind_at(found)?,
            None => None,
        };
        match (found, kind) {
            (Some(found), Some(FileKind::File)) => {
                let limit = self.settings.limits.file_bytes.min(self.bytes_left());
                let read = self.files.read(&found, limit);
                let bytes = read.or_else(|error| self.files_error(error))?;
                self.charge(bytes.len() as u64)?;
                Ok((bytes, found))
            }
            (_, Some(FileKind::Directory)) => self.raise(
                "Errno::EISDIR",
                format!("Is a directory @ io_fread - {path}"),
            ),
            _ => self.raise(
                "Errno::ENOENT",
                format!("No such file or directory @ rb_sysopen - {path}"),
            ),
        }
    }

    /// A whole file as a string.
    pub(super) fn read_text(&mut self, path: &str) -> Eval {
        let (bytes, found) = self.read_bytes(path)?;
        let Ok(text) = String::from_utf8(bytes) else {
            return self.unsupported(format!("`{found}`, which is not UTF-8, as a text"));
        };
        let value = self.string(text)?;
        if let Value::Str(id) = value {
            self.heap[id].origin = Some(found.into());
        }
        Ok(value)
    }

    /// The names in a folder of the program's; none where there is no folder.
    pub(super) fn folder_names(&mut self, path: &str) -> Eval<Option<Vec<String>>> {
        let Some(found) = self.tree_path(path)? else {
            return Ok(None);
        };
        if self.kind_at(&found)? != Some(FileKind::Directory) {
            return Ok(None);
        }
        let names = self
            .files
            .list(&found)
            .or_else(|error| self.files_error(error))?;
        self.charge(names.iter().map(|name| 24 + name.len() as u64).sum())?;
        Ok(Some(names))
    }

    /// `require_relative 'x'` and `load 'x.rb'`: the file is evaluated with no words but Ruby's.
    pub(super) fn require_file(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        call: &Invocation,
    ) -> Eval {
        self.takes(call, 1, 2)?;
        let wanted = self.text_of(call.args[0])?;
        let relative = &*call.name == "require_relative" && !wanted.starts_with('/');
        let mut path = match relative {
            true => format!("{}/{wanted}", self.folder_of(call.name_span)),
            false => wanted.clone(),
        };
        let loads = &*call.name == "load";
        if !loads && !path.ends_with(".rb") {
            path.push_str(".rb");
        }
        let path = paths::expand(&path, &self.working_folder());
        if self.path_kind(&path)? != Some(FileKind::File) {
            return self.raise("LoadError", format!("cannot load such file -- {wanted}"));
        }
        let (bytes, found) = self.read_bytes(&path)?;
        if !loads && !self.required.insert(found.clone()) {
            return Ok(Value::Bool(false));
        }
        let Ok(text) = String::from_utf8(bytes) else {
            return self.unsupported(format!("`{found}`, which is not UTF-8, as Ruby"));
        };
        let file = SourceFile::new(self.sibling_name(&found), text);
        let _ = (dsl, scope);
        self.deeper(|this| this.run(&mut NoWords, &file, &found, None))?;
        Ok(Value::Bool(true))
    }

    /// `instance_eval(text, file)` and `instance_eval { .. }`.
    pub(super) fn instance_eval(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        call: &Invocation,
    ) -> Eval {
        if let Some(block) = call.block {
            return self.call_block(dsl, block, &[Value::Main]);
        }
        self.takes(call, 1, 3)?;
        let (text, origin) = match call.args[0] {
            Value::Str(id) => (self.text(id)?, self.heap[id].origin.clone()),
            other => return self.no_conversion(other, "String"),
        };
        let Some(origin) = origin else {
            if call.args.len() > 1 || text.contains("__FILE__") || text.contains("__dir__") {
                return self.unsupported("`instance_eval` of this text");
            }
            let name = format!("a text evaluated at {}", self.location(self.here));
            let file = SourceFile::new(name, text);
            return self.deeper(|this| this.run(dsl, &file, "(eval)", Some(scope)));
        };
        // Without a name of its own, such a text does not know where it stands.
        let path = match call.args.get(1) {
            Some(path) => {
                let path = self.text_of(*path)?;
                self.tree_path(&path)?.unwrap_or_default()
            }
            None if text.contains("__FILE__") || text.contains("__dir__") => {
                return self.unsupported("`__FILE__` in a file evaluated as a text");
            }
            None => origin.to_string(),
        };
        let file = SourceFile::new(self.sibling_name(&origin), text);
        self.deeper(|this| this.run(dsl, &file, &path, Some(scope)))
    }

    /// How a person knows another file of the same source: as the first one is shown.
    fn sibling_name(&self, path: &str) -> String {
        let (first, own) = self.first_source();
        if let Some(prefix) = first.strip_suffix(own) {
            return format!("{prefix}{path}");
        }
        let below = paths::relative(path, paths::dirname(own));
        match paths::dirname(first) {
            "." => below,
            folder => format!("{folder}/{below}"),
        }
    }

    /// A path of the program's as one that begins at the evaluated file's folder, without detours.
    /// One that is absolute and elsewhere stays absolute. None if it climbs above everything.
    pub(crate) fn path_from_base(&self, path: &str) -> Option<String> {
        let base = self.working_folder();
        let full = paths::expand(path, &base);
        match paths::holds_place(&full) {
            true => {
                let (full, base) = (paths::below_place(&full), paths::below_place(&base));
                Some(paths::relative(full, base))
            }
            false => (path.starts_with('/') && !paths::holds_place(path)).then_some(full),
        }
    }
}

/// What a required file is evaluated in: Ruby's main object, which has no words of its own.
struct NoWords;

impl Dsl for NoWords {
    fn class_name(&self) -> &'static str {
        "Object"
    }

    fn knows(&self, _name: &str) -> bool {
        false
    }

    fn call(&mut self, _cx: &mut Interpreter<'_>, _call: &Invocation) -> Eval<Option<Value>> {
        Ok(None)
    }

    fn unknown(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        let message = format!("undefined method `{}' for main:Object", call.name);
        cx.raise("NoMethodError", message)
    }
}
