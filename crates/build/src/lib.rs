//! The engines: what turns a source into files. This crate starts `git`, `cargo`,
//! `rustc` and the builders of Dockerfiles, and reads what they leave behind; it knows nothing of images.

mod advisory_database;
mod audit_section;
mod binary;
mod cargo;
mod cargo_config;
mod declared;
mod dependencies;
mod dockerfile;
mod environment;
mod error;
mod facts;
mod files;
mod imprint;
mod inputs;
mod linker;
mod linkers;
mod lock_file;
mod prepared;
mod remembered;
mod shared;
mod source;
mod together;
mod toolchain;
mod unseen;
mod workspace;

pub use advisory_database::{AdvisoryDatabase, AdvisoryError, advisories};
pub use binary::{Binary, architecture_of, host_architecture, processor_of};
pub use cargo::{CargoBuild, Progress};
pub use dockerfile::{Builder, BuilderError, Dockerfile, DockerfileBuild};
pub use environment::Environment;
pub use error::BuildError;
pub use imprint::{Imprint, ImprintKind};
pub use inputs::{Change, Declared, Inputs};
pub use prepared::Prepared;
pub use shared::Linking;
pub use source::Source;
pub use unseen::{hide_ours, made};
pub use workspace::{Compiled, Workspace};
