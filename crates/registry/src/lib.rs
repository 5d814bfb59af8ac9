//! The client's side of the OCI distribution protocol: what a publish needs to
//! look up, upload and tag images.
//!
//! A layer is streamed from disk and never held in memory. What a registry says
//! is checked against what we know: digests, sizes, hosts. Failures of the
//! network are retried; a refusal never is. The deviations of Amazon ECR are
//! expected (PATCH answered by 201, `Range` that does not move, so that blobs go in
//! one request; manifests refused by 405), and nothing here knows which registry it speaks to.
//!
//! Source: [distribution-spec] v1.1 and, for bearer tokens, the [token
//! authentication] of the CNCF distribution registry.
//!
//! [distribution-spec]: https://github.com/opencontainers/distribution-spec
//! [token authentication]: https://distribution.github.io/distribution/spec/auth/token/

mod authentication;
mod blob_body;
mod blobs;
mod challenge;
mod chunks;
mod credentials;
mod error;
mod event;
mod exchange;
mod homes;
mod manifests;
mod options;
mod read;
mod referrers;
mod registry;
mod tags;
mod throttle;
mod transport;
mod unreachable;
mod upload;

pub use blobs::{Blob, BlobContent, Publication, Pushed};
pub use credentials::{Credentials, Password};
pub use error::{Refusal, RegistryError, Step};
pub use event::{Event, Observer};
pub use options::Options;
pub use referrers::ReferrerManifest;
pub use registry::{Registry, Renew, Renewing};
pub use transport::endpoint;
pub use unreachable::Unreachable;
