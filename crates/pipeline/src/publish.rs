//! `longshore publish`: an image into a registry, under an identity.
//!
//! The order is the promise: blobs, then the manifest by its digest, then what
//! refers to it, then the immutable tag, then the moving ones. Whatever fails, no
//! tag points to an image that is not complete.

mod attestations;
mod destination;
mod failure;
mod found;
mod gate;
mod layout;
mod login;
mod logins;
mod make;
mod push;
mod referrer;
mod session;
mod several;
mod signer;
mod source;
mod unlisted;
mod verify;
mod why;

pub use destination::{Destination, IdentityPlan};
pub use failure::PublishFailure;
pub use gate::{Gate, GateFailure};
pub use layout::PublishPlan;
pub use login::{AddressError, LoginError, RegistryAddress};
pub use logins::Logins;
pub(crate) use logins::in_ecr;
pub use session::connect;
pub use several::{Named, SeveralFailure};
pub use signer::{Signer, SigningFailure, Sigstore};
pub use source::SourcePublish;
pub use verify::VerifyFailure;
