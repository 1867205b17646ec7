//! A TOML document read key by key, so that a wrong key or value is shown where it stands.

use std::fmt::Write as _;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Diagnose, Diagnostic};
use crate::text::{Location, SourceFile, nearest};

/// What is wrong in a TOML document.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// It is not TOML.
    #[error("{}: {message}", at)]
    Syntax {
        /// What the parser says.
        message: String,
        /// Where.
        at: Location,
    },
    /// A key that means nothing here.
    #[error("{}: unknown key `{key}` in {table}", at)]
    UnknownKey {
        /// The key.
        key: String,
        /// The table it stands in, as a person would name it.
        table: String,
        /// The keys that mean something there.
        allowed: Vec<&'static str>,
        /// Where.
        at: Location,
    },
    /// A value of another type than is wanted.
    #[error("{}: {what} must be {expected}, but this is {found}", at)]
    WrongType {
        /// What the value is for.
        what: String,
        /// The types wanted.
        expected: &'static str,
        /// The type there.
        found: &'static str,
        /// Where.
        at: Location,
    },
    /// A key that must be there is not.
    #[error("{}: {table} has no `{key}`", at)]
    MissingKey {
        /// The key.
        key: &'static str,
        /// The table, as a person would name it.
        table: String,
        /// Where the table begins.
        at: Location,
    },
    /// A value of the right type that makes no sense.
    #[error("{}: {reason}", at)]
    InvalidValue {
        /// Why.
        reason: String,
        /// What to write instead.
        hint: Option<String>,
        /// Where.
        at: Location,
    },
}

impl Diagnose for DocumentError {
    fn diagnostics(&self) -> Vec<Diagnostic> {
        let (message, at, note, hint) = match self {
            Self::Syntax { message, at } => (message.clone(), at, String::new(), None),
            Self::UnknownKey {
                key,
                table,
                allowed,
                at,
            } => {
                let list = allowed.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>();
                let hint = match nearest(key, allowed.iter().copied()) {
                    Some(near) => {
                        format!("did you mean `{near}`? allowed here: {}", list.join(", "))
                    }
                    None => format!("allowed here: {}", list.join(", ")),
                };
                (
                    format!("unknown key `{key}` in {table}"),
                    at,
                    String::new(),
                    Some(hint),
                )
            }
            Self::WrongType {
                what,
                expected,
                found,
                at,
            } => (
                format!("{what} must be {expected}"),
                at,
                format!("this is {found}"),
                None,
            ),
            Self::MissingKey { key, table, at } => {
                (format!("{table} has no `{key}`"), at, String::new(), None)
            }
            Self::InvalidValue { reason, hint, at } => {
                (reason.clone(), at, String::new(), hint.clone())
            }
        };
        let mut diagnostic = Diagnostic::new(message).label(at.label(note));
        diagnostic.hints.extend(hint);
        vec![diagnostic]
    }
}

/// Parses a document and hands its root table to `read`.
pub(crate) fn read_document<T>(
    file: &SourceFile,
    read: impl FnOnce(Table<'_, '_>) -> Result<T, DocumentError>,
) -> Result<T, DocumentError> {
    read_part(file, 0, file.text(), read)
}

/// Parses a part of a document that could stand for itself: `text`, which begins at that byte of the file.
pub(crate) fn read_part<T>(
    file: &SourceFile,
    begin: usize,
    text: &str,
    read: impl FnOnce(Table<'_, '_>) -> Result<T, DocumentError>,
) -> Result<T, DocumentError> {
    let part = Part { file, begin };
    let root = DeTable::parse(text).map_err(|error| DocumentError::Syntax {
        message: error.message().to_owned(),
        at: part.at(error.span().unwrap_or_default()),
    })?;
    let span = root.span();
    read(Table::new(part, root.get_ref(), span, "the document"))
}

/// What is parsed at once: it begins somewhere in a file.
#[derive(Clone, Copy)]
struct Part<'a> {
    file: &'a SourceFile,
    begin: usize,
}

impl Part<'_> {
    /// Where in the file something of the part is.
    fn at(self, span: Range<usize>) -> Location {
        self.file.at(self.begin + span.start..self.begin + span.end)
    }
}

/// A table whose keys are asked for one by one.
pub(crate) struct Table<'a, 'i> {
    part: Part<'a>,
    table: &'a DeTable<'i>,
    span: Range<usize>,
    title: String,
}

/// A value and where it stands.
pub(crate) struct Value<'a, 'i> {
    part: Part<'a>,
    value: &'a Spanned<DeValue<'i>>,
    title: String,
}

impl<'a, 'i> Table<'a, 'i> {
    fn new(
        part: Part<'a>,
        table: &'a DeTable<'i>,
        span: Range<usize>,
        title: impl Into<String>,
    ) -> Self {
        Self {
            part,
            table,
            span,
            title: title.into(),
        }
    }

    /// Where the table stands.
    pub(crate) fn at(&self) -> Location {
        self.part.at(self.span.clone())
    }

    /// The value of a key, if it is there.
    pub(crate) fn value(&self, key: &'static str) -> Option<Value<'a, 'i>> {
        let (_, value) = self
            .table
            .iter()
            .find(|(k, _)| k.get_ref().as_ref() == key)?;
        Some(Value {
            part: self.part,
            value,
            title: format!("`{key}`"),
        })
    }

    /// Where a key itself stands, if it is there.
    pub(crate) fn key_at(&self, key: &str) -> Option<Location> {
        let (key, _) = self
            .table
            .iter()
            .find(|(k, _)| k.get_ref().as_ref() == key)?;
        Some(self.part.at(key.span()))
    }

