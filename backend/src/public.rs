//! What everybody may read, as data.

pub(crate) mod feed;
pub(crate) mod portfolio;
pub(crate) mod posts;
pub(crate) mod search;
