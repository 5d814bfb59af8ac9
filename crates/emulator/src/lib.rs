//! AWS, locally: GitHub's token issuer, STS, IAM, ECR and its registry on one
//! port, refusing as AWS refuses.
//!
//! Every request goes the same visible way (see `front`): id, limits, protocol,
//! parse, authenticate, authorize, handle, serialise, trail. State is on disk
//! and survives a kill. Where AWS does not document a behaviour, the code says
//! "inferred".
//!
//! It must not import the clients that are tested against it: they meet over
//! HTTP only, so that one misreading cannot cancel out on both sides.

mod accounts;
mod admin;
mod authorize;
mod blobs;
mod caller;
mod clock;
mod cloudtrail;
mod connection;
mod ecr;
mod emulator;
mod error;
mod format;
mod front;
mod iam;
mod issuer;
mod json_protocol;
mod login;
mod private_file;
mod query;
mod query_protocol;
mod random;
mod registry;
mod seed;
mod settings;
mod signature;
mod state;
mod store;
mod sts;
mod trail;
mod xml;

/// Reads a web identity token as STS does, for `fuzz/`: whether it is one.
#[cfg(fuzzing)]
pub fn reads_token(text: &str) -> bool {
    sts::reads_token(text)
}

pub use accounts::AdministratorKeys;
pub use admin::{BadControlsSecret, ControlsSecret};
pub use emulator::{Emulator, EmulatorError};
pub use settings::{Controls, RegistryBehaviour, Settings};
