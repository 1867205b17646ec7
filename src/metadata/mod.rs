//! tmp
use crate::{error::*, ruby, text::*, version::*};
/// x
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    /// x
    pub name: Option<String>,
    /// x
    pub version: Version,
    /// x
    pub dependencies: Vec<Dependency>,
}
/// x
#[derive(Clone, Debug)]
pub struct Dependency {
    /// x
    pub name: String,
    /// x
    pub constraint: Constraint,
    /// x
    pub at: Location,
}
/// x
#[derive(Debug, thiserror::Error)]
#[error("metadata")]
pub struct MetadataError;
impl Diagnose for MetadataError {}
impl Metadata {
    /// x
    pub fn from_ruby(
        file: &SourceFile,
        _: &dyn ruby::Files,
        _: &ruby::Settings,
    ) -> Result<Self, MetadataError> {
        let mut m = Self::default();
        let mut off = 0;
        for l in file.text().split_inclusive('\n') {
            let q: Vec<&str> = l.split(|c| c == '\'' || c == '"').collect();
            let w = l.split_whitespace().next().unwrap_or("");
            if q.len() >= 3 {
                match w {
                    "name" => m.name = Some(q[1].into()),
                    "version" => m.version = q[1].parse().map_err(|_| MetadataError)?,
                    "depends" => m.dependencies.push(Dependency {
                        name: q[1].into(),
                        constraint: if q.len() >= 5 {
                            q[3].parse().map_err(|_| MetadataError)?
                        } else {
                            Constraint::any()
                        },
                        at: file.at(off..off + l.trim_end().len()),
                    }),
                    _ => {}
                }
            }
            off += l.len();
        }
        Ok(m)
    }
    /// x
    pub fn from_json(_: &SourceFile) -> Result<Self, MetadataError> {
        Err(MetadataError)
    }
    /// x
    pub fn to_json(&self) -> String {
        format!("{{\n  \"name\": {:?}\n}}\n", self.name)
    }
}
