//! `File`, `IO` and `Dir`: paths taken apart, and the source's files read and listed.

use crate::ruby::dsl::{Dsl, Invocation};
use crate::ruby::fail::Eval;
use crate::ruby::files::FileKind;
use crate::ruby::interpreter::Interpreter;
use crate::ruby::strings::chomped;
use crate::ruby::value::Value;
use crate::ruby::{glob, paths};

impl Interpreter<'_> {
    pub(in crate::ruby) fn file_method(
        &mut self,
        dsl: &mut dyn Dsl,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        if let Some(value) = self.path_method(call)? {
            return Ok(Some(value));
        }
        Ok(Some(match &*call.name {
            "read" => {
                let path = self.reading_path(call)?;
                self.read_text(&path)?
            }
            "binread" => {
                let path = self.reading_path(call)?;
                let text = self.read_text(&path)?;
                self.plain_bytes(text)?
            }
            "readlines" | "foreach" => {
                let mut rest = call.clone();
                let path = self.path_of_first(&mut rest)?;
                let chomp = self.wants_line_chomp(&rest)?;
                let text = self.read_text(&path)?;
                let text = self.text_of(text)?;
                let mut lines = Vec::new();
                for line in text.split_inclusive('\n') {
                    let line = if chomp { chomped(line) } else { line };
                    lines.push(self.string(line)?);
                }
                match call.block {
                    Some(block) if &*call.name == "foreach" => {
                        for line in lines {
                            self.call_block(dsl, block, &[line])?;
                        }
                        Value::Nil
                    }
                    _ => self.array(lines)?,
                }
            }
            "exist?" | "exists?" | "file?" | "directory?" | "readable?" | "zero?" | "size?" => {
                let path = self.one(call)?;
                let path = self.path_text(path)?;
                let kind = self.path_kind(&path)?;
                Value::Bool(match &*call.name {
                    // Ruby 3.2 dropped `exists?`; where it is there, it is `exist?`.
                    "exists?" | "exist?" | "readable?" => kind.is_some(),
                    "file?" => kind == Some(FileKind::File),
                    "directory?" => kind == Some(FileKind::Directory),
                    name => return self.unsupported(format!("`File.{name}`")),
                })
            }
            "open" | "new" | "write" | "symlink?" | "mtime" | "size" | "stat" | "realpath"
            | "realdirpath" | "readlink" | "executable?" => {
                return self.file_opening(dsl, call).map(Some);
            }
            _ => return Ok(None),
        }))
    }

    /// `File.open(path) { |f| f.read }` is the one way to open a file that is known.
    fn file_opening(&mut self, dsl: &mut dyn Dsl, call: &Invocation) -> Eval {
        match (&*call.name, call.args.len()) {
            ("open" | "new", _) => {
                let path = self.reading_path(call)?;
                let binary = call.args[1..].iter().any(
                    |mode| matches!(*mode, Value::Str(mode) if self.heap[mode].text.contains('b')),
                );
                if binary {
                    let text = self.read_text(&path)?;
                    self.plain_bytes(text)?;
                }
                self.open_file(dsl, &path, call)
            }
            ("realpath", 1) => {
                let path = self.text_of(call.args[0])?;
                let path = paths::expand(&path, &self.working_folder());
                match self.path_kind(&path)? {
                    Some(_) => self.string(path),
                    None => self.raise(
                        "Errno::ENOENT",
                        format!("No such file or directory @ rb_realpath_internal - {path}"),
                    ),
                }
            }
            (name, _) => self.unsupported(format!("`File.{name}`")),
        }
    }

    /// What is read as bytes is a text of no encoding, which cannot become JSON unless it is ASCII.
    fn plain_bytes(&mut self, text: Value) -> Eval {
        match text {
            Value::Str(id) if !self.heap[id].text.is_ascii() => {
                self.unsupported("bytes beyond ASCII as a text")
            }
            text => Ok(text),
        }
    }

    /// Methods that look at a path's text alone.
    fn path_method(&mut self, call: &Invocation) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "join" => {
                let mut parts = Vec::new();
                for part in &call.args {
                    self.path_parts(*part, &mut parts)?;
                }
                self.string(paths::join(&parts))?
            }
            "dirname" | "extname" => {
                let path = self.one(call)?;
                let path = self.path_text(path)?;
                match &*call.name {
                    "dirname" => self.string(paths::dirname(&path))?,
                    _ => self.string(paths::extname(&path))?,
                }
            }
            "basename" => {
                self.takes(call, 1, 2)?;
                let path = self.path_text(call.args[0])?;
                let suffix = match call.args.get(1) {
                    Some(suffix) => Some(self.text_of(*suffix)?),
                    None => None,
                };
                self.string(paths::basename(&path, suffix.as_deref()))?
            }
            "split" => {
                let path = self.one(call)?;
                let path = self.text_of(path)?;
                let folder = self.string(paths::dirname(&path))?;
                let name = self.string(paths::basename(&path, None))?;
                self.array(vec![folder, name])?
            }
            "expand_path" | "absolute_path" => {
                self.takes(call, 1, 2)?;
                let path = self.text_of(call.args[0])?;
                let folder = match call.args.get(1) {
                    None | Some(Value::Nil) => self.working_folder(),
                    Some(folder) => {
                        let folder = self.text_of(*folder)?;
                        paths::expand(&folder, &self.working_folder())
                    }
                };
                if path.starts_with('~') || folder.starts_with("/~") {
                    return self.unsupported("the home folder `~`");
                }
                self.string(paths::expand(&path, &folder))?
            }
            "absolute_path?" => {
                let path = self.one(call)?;
                let path = self.text_of(path)?;
                Value::Bool(path.starts_with('/'))
            }
            "fnmatch" | "fnmatch?" => {
                self.takes(call, 2, 2)?;
                let (pattern, path) = (self.text_of(call.args[0])?, self.text_of(call.args[1])?);
                self.step((pattern.len() * path.len()) as u64 / 16)?;
                Value::Bool(glob::matches(&pattern, &path))
            }
            _ => return Ok(None),
        }))
    }

    fn path_parts(&mut self, value: Value, parts: &mut Vec<String>) -> Eval<()> {
        match value {
            Value::Array(id) => {
                for item in self.heap[id].items.clone() {
                    self.deeper(|this| this.path_parts(item, parts))?;
                }
            }
            value => parts.push(self.path_text(value)?),
        }
        Ok(())
    }

    /// The path to read; an encoding that is UTF-8 changes nothing.
    fn reading_path(&mut self, call: &Invocation) -> Eval<String> {
        let mut call = call.clone();
        let path = self.path_of_first(&mut call)?;
        for option in &call.args {
            let known = match option {
                Value::Hash(id) => {
                    let mode = self
                        .keyword(*id, "encoding")
                        .or_else(|| self.keyword(*id, "mode"));
                    self.heap[*id].entries.len() == 1
                        && mode
                            .and_then(|mode| self.name_text(mode))
                            .is_some_and(|mode| is_reading_mode(&mode))
                }
                Value::Str(id) => is_reading_mode(&self.heap[*id].text),
                _ => false,
            };
            if !known {
                return self.unsupported(format!("`{}` with these arguments", call.name));
            }
        }
        Ok(path)
    }

    fn path_of_first(&mut self, call: &mut Invocation) -> Eval<String> {
        self.takes(call, 1, usize::MAX)?;
        let path = call.args.remove(0);
        self.path_text(path)
    }

    fn wants_line_chomp(&mut self, rest: &Invocation) -> Eval<bool> {
        match rest.args[..] {
            [] => Ok(false),
            [Value::Hash(id)] if self.heap[id].entries.len() == 1 => {
                match self.keyword(id, "chomp") {
                    Some(chomp) => Ok(chomp.truthy()),
                    None => self.unsupported("reading lines with these arguments"),
                }
            }
            _ => self.unsupported("reading lines with these arguments"),
        }
    }

    pub(super) fn dir_method(
        &mut self,
        dsl: &mut dyn Dsl,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        let names = match &*call.name {
            "[]" | "glob" => return self.dir_glob(dsl, call).map(Some),
            "exist?" | "exists?" => {
                let path = self.one(call)?;
                let path = self.text_of(path)?;
                let kind = self.path_kind(&path)?;
                return Ok(Some(Value::Bool(kind == Some(FileKind::Directory))));
            }
            "pwd" | "getwd" => {
                let folder = self.working_folder();
                return self.string(folder).map(Some);
            }
            "empty?" => {
                let names = self.children_of(call)?;
                return Ok(Some(Value::Bool(names.is_empty())));
            }
            // Ruby gives these as the system does; sorted is one of the orders it may have.
            "children" | "each_child" => self.children_of(call)?,
            "entries" | "foreach" => {
                let mut names = vec![".".to_owned(), "..".to_owned()];
                names.extend(self.children_of(call)?);
                names
            }
            _ => return Ok(None),
        };
        let mut items = Vec::new();
        for name in names {
            items.push(self.string(name)?);
        }
        match call.block {
            None => self.array(items).map(Some),
            Some(block) => {
                for item in items {
                    self.call_block(dsl, block, &[item])?;
                }
                Ok(Some(Value::Nil))
            }
        }
    }

    fn children_of(&mut self, call: &Invocation) -> Eval<Vec<String>> {
        let path = self.one(call)?;
        let path = self.text_of(path)?;
        match self.folder_names(&path)? {
            Some(names) => Ok(names),
            None => self.raise(
                "Errno::ENOENT",
                format!("No such file or directory @ dir_initialize - {path}"),
            ),
        }
    }

    fn dir_glob(&mut self, dsl: &mut dyn Dsl, call: &Invocation) -> Eval {
        self.takes(call, 1, usize::MAX)?;
        let mut patterns = Vec::new();
        let mut base = None;
        for arg in &call.args {
            match arg {
                Value::Hash(id) if call.keywords => match self.keyword(*id, "base") {
                    Some(folder) if self.heap[*id].entries.len() == 1 => {
                        base = Some(self.text_of(folder)?);
                    }
                    _ => return self.unsupported("`Dir.glob` with these arguments"),
                },
                Value::Array(id) => {
                    for pattern in self.heap[*id].items.clone() {
                        patterns.push(self.text_of(pattern)?);
                    }
                }
                // Flags, such as `File::FNM_DOTMATCH`.
                Value::Int(_) => return self.unsupported("`Dir.glob` with flags"),
                pattern => patterns.push(self.text_of(*pattern)?),
            }
        }
        let mut items = Vec::new();
        for pattern in patterns {
            for path in self.globbed(&pattern, base.as_deref())? {
                items.push(self.string(path)?);
            }
        }
        match call.block {
            None => self.array(items),
            Some(block) => {
                for item in items {
                    self.call_block(dsl, block, &[item])?;
                }
                Ok(Value::Nil)
            }
        }
    }
}

/// Whether a mode or an encoding changes nothing about reading a text in UTF-8.
fn is_reading_mode(mode: &str) -> bool {
    let mode = mode.to_ascii_lowercase();
    matches!(&*mode, "utf-8" | "r:utf-8" | "rb:utf-8" | "r" | "rb" | "rt")
}
