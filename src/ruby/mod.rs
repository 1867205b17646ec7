//! tmp
use crate::{path::TreePath, tree::Tree};
/// x
pub trait Files {}
/// x
pub struct TreeFiles<'a> {
    /// x
    pub tree: &'a dyn Tree,
    /// x
    pub base: TreePath,
}
impl Files for TreeFiles<'_> {}
/// x
#[derive(Default)]
pub struct Settings {}
