//! Reads a metadata.json, the way Chef's `from_hash` does.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Dependency, Json, Metadata, MetadataError};
use crate::text::{Location, SourceFile};
use crate::version::Constraint;

/// Reads a metadata.json.
pub(super) fn read(file: &SourceFile) -> Result<Metadata, MetadataError> {
    let text = without_comments(file.text());
    let reader = Reader { file, text: &text };
    let fields: Entries<'_> = reader.parse(&text)?;
    let mut metadata = Metadata::default();
    for (name, value) in &fields.0 {
        reader.field(&mut metadata, name, value)?;
    }
    Ok(metadata)
}

/// An object's entries, each value as it is written.
struct Entries<'t>(Vec<(String, &'t RawValue)>);

impl<'t> Deserialize<'t> for Entries<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'t> Visitor<'t> for Object {
            type Value = Entries<'t>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Entries<'t>, A::Error> {
                let mut entries = indexmap::IndexMap::new();
                while let Some((key, value)) = map.next_entry()? {
                    entries.insert(key, value);
                }
                Ok(Entries(entries.into_iter().collect()))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

struct Reader<'t> {
    file: &'t SourceFile,
    text: &'t str,
}

impl<'t> Reader<'t> {
    /// Parses a part of the text.
    fn parse<T: Deserialize<'t>>(&self, part: &'t str) -> Result<T, MetadataError> {
        serde_json::from_str(part).map_err(|error| {
            let start = self.span_of(part).start;
            let line_start: usize = part
                .split_inclusive('\n')
                .take(error.line().saturating_sub(1))
                .map(str::len)
                .sum();
            let offset = line_start + error.column().saturating_sub(1);
            let at = start + floor_char(part, offset);
            let message = error.to_string();
            // The place is shown, so it is not told.
            let message = message.split(" at line ").next().unwrap_or(&message);
            MetadataError::Json {
                message: message.to_owned(),
                at: self.file.at(at..(at + 1).min(self.text.len())),
            }
        })
    }

    /// Where a part of the text stands in it.
    fn span_of(&self, part: &str) -> Range<usize> {
        let start = part
            .as_ptr()
            .addr()
            .saturating_sub(self.text.as_ptr().addr());
        start..start + part.len()
    }

    fn at(&self, value: &RawValue) -> Location {
        self.file.at(self.span_of(value.get()))
    }

    /// A value with the key before it.
    fn entry_at(&self, value: &RawValue) -> Location {
        let span = self.span_of(value.get());
        let before = &self.text.as_bytes()[..span.start];
        let key_end = before
            .iter()
            .rposition(|b| *b == b'"')
            .unwrap_or(span.start);
        let mut start = key_end;
        while let Some(quote) = before[..start].iter().rposition(|b| *b == b'"') {
            start = quote;
            let escapes = before[..quote]
                .iter()
                .rev()
                .take_while(|b| **b == b'\\')
                .count();
            if escapes % 2 == 0 {
                break;
            }
        }
        self.file.at(start..span.end)
    }

    fn wrong(&self, field: &str, expected: &'static str, value: &RawValue) -> MetadataError {
        MetadataError::Type {
            field: field.to_owned(),
            expected,
            at: self.at(value),
        }
    }

    fn field(
        &self,
        metadata: &mut Metadata,
        name: &str,
        value: &'t RawValue,
    ) -> Result<(), MetadataError> {
        match name {
            "name" => {
                metadata.name = self.optional_text(name, value)?;
                metadata.name_at = Some(self.at(value));
            }
            "description" => metadata.description = self.text(name, value)?,
            "long_description" => metadata.long_description = self.text(name, value)?,
            "maintainer" => metadata.maintainer = self.text(name, value)?,
            "maintainer_email" => metadata.maintainer_email = self.text(name, value)?,
            "license" => metadata.license = self.text(name, value)?,
            "source_url" => metadata.source_url = self.text(name, value)?,
            "issues_url" => metadata.issues_url = self.text(name, value)?,
            "platforms" => metadata.platforms = self.object(name, value)?,
            "providing" => metadata.providing = self.object(name, value)?,
            "recipes" => metadata.recipes = self.object(name, value)?,
            "dependencies" => self.dependencies(metadata, value)?,
            "version" => {
                let text = self.text(name, value)?;
                metadata.version = text.parse().map_err(|source| MetadataError::Version {
                    source,
                    at: self.at(value),
                })?;
                metadata.version_text = text;
                metadata.version_at = Some(self.at(value));
            }
            "privacy" => match self.json(value)? {
                Json::Bool(privacy) => metadata.privacy = privacy,
                Json::Null => {}
                _ => return Err(self.wrong(name, "`true` or `false`", value)),
            },
            "chef_versions" => metadata.chef_versions = self.requirements(name, value)?,
            "ohai_versions" => metadata.ohai_versions = self.requirements(name, value)?,
            "gems" => match self.json(value)? {
                Json::Array(gems) => metadata.gems = gems,
                _ => return Err(self.wrong(name, "a list", value)),
            },
            "eager_load_libraries" => metadata.eager_load_libraries = self.json(value)?,
            _ => {}
        }
        Ok(())
    }

