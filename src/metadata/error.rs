//! Why a cookbook's metadata could not be read.

use crate::error::{Diagnose, Diagnostic, Kind};
use crate::ruby::RubyError;
use crate::text::Location;
use crate::version::{InvalidConstraint, InvalidVersion};

/// A cookbook's metadata could not be read.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// A metadata.rb could not be evaluated.
    #[error(transparent)]
    Ruby(Box<RubyError>),
    /// A metadata.json is no JSON.
    #[error("this is not valid JSON: {message}")]
    Json {
        /// What the parser says.
        message: String,
        /// Where.
        at: Location,
    },
    /// A field of a metadata.json has the wrong type.
    #[error("`{field}` must be {expected}")]
    Type {
        /// The field.
        field: String,
        /// What it must be.
        expected: &'static str,
        /// Its value.
        at: Location,
    },
    /// The version of a metadata.json is none.
    #[error("{source}")]
    Version {
        /// What is wrong with it.
        source: InvalidVersion,
        /// Its value.
        at: Location,
    },
    /// A dependency's constraint is none.
    #[error("the dependency on `{cookbook}` has a constraint that is none: {source}")]
    Constraint {
        /// The dependency.
        cookbook: String,
        /// What is wrong with it.
        source: InvalidConstraint,
        /// Its entry.
        at: Location,
    },
}

impl From<RubyError> for MetadataError {
    fn from(error: RubyError) -> Self {
        MetadataError::Ruby(Box::new(error))
    }
}

impl MetadataError {
    /// Where it went wrong, unless the file as a whole is meant.
    pub fn at(&self) -> Option<&Location> {
        match self {
            MetadataError::Ruby(error) => error.at(),
            MetadataError::Json { at, .. }
            | MetadataError::Type { at, .. }
            | MetadataError::Version { at, .. }
            | MetadataError::Constraint { at, .. } => Some(at),
        }
    }
}

impl Diagnose for MetadataError {
    fn kind(&self) -> Kind {
        match self {
            MetadataError::Ruby(error) => error.kind(),
            _ => Kind::User,
        }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        if let MetadataError::Ruby(error) = self {
            let mut diagnostics = error.diagnostics();
            if error.is_limitation()
                && let Some(last) = diagnostics.pop()
            {
                diagnostics.push(last.hint(
                    "declare `name`, `version` and `depends` of this cookbook under `override` in \
                     cookpack.toml; its metadata.rb is then not evaluated",
                ));
            }
            return diagnostics;
        }
        let mut diagnostic = Diagnostic::new(self.to_string());
        if let Some(at) = self.at() {
            diagnostic = diagnostic.label(at.label(""));
        }
        vec![diagnostic]
    }
}
