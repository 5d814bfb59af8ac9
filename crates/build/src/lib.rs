//! The engines: what turns a source into files. This crate starts `git` and
//! `cargo`, and reads what they leave behind; it knows nothing of images.

mod binary;
mod cargo;
mod error;
mod source;

pub use binary::Binary;
pub use cargo::{CargoBuild, Progress};
pub use error::BuildError;
pub use source::Source;
