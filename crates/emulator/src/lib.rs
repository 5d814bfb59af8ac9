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
mod activity;
mod admin;
mod authorize;
mod blobs;
mod caller;
mod clock;
mod cloudtrail;
mod collect;
mod connection;
mod durable;
mod ecr;
mod emulator;
mod error;
mod faults;
mod fidelity;
mod format;
mod front;
#[cfg(fuzzing)]
pub mod fuzzing;
mod garbage;
mod gate;
mod iam;
mod issuer;
mod json_protocol;
mod login;
mod private_file;
mod protocol;
mod query;
mod query_protocol;
mod random;
mod registry;
mod seed;
mod settings;
mod signature;
mod snapshots;
mod state;
mod store;
mod sts;
mod tls;
mod trail;
mod xml;

pub use accounts::AdministratorKeys;
pub use activity::Activity;
pub use admin::{BadControlsSecret, ControlsSecret};
pub use connection::THREADS;
pub use emulator::{Emulator, EmulatorError};
pub use fidelity::{Chapter, Deviation, Fidelity, Row, UNSUPPORTED, fidelity};
pub use settings::{Controls, RegistryBehaviour, Settings, Transport};
pub use snapshots::{BadSnapshotName, SnapshotName};
pub use tls::{BadTlsName, TlsName};
