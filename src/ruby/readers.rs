//! Files opened for reading, and paths as objects.

use super::dsl::{Dsl, Invocation};
use super::fail::Eval;
use super::files::FileKind;
use super::interpreter::Interpreter;
use super::paths;
use super::value::{OpenFile, OpenFileId, StrId, Value};

impl Interpreter<'_> {
    /// `File.open(path)`, with a block or without: the file is read at once.
    pub(super) fn open_file(&mut self, dsl: &mut dyn Dsl, path: &str, call: &Invocation) -> Eval {
        let Value::Str(text) = self.read_text(path)? else {
            return self.unsupported("`File.open` of this");
        };
        let handle = self.heap.open_file_object(OpenFile { text, at: 0 });
        let handle = Value::OpenFile(handle);
        match call.block {
            Some(block) => self.call_block(dsl, block, &[handle]),
            None => Ok(handle),
        }
    }

    /// What is left of an opened file.
    fn rest_of(&mut self, id: OpenFileId) -> Eval {
        let OpenFile { text, at } = self.heap[id].clone();
        self.heap[id].at = self.heap[text].text.len();
        if at == 0 {
            return Ok(Value::Str(text));
        }
        let rest = self.heap[text].text[at..].to_owned();
        self.string(rest)
    }

    pub(super) fn opened_method(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        id: OpenFileId,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "read" => {
                self.takes(call, 0, 0)?;
                self.rest_of(id)?
            }
            "readlines" | "each_line" | "to_a" | "map" | "each" | "grep" | "find" | "select"
            | "first" | "detect" | "any?" => {
                let rest = self.rest_of(id)?;
                let lines = self.send(dsl, scope, rest, "lines", &[])?;
                match &*call.name {
                    "readlines" | "to_a" if call.args.is_empty() => lines,
                    "each_line" | "each" | "readlines" if !call.args.is_empty() => return Ok(None),
                    "each_line" => {
                        let each = Invocation {
                            name: "each".into(),
                            ..call.clone()
                        };
                        self.deeper(|this| this.call_method(dsl, scope, lines, &each))?
                    }
                    _ => self.deeper(|this| this.call_method(dsl, scope, lines, call))?,
                }
            }
            "gets" | "readline" => {
                self.takes(call, 0, 0)?;
                let OpenFile { text, at } = self.heap[id].clone();
                let rest = &self.heap[text].text[at..];
                let length = rest.find('\n').map_or(rest.len(), |end| end + 1);
                let line = rest[..length].to_owned();
                if line.is_empty() {
                    return match &*call.name {
                        "gets" => Ok(Some(Value::Nil)),
                        _ => self.raise("EOFError", "end of file reached"),
                    };
                }
                self.heap[id].at += length;
                self.string(line)?
            }
            "close" => Value::Nil,
            _ => return Ok(None),
        }))
    }

    /// A path as an object.
    pub(super) fn pathname(&mut self, path: String) -> Eval {
        match self.string(path)? {
            Value::Str(id) => Ok(Value::Pathname(id)),
            other => Ok(other),
        }
    }

    /// The text of a path given as a string or as an object.
    pub(super) fn path_text(&mut self, value: Value) -> Eval<String> {
        match value {
            Value::Pathname(id) => self.text(id),
            value => self.text_of(value),
        }
    }

    pub(super) fn pathname_method(&mut self, id: StrId, call: &Invocation) -> Eval<Option<Value>> {
        let path = self.text(id)?;
        Ok(Some(match &*call.name {
            "to_s" | "to_path" if call.args.is_empty() => self.string(path)?,
            "dirname" | "parent" if !path.ends_with("..") && path != "." => {
                self.pathname(paths::dirname(&path).to_owned())?
            }
            "basename" => {
                self.takes(call, 0, 1)?;
                let suffix = match call.args.first() {
                    Some(suffix) => Some(self.text_of(*suffix)?),
                    None => None,
                };
                self.pathname(paths::basename(&path, suffix.as_deref()).to_owned())?
            }
            "extname" => self.string(paths::extname(&path))?,
            "join" | "+" | "/" => {
                let mut joined = path;
                for part in &call.args {
                    let part = self.path_text(*part)?;
                    if part.split('/').any(|part| matches!(part, ".." | ".")) {
                        return self.unsupported("a `Pathname` joined with `.` or `..`");
                    }
                    joined = match part.starts_with('/') {
                        true => part,
                        false => paths::join(&[joined, part]),
                    };
                }
                self.pathname(joined)?
            }
            "expand_path" => {
                self.takes(call, 0, 1)?;
                let folder = match call.args.first() {
                    Some(folder) => {
                        let folder = self.path_text(*folder)?;
                        paths::expand(&folder, &self.working_folder())
                    }
                    None => self.working_folder(),
                };
                self.pathname(paths::expand(&path, &folder))?
            }
            "read" => {
                self.takes(call, 0, 0)?;
                self.read_text(&path)?
            }
            "exist?" => Value::Bool(self.path_kind(&path)?.is_some()),
            "file?" => Value::Bool(self.path_kind(&path)? == Some(FileKind::File)),
            "directory?" => Value::Bool(self.path_kind(&path)? == Some(FileKind::Directory)),
            "absolute?" => Value::Bool(path.starts_with('/')),
            "relative?" => Value::Bool(!path.starts_with('/')),
            _ => return Ok(None),
        }))
    }
}
