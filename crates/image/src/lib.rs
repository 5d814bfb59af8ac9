//! Files into reproducible layers, layers into an OCI image layout.
//!
//! The same entries give the same bytes on every machine: entries are sorted,
//! times are constant, owners are numbers, and nothing of the host's paths,
//! users or clock enters a tar. Layers are streamed; none is held in memory.
//! This crate writes files and nothing else: it opens no socket and starts no
//! process.

mod assemble;
mod certificates;
mod entry;
mod error;
mod layer;
mod layout;
mod system;

pub use assemble::{LayerRecipe, Recipe, assemble};
pub use entry::{Content, Entry};
pub use error::ImageError;
pub use layer::{WrittenLayer, write_layer};
pub use layout::{Layout, StoredImage};
pub use system::{NONROOT, system_entries};
