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

mod authorize;
mod blobs;
mod caller;
mod clock;
mod ecr;
mod front;
mod iam;
mod issuer;
mod login;
mod random;
mod registry;
mod settings;
mod state;
mod store;
mod sts;
mod trail;

pub use settings::Settings;