    fn json(&self, value: &'t RawValue) -> Result<Json, MetadataError> {
        self.parse(value.get())
    }

    fn optional_text(
        &self,
        field: &str,
        value: &'t RawValue,
    ) -> Result<Option<String>, MetadataError> {
        match self.json(value)? {
            Json::String(text) => Ok(Some(text)),
            Json::Null => Ok(None),
            _ => Err(self.wrong(field, "a string", value)),
        }
    }

    fn text(&self, field: &str, value: &'t RawValue) -> Result<String, MetadataError> {
        self.optional_text(field, value)
            .map(Option::unwrap_or_default)
    }

    fn object(
        &self,
        field: &str,
        value: &'t RawValue,
    ) -> Result<Vec<(String, Json)>, MetadataError> {
        match self.json(value)? {
            Json::Object(entries) => Ok(entries),
            Json::Null => Ok(Vec::new()),
            // What writes JSON without telling an empty list from an empty object.
            Json::Array(items) if items.is_empty() => Ok(Vec::new()),
            _ => Err(self.wrong(field, "an object", value)),
        }
    }

    /// Before constraints were obeyed there could be several: Chef drops those, and so an empty list
    /// means any version.
    fn dependencies(
        &self,
        metadata: &mut Metadata,
        value: &'t RawValue,
    ) -> Result<(), MetadataError> {
        if matches!(self.json(value)?, Json::Array(items) if items.is_empty()) {
            return Ok(());
        }
        let entries: Entries<'_> = self.parse(value.get())?;
        for (name, value) in entries.0 {
            let at = self.entry_at(value);
            let mut written = self.json(value)?;
            if let Json::Array(items) = written {
                written = match <[Json; 1]>::try_from(items) {
                    Ok([only]) => only,
                    Err(_) => Json::Array(Vec::new()),
                };
            }
            let constraint = match &written {
                Json::String(text) => text.parse().map_err(|source| MetadataError::Constraint {
                    cookbook: name.clone(),
                    source,
                    at: at.clone(),
                })?,
                Json::Array(_) => Constraint::any(),
                Json::Null => {
                    written = Json::Array(Vec::new());
                    Constraint::any()
                }
                _ => return Err(self.wrong(&name, "a version constraint", value)),
            };
            if written.as_str() != Some(&*constraint.to_string()) {
                metadata.odd_constraints.push((name.clone(), written));
            }
            metadata.dependencies.push(Dependency {
                name,
                constraint,
                at,
            });
        }
        Ok(())
    }

    fn requirements(
        &self,
        field: &str,
        value: &'t RawValue,
    ) -> Result<Vec<Vec<String>>, MetadataError> {
        let wrong = || self.wrong(field, "a list of lists of version constraints", value);
        let Json::Array(lists) = self.json(value)? else {
            return Err(wrong());
        };
        let mut requirements = Vec::new();
        for list in lists {
            let parts = match list {
                Json::Array(parts) => parts,
                part => vec![part],
            };
            let mut texts = Vec::new();
            for part in parts {
                let text = part.as_str().ok_or_else(wrong)?;
                texts.push(text.to_owned());
            }
            requirements.push(super::dsl::requirements(texts).map_err(|_| wrong())?);
        }
        Ok(requirements)
    }
}

