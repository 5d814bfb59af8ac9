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

/// Reads a web identity token as STS does, for `fuzz/`: whether it is one.
#[cfg(fuzzing)]
pub fn reads_token(text: &str) -> bool {
    sts::reads_token(text)
}

/// Reads a signature as AWS does, for `fuzz/`: whether the request has the form
/// of a signed one. `headers` are names and values; those that HTTP does not
/// have are left out.
#[cfg(fuzzing)]
pub fn reads_signature(query: &str, headers: &[(&str, &str)], body: &[u8]) -> bool {
    let headers = headers
        .iter()
        .filter_map(|(name, value)| {
            let name = http::HeaderName::try_from(*name).ok()?;
            Some((name, http::HeaderValue::try_from(*value).ok()?))
        })
        .collect();
    signature::reads(&signature::Received {
        method: &http::Method::POST,
        path: "/",
        query,
        headers: &headers,
        body,
    })
}

/// Reads the parameters of a call of STS or IAM, for `fuzz/`: whether they name
/// an action, and can be read as tags and lists.
#[cfg(fuzzing)]
pub fn reads_query(text: &[u8]) -> bool {
    query::Parameters::parse(text).is_ok_and(|parameters| {
        let _ = parameters.list("PolicyArns");
        parameters.tags().is_ok() && parameters.required("Action").is_ok()
    })
}

/// Reads a request to the registry, for `fuzz/`: whether its target is one of
/// the distribution protocol. `range` is any header that names a range.
#[cfg(fuzzing)]
pub fn reads_target(target: &str, range: &str) -> bool {
    registry::reads_target(target, range)
}

/// Reads a manifest as the registry does, for `fuzz/`: whether it is one.
#[cfg(fuzzing)]
pub fn reads_manifest(media_type: Option<&str>, bytes: &[u8]) -> bool {
    ecr::reads_manifest(media_type, bytes)
}

pub use accounts::AdministratorKeys;
pub use activity::Activity;
pub use admin::{BadControlsSecret, ControlsSecret};
pub use connection::THREADS;
pub use emulator::{Emulator, EmulatorError};
pub use fidelity::{Chapter, Deviation, Fidelity, Row, UNSUPPORTED, fidelity};
pub use settings::{Controls, RegistryBehaviour, Settings, Transport};
pub use snapshots::{BadSnapshotName, SnapshotName};
pub use tls::{BadTlsName, TlsName};
