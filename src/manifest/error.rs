//! Why a Berksfile, a Policyfile.rb or another of the Ruby files cannot be taken for a manifest.

use std::fmt;

use crate::document::DocumentError;
use crate::error::{Diagnose, Diagnostic, Kind};
use crate::metadata::MetadataError;
use crate::ruby::RubyError;
use crate::text::Location;

/// A manifest could not be read.
#[non_exhaustive]
#[derive(Debug)]
pub enum ManifestError {
    /// A cookpack.toml is wrong.
    Document(DocumentError),
    /// A file of Ruby could not be evaluated.
    Ruby {
        /// Why.
        error: Box<RubyError>,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The metadata of the cookbook beside the file could not be read.
    Metadata(Box<MetadataError>),
    /// What the file says makes no sense: one problem or several.
    Invalid(Vec<ManifestProblem>),
}

/// One thing that makes no sense in a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestProblem {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
    /// Where.
    pub at: Location,
}

impl ManifestError {
    /// One value that makes no sense.
    pub(super) fn invalid(error: &dyn fmt::Display, at: &Location) -> Self {
        Self::Invalid(vec![ManifestProblem {
            message: error.to_string(),
            hint: None,
            at: at.clone(),
        }])
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(error) => error.fmt(f),
            Self::Ruby { error, .. } => error.fmt(f),
            Self::Metadata(error) => error.fmt(f),
            Self::Invalid(problems) => {
                let shown: Vec<_> = problems
                    .iter()
                    .map(|problem| format!("{}: {}", problem.at, problem.message))
                    .collect();
                f.write_str(&shown.join("; "))
            }
        }
    }
}

impl std::error::Error for ManifestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Document(error) => error.source(),
            Self::Ruby { error, .. } => error.source(),
            Self::Metadata(error) => error.source(),
            Self::Invalid(_) => None,
        }
    }
}

impl From<MetadataError> for ManifestError {
    fn from(error: MetadataError) -> Self {
        Self::Metadata(Box::new(error))
    }
}

impl From<DocumentError> for ManifestError {
    fn from(error: DocumentError) -> Self {
        Self::Document(error)
    }
}

impl Diagnose for ManifestError {
    fn kind(&self) -> Kind {
        match self {
            Self::Document(error) => error.kind(),
            Self::Ruby { error, .. } => error.kind(),
            Self::Metadata(error) => error.kind(),
            Self::Invalid(_) => Kind::User,
        }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            Self::Document(error) => error.diagnostics(),
            Self::Metadata(error) => error.diagnostics(),
            Self::Ruby { error, hint } => {
                let mut shown = error.diagnostics();
                if let Some(last) = shown.last_mut() {
                    last.hints.extend(hint.clone());
                    if error.is_limitation() {
                        last.hints.push(
                            "write a cookpack.toml for this folder instead: it is taken first"
                                .to_owned(),
                        );
                    }
                }
                shown
            }
            Self::Invalid(problems) => problems
                .iter()
                .map(|problem| {
                    let mut shown =
                        Diagnostic::new(problem.message.clone()).label(problem.at.label(""));
                    shown.hints.extend(problem.hint.clone());
                    shown
                })
                .collect(),
        }
    }
}
