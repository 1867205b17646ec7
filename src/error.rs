//! What every error of this crate has in common: a coarse kind that is stable, and the pieces a
//! front end needs to show it to a person.

use crate::text::Label;

/// What sort of failure an error is. Coarse and stable: the binary's exit codes are made from it.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The input is wrong: a manifest, a cookbook, a file that the user can mend.
    User,
    /// The lockfile would have to change, and that was forbidden.
    LockOutdated,
    /// Content is not what the lockfile says: moved, rewritten or damaged.
    Verification,
    /// A source or a target cannot be reached, or may not be.
    Unavailable,
    /// The caller asked to stop.
    Cancelled,
    /// The machine failed: disk full, permission denied, a bug.
    Internal,
}

/// One thing to tell a person: a sentence, the marked places, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// A lower-case fragment without a full stop.
    pub message: String,
    /// The lines to show, in order.
    pub labels: Vec<Label>,
    /// What else is known and is on no line.
    pub notes: Vec<String>,
    /// What to do next, one step each.
    pub hints: Vec<String>,
}

impl Diagnostic {
    /// A message with no line to show and no hint.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            labels: Vec::new(),
            notes: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// Adds a marked place.
    #[must_use]
    pub fn label(mut self, label: Label) -> Self {
        self.labels.push(label);
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds a next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// An error that can be shown to a person. Every error of this crate is one.
pub trait Diagnose: std::error::Error {
    /// What sort of failure this is.
    fn kind(&self) -> Kind {
        Kind::User
    }

    /// The same as a document for a machine, for the failures that have one.
    fn data(&self) -> Option<serde_json::Value> {
        None
    }

    /// What to show. More than one where several things are wrong at once.
    fn diagnostics(&self) -> Vec<Diagnostic> {
        vec![Diagnostic::new(message_with_causes(self))]
    }
}

/// An error's text followed by its causes, which a `source` chain holds apart.
pub fn message_with_causes<E: std::error::Error + ?Sized>(error: &E) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
