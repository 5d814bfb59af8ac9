//! What an editor writes, as values: their shapes, and what they must be.

pub(crate) mod judge;
pub(crate) mod post;
pub(crate) mod profile;
pub(crate) mod project;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::problem::FieldError;

/// A kind of document.
pub(crate) trait Content:
    Serialize + DeserializeOwned + Send + Sync + Unpin + 'static
{
    /// Its name in the database.
    const KIND: &'static str;

    /// Every field that is not what it must be.
    fn errors(&self) -> Vec<FieldError>;

    /// Where it stands among its kind.
    fn position(&self) -> i64 {
        0
    }

    /// From when everybody sees it; nothing if it is a draft. `now` is the moment of
    /// the change.
    fn visible_from(&self, now: &str) -> Option<String> {
        Some(now.to_owned())
    }

    /// What it is about.
    fn tags(&self) -> &[String] {
        &[]
    }

    /// What it is found by: its title, and everything else. Nothing if it is not
    /// looked for.
    fn searched(&self) -> Option<(String, String)> {
        None
    }
}
