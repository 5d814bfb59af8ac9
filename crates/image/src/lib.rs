//! Files into reproducible layers, layers into an OCI image layout.
//!
//! The same recipe gives the same bytes on every machine: entries are sorted,
//! times are constant, owners are numbers, modes do not follow the umask, and
//! nothing of the host's paths, users or clock enters a tar. What a layer is made
//! of passes once from disk through a hash, compressing threads and another hash
//! to disk again, in blocks: no layer and no file is held in memory.
//! docs/images.md tells the form to people. This crate writes files and nothing
//! else: it opens no socket and starts no process.

mod archive;
mod assemble;
mod assets;
mod base;
mod blocks;
mod certificates;
mod compare;
mod compatibility;
mod compression;
mod entry;
mod error;
#[cfg(test)]
mod fixture;
mod import;
mod layout;
mod pack;
mod published;
mod recipe;
#[cfg(test)]
mod reproducible;
mod source_file;
mod store;
mod system;
mod tarball;
mod workers;

pub use archive::{write_docker_archive, write_oci_archive};
pub use assemble::{Assembly, IndexRecipe, assemble, assemble_index};
pub use assets::{Assets, Exclude, GlobError};
pub use base::Base;
pub use compare::{Difference, LayerBlob, compare_documents, compare_layers};
pub use compatibility::COMPATIBILITY;
pub use compression::{Choice, Compression, CompressionError, GzipReason, Runtime, Wishes};
pub use entry::{Content, Entry};
pub use error::ImageError;
pub use import::{Import, Secret, import};
pub use layout::{Checked, Layout, Stored, StoredImage, StoredIndex, verify_blob};
pub use published::{inputs, take_over};
pub use recipe::{LayerKind, LayerRecipe, PublishedLayer, Recipe, RecordedInputs, layer_inputs};
pub use store::{LayerStore, StoredLayer};
pub use system::{NONROOT, SystemFiles};
