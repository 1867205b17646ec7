//! A cookbook's metadata as a part of a record, with the places in the file that it was read from.

use super::{Reader, Writer};
use crate::metadata::{Dependency, Json, Metadata};
use crate::text::{Location, SourceFile};
use crate::version::Version;

/// The metadata of a cookbook, as it was read from its files.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RecordedMetadata {
    /// Whether it was read from a metadata.json, and not from a metadata.rb.
    pub(crate) is_json: bool,
    /// The text of the metadata.rb, where there is one.
    pub(crate) metadata_rb: Option<String>,
    /// The file that it was read from. How a person knows it is not recorded: one content can stand
    /// in several places.
    pub(crate) file: SourceFile,
    pub(crate) metadata: Metadata,
}

impl RecordedMetadata {
    /// The same with the name by which a person knows the file.
    pub(crate) fn shown_as(mut self, name: String) -> Self {
        self.file = SourceFile::new(name, self.file.text());
        let Metadata {
            name_at,
            version_at,
            dependencies,
            ignored,
            ..
        } = &mut self.metadata;
        let places = name_at
            .iter_mut()
            .chain(version_at)
            .chain(dependencies.iter_mut().map(|dependency| &mut dependency.at))
            .chain(ignored.iter_mut().map(|(_, at)| at));
        for place in places {
            place.file = self.file.clone();
        }
        self
    }

    /// None where a part of it would not be read again as it is.
    pub(super) fn write(&self, writer: &mut Writer) -> Option<()> {
        writer.flag(self.is_json);
        writer.text(self.file.text());
        match self.is_json {
            true => writer.option(self.metadata_rb.as_deref(), Writer::text),
            // It is the file itself.
            false if self.metadata_rb.as_deref() == Some(self.file.text()) => {}
            false => return None,
        }
        write_metadata(writer, &self.metadata, &self.file)
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let is_json = reader.flag()?;
        let text = reader.string()?;
        let metadata_rb = match is_json {
            true => reader.option(Reader::string)?,
            false => Some(text.clone()),
        };
        let file = SourceFile::new("", text);
        Some(Self {
            is_json,
            metadata_rb,
            metadata: read_metadata(reader, &file)?,
            file,
        })
    }
}

fn write_metadata(writer: &mut Writer, metadata: &Metadata, file: &SourceFile) -> Option<()> {
    let Metadata {
        name,
        name_at,
        description,
        long_description,
        maintainer,
        maintainer_email,
        license,
        platforms,
        dependencies,
        odd_constraints,
        providing,
        recipes,
        version,
        version_text,
        version_at,
        source_url,
        issues_url,
        privacy,
        chef_versions,
        ohai_versions,
        gems,
        eager_load_libraries,
        ignored,
    } = metadata;
    // Only what stands in the one file can be told again.
    let is_own = |at: &Location| at.file == *file;
    let mut places = name_at
        .iter()
        .chain(version_at)
        .chain(dependencies.iter().map(|dependency| &dependency.at))
        .chain(ignored.iter().map(|(_, at)| at));
    if !places.all(is_own) {
        return None;
    }
    writer.option(name.as_deref(), Writer::text);
    writer.option(name_at.as_ref(), write_place);
    for text in [
        description,
        long_description,
        maintainer,
        maintainer_email,
        license,
        version_text,
        source_url,
        issues_url,
    ] {
        writer.text(text);
    }
    for table in [platforms, odd_constraints, providing, recipes] {
        writer.list(table, |writer, (key, value)| {
            writer.text(key);
            write_json(writer, value);
        });
    }
    let mut is_same = true;
    writer.list(dependencies, |writer, dependency| {
        let text = dependency.constraint.to_string();
        is_same &= text.parse().as_ref() == Ok(&dependency.constraint);
        writer.text(&dependency.name);
        writer.text(&text);
        write_place(writer, &dependency.at);
    });
    for number in [version.major, version.minor, version.patch] {
        writer.number(number);
    }
    writer.option(version_at.as_ref(), write_place);
    writer.flag(*privacy);
    for lists in [chef_versions, ohai_versions] {
        writer.list(lists, |writer, list| {
            writer.list(list, |writer, text| writer.text(text));
        });
    }
    writer.list(gems, write_json);
    write_json(writer, eager_load_libraries);
    writer.list(ignored, |writer, (word, at)| {
        writer.text(word);
        write_place(writer, at);
    });
    is_same.then_some(())
}