    /// A key's text, if it is there.
    pub(crate) fn string(
        &self,
        key: &'static str,
    ) -> Result<Option<(String, Location)>, DocumentError> {
        self.value(key).map(|v| v.string()).transpose()
    }

    /// A key's text, which must be there.
    pub(crate) fn required(&self, key: &'static str) -> Result<(String, Location), DocumentError> {
        self.string(key)?.ok_or_else(|| DocumentError::MissingKey {
            key,
            table: self.title.clone(),
            at: self.at(),
        })
    }

    /// A key's text read as another type, if it is there.
    pub(crate) fn parsed<T, E: std::fmt::Display>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<(T, Location)>, DocumentError> {
        self.string(key)?
            .map(|(text, at)| match parse(&text) {
                Ok(value) => Ok((value, at)),
                Err(error) => Err(invalid(&error, at)),
            })
            .transpose()
    }

    /// A key's truth value, if it is there.
    pub(crate) fn boolean(&self, key: &'static str) -> Result<Option<bool>, DocumentError> {
        self.value(key)
            .map(|value| match value.value.get_ref().as_bool() {
                Some(truth) => Ok(truth),
                None => Err(value.wrong_type("`true` or `false`")),
            })
            .transpose()
    }

    /// A key's list of texts; empty if it is not there.
    pub(crate) fn strings(
        &self,
        key: &'static str,
    ) -> Result<Vec<(String, Location)>, DocumentError> {
        match self.value(key) {
            Some(value) => value.list()?.iter().map(Value::string).collect(),
            None => Ok(Vec::new()),
        }
    }

    /// A key's table, if it is there.
    pub(crate) fn table(&self, key: &'static str) -> Result<Option<Table<'a, 'i>>, DocumentError> {
        self.value(key)
            .map(|v| v.table(format!("[{key}]")))
            .transpose()
    }

    /// Every entry of a table whose keys are names that the person chose, in the text's order.
    pub(crate) fn entries(self) -> Vec<(String, Location, Value<'a, 'i>)> {
        let mut entries: Vec<_> = self
            .table
            .iter()
            .map(|(key, value)| {
                let name = key.get_ref().to_string();
                let value = Value {
                    part: self.part,
                    value,
                    title: format!("`{name}`"),
                };
                (name, self.part.at(key.span()), value)
            })
            .collect();
        entries.sort_by_key(|(_, at, _)| at.span.start);
        entries
    }

    /// An error at the first key that is none of these: before anything is said of what is missing,
    /// since a misspelt key is why it is.
    pub(crate) fn only(&self, allowed: &[&'static str]) -> Result<(), DocumentError> {
        let unknown = self
            .table
            .keys()
            .filter(|key| !allowed.contains(&key.get_ref().as_ref()))
            .min_by_key(|key| key.span().start);
        match unknown {
            Some(key) => Err(DocumentError::UnknownKey {
                key: key.get_ref().to_string(),
                table: self.title.clone(),
                allowed: allowed.to_vec(),
                at: self.part.at(key.span()),
            }),
            None => Ok(()),
        }
    }
}

impl<'a, 'i> Value<'a, 'i> {
    /// Where the value stands.
    pub(crate) fn at(&self) -> Location {
        self.part.at(self.value.span())
    }

    /// Whether it is a text.
    pub(crate) fn is_string(&self) -> bool {
        self.value.get_ref().is_str()
    }

    /// The value as a text.
    pub(crate) fn string(&self) -> Result<(String, Location), DocumentError> {
        match self.value.get_ref().as_str() {
            Some(text) => Ok((text.to_owned(), self.at())),
            None => Err(self.wrong_type("a string")),
        }
    }

    /// The value as a whole number from 0 on.
    pub(crate) fn number(&self) -> Result<(u64, Location), DocumentError> {
        self.value
            .get_ref()
            .as_integer()
            .and_then(|i| u64::from_str_radix(i.as_str(), i.radix()).ok())
            .map(|number| (number, self.at()))
            .ok_or_else(|| self.wrong_type("a whole number"))
    }

    /// The value as a list.
    pub(crate) fn list(&self) -> Result<Vec<Value<'a, 'i>>, DocumentError> {
        let Some(items) = self.value.get_ref().as_array() else {
            return Err(self.wrong_type("a list"));
        };
        Ok(items
            .iter()
            .map(|value| Value {
                part: self.part,
                value,
                title: format!("an entry of {}", self.title),
            })
            .collect())
    }

    /// The value as a table that a message names by `title`.
    pub(crate) fn table(&self, title: String) -> Result<Table<'a, 'i>, DocumentError> {
        match self.value.get_ref().as_table() {
            Some(table) => Ok(Table::new(self.part, table, self.value.span(), title)),
            None => Err(self.wrong_type("a table")),
        }
    }

    /// The error of a value of another type.
    pub(crate) fn wrong_type(&self, expected: &'static str) -> DocumentError {
        let found = match self.value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        DocumentError::WrongType {
            what: self.title.clone(),
            expected,
            found,
            at: self.at(),
        }
    }
}

/// A TOML basic string.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", c as u32);
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// The error of a value that could not be read as what it should be.
pub(crate) fn invalid(error: &dyn std::fmt::Display, at: Location) -> DocumentError {
    DocumentError::InvalidValue {
        reason: error.to_string(),
        hint: None,
        at,
    }
}
