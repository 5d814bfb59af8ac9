//! The image that ours is built on: named in `longshore.toml`, pinned in
//! `longshore.lock`, read by its digest and never by its tag.

mod failure;
mod lock;
mod pinned;
mod pins;
mod place;
mod reference;
mod update;

pub use failure::BaseFailure;
pub use lock::LOCK_FILE_NAME;
pub(crate) use pinned::{PinnedBase, platform};
pub(crate) use pins::Pins;
pub use reference::{BaseReference, BaseReferenceError};
pub use update::update_bases;