fn read_metadata(reader: &mut Reader<'_>, file: &SourceFile) -> Option<Metadata> {
    let place = |reader: &mut Reader<'_>| read_place(reader, file);
    let table = |reader: &mut Reader<'_>| {
        reader.list(|reader| Some((reader.string()?, read_json(reader, DEPTH)?)))
    };
    let lists = |reader: &mut Reader<'_>| reader.list(|reader| reader.list(Reader::string));
    // The fields are read in the order in which they stand here.
    Some(Metadata {
        name: reader.option(Reader::string)?,
        name_at: reader.option(place)?,
        description: reader.string()?,
        long_description: reader.string()?,
        maintainer: reader.string()?,
        maintainer_email: reader.string()?,
        license: reader.string()?,
        version_text: reader.string()?,
        source_url: reader.string()?,
        issues_url: reader.string()?,
        platforms: table(reader)?,
        odd_constraints: table(reader)?,
        providing: table(reader)?,
        recipes: table(reader)?,
        dependencies: reader.list(|reader| {
            Some(Dependency {
                name: reader.string()?,
                constraint: reader.text()?.parse().ok()?,
                at: place(reader)?,
            })
        })?,
        version: Version::new(reader.number()?, reader.number()?, reader.number()?),
        version_at: reader.option(place)?,
        privacy: reader.flag()?,
        chef_versions: lists(reader)?,
        ohai_versions: lists(reader)?,
        gems: reader.list(|reader| read_json(reader, DEPTH))?,
        eager_load_libraries: read_json(reader, DEPTH)?,
        ignored: reader.list(|reader| Some((reader.string()?, place(reader)?)))?,
    })
}

fn write_place(writer: &mut Writer, at: &Location) {
    writer.number(at.span.start as u64);
    writer.number(at.span.end as u64);
}

fn read_place(reader: &mut Reader<'_>, file: &SourceFile) -> Option<Location> {
    let start = usize::try_from(reader.number()?).ok()?;
    let end = usize::try_from(reader.number()?).ok()?;
    Some(file.at(start..end))
}

/// Attack: values so deep in each other that reading them overflows the stack.
const DEPTH: usize = 200;

fn write_json(writer: &mut Writer, value: &Json) {
    match value {
        Json::Null => writer.number(0),
        Json::Bool(false) => writer.number(1),
        Json::Bool(true) => writer.number(2),
        Json::Number(text) => {
            writer.number(3);
            writer.text(text);
        }
        Json::String(text) => {
            writer.number(4);
            writer.text(text);
        }
        Json::Array(values) => {
            writer.number(5);
            writer.list(values, write_json);
        }
        Json::Object(entries) => {
            writer.number(6);
            writer.list(entries, |writer, (key, value)| {
                writer.text(key);
                write_json(writer, value);
            });
        }
    }
}

fn read_json(reader: &mut Reader<'_>, depth: usize) -> Option<Json> {
    let below = depth.checked_sub(1)?;
    Some(match reader.number()? {
        0 => Json::Null,
        1 => Json::Bool(false),
        2 => Json::Bool(true),
        3 => Json::Number(reader.string()?),
        4 => Json::String(reader.string()?),
        5 => Json::Array(reader.list(|reader| read_json(reader, below))?),
        6 => {
            let entry =
                |reader: &mut Reader<'_>| Some((reader.string()?, read_json(reader, below)?));
            Json::Object(reader.list(entry)?)
        }
        _ => return None,
    })
}
