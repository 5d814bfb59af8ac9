//! What `longshore base update` found.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{InputChange, Layer};

/// What a base is now, and how that differs from what `longshore.lock` said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BaseReport {
    /// The base, as `longshore.toml` names it.
    pub reference: String,
    /// Whether `longshore.lock` was written: something in it is new.
    pub changed: bool,
    /// The digest that was pinned before; `None` where none was.
    pub previous: Option<String>,
    /// The digest that is pinned now: of the index, or of the manifest where there is
    /// no index.
    pub digest: String,
    /// The digest of the manifest for each platform.
    pub platforms: BTreeMap<String, String>,
    /// The platform that is built for: what follows is about its image.
    pub platform: String,
    /// Layers that the image did not have; all, where the former one is not known.
    pub layers_added: Vec<Layer>,
    /// Layers that it no longer has.
    pub layers_removed: Vec<Layer>,
    /// What changed of its configuration: `created`, `user`, `variable:NAME` and so on.
    pub changes: Vec<InputChange>,
}