/// The nearest place at or before `offset` where a character begins.
fn floor_char(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// Yajl, as Chef uses it, takes `/* .. */` and `// ..` for blanks. Blanks they become here, so that
/// all places stay.
fn without_comments(text: &str) -> Cow<'_, str> {
    if !text.contains("/*") && !text.contains("//") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '"' => string_length(rest),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (part, after) = rest.split_at(taken);
        if c == '/' && taken > 1 {
            out.extend(part.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
        } else {
            out.push_str(part);
        }
        rest = after;
    }
    Cow::Owned(out)
}

/// The length of the string that a text begins with, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, b) in text.bytes().enumerate().skip(1) {
        match b {
            b'"' if !escaped => return at + 1,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Metadata, MetadataError> {
        read(&SourceFile::new("metadata.json", text))
    }

    #[test]
    fn every_field_is_read() {
        let metadata = read_text(
            r#"{"name": "web", "version": "1.2", "privacy": true, "license": "MIT",
                "dependencies": {"apt": ">= 2.0", "old": [], "one": ["~> 1.0"], "many": ["> 1", "< 2"]},
                "platforms": {"ubuntu": ">= 0.0.0", "old": []},
                "chef_versions": [[">= 12", "< 14"]], "gems": [["x", ">= 1"]],
                "recipes": {"web": "all of it"}, "unknown": 1}"#,
        )
        .unwrap();
        assert_eq!(metadata.name.as_deref(), Some("web"));
        assert_eq!(metadata.version.to_string(), "1.2.0");
        assert_eq!(metadata.version_text, "1.2");
        let constraints: Vec<String> = metadata
            .dependencies
            .iter()
            .map(|d| format!("{} {}", d.name, d.constraint))
            .collect();
        assert_eq!(
            constraints,
            ["apt >= 2.0", "old >= 0.0.0", "one ~> 1.0", "many >= 0.0.0"]
        );
        let odd: Vec<&str> = metadata.odd_constraints.iter().map(|odd| &*odd.0).collect();
        assert_eq!(odd, ["old", "many"]);
        let printed = metadata.to_json();
        assert!(
            printed.contains("\"old\": [\n\n    ],\n    \"one\": \"~> 1.0\""),
            "{printed}"
        );
        assert_eq!(metadata.chef_versions, [["< 14", ">= 12"]]);
        assert!(metadata.privacy);
    }

    #[test]
    fn a_dependency_knows_its_entry() {
        let text = "{\"name\": \"x\",\n \"dependencies\": {\n  \"a\\\"b\" : \">= 1.0\"\n }}";
        let metadata = read_text(text).unwrap();
        let at = &metadata.dependencies[0].at;
        assert_eq!(at.line(), 3);
        assert_eq!(&text[at.span.clone()], "\"a\\\"b\" : \">= 1.0\"");
    }

    #[test]
    fn comments_are_blanks() {
        let text = "/* é */ {\"name\": \"a//b\" // c\n}";
        assert_eq!(read_text(text).unwrap().name.as_deref(), Some("a//b"));
    }

    #[test]
    fn each_error_marks_its_place() {
        for (text, message, marked) in [
            (
                "{\"name\": }",
                "this is not valid JSON: expected value",
                "}",
            ),
            (
                "[]",
                "this is not valid JSON: invalid type: sequence, expected an object",
                "[",
            ),
            ("{\"name\": 5}", "`name` must be a string", "5"),
            (
                "{\"version\": \"x\"}",
                "`x` is not a version: write `x.y.z` or `x.y`, digits only",
                "\"x\"",
            ),
            (
                "{\"privacy\": \"yes\"}",
                "`privacy` must be `true` or `false`",
                "\"yes\"",
            ),
            ("{\"gems\": {}}", "`gems` must be a list", "{}"),
            ("{\"recipes\": [1]}", "`recipes` must be an object", "[1]"),
            (
                "{\"chef_versions\": [[1]]}",
                "`chef_versions` must be a list of lists of version constraints",
                "[[1]]",
            ),
            (
                "{\"dependencies\": {\"a\": 1}}",
                "`a` must be a version constraint",
                "1",
            ),
        ] {
            let error = read_text(text).unwrap_err();
            assert_eq!(error.to_string(), message, "{text}");
            let span = error.at().unwrap().span.clone();
            assert_eq!(&text[span], marked, "{text}");
        }
        let error = read_text("{\"dependencies\": {\"a\": \"<< 1\"}}").unwrap_err();
        assert!(
            error.to_string().starts_with("the dependency on `a`"),
            "{error}"
        );
    }
}
