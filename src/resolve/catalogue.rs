//! What the solver asks of the places that give cookbooks by name.

use std::sync::Arc;

use crate::version::{Constraint, Version};

/// The cookbooks that can be had by name. Who implements it decides which source a name belongs to;
/// all versions of a name are from one.
pub trait Catalogue {
    /// Why it could not be asked.
    type Error: std::error::Error + 'static;

    /// All versions of a cookbook, in any order; none if no source has it. Asked once a name and
    /// solve.
    ///
    /// # Errors
    /// When a source cannot be asked. Solving ends with it.
    fn versions(&self, name: &str) -> Result<Option<Arc<[Offer]>>, Self::Error>;

    /// Says which names will be asked for next, so that they may be fetched at once.
    fn announce(&self, _names: &[&str]) {}

    /// Names that it has, for what was perhaps meant by a misspelt one. Asked only when an unknown
    /// name is told; those that are not known cheaply may be left out.
    fn names(&self) -> Vec<String>;

    /// The sources, for a person, in the order in which they are asked; an [`Offer`] has a place in
    /// this list.
    fn sources(&self) -> Vec<String>;
}

/// One version of a cookbook that a source offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The version.
    pub version: Version,
    /// The cookbooks that it depends on, by the name as written.
    pub dependencies: Box<[(Arc<str>, Constraint)]>,
    /// The place of its source in [`Catalogue::sources`].
    pub source: usize,
}
