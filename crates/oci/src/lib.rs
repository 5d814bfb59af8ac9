//! The values of the OCI image and distribution specifications.
//!
//! Everything here is parsed once, at the edge, into a type that cannot hold a
//! wrong value; nothing here reads a file, a socket or the clock. Manifests are
//! kept as the bytes that were received or written: a digest is of bytes, and a
//! second serialisation is a different document.
//!
//! Sources: [image-spec] v1.1 and [distribution-spec] v1.1.
//!
//! [image-spec]: https://github.com/opencontainers/image-spec
//! [distribution-spec]: https://github.com/opencontainers/distribution-spec

mod config;
mod descriptor;
mod digest;
mod distribution_error;
mod manifest;
pub mod media_type;
mod name;

pub use config::{Empty, Healthcheck, History, ImageConfig, RootFilesystem, RuntimeConfig};
pub use descriptor::{Descriptor, Platform, PlatformError};
pub use digest::{Algorithm, Digest, DigestError, Hasher};
pub use distribution_error::{DistributionError, ErrorCode, ErrorEnvelope};
pub use manifest::{AnyManifest, Index, Manifest, ManifestError};
pub use name::{ManifestReference, NameError, RepositoryName, Tag};

/// Annotation keys: those that the image specification predefines
/// (annotations.md), and Longshore's own.
pub mod annotation {
    /// When the image was built, RFC 3339; Longshore writes the commit's time.
    pub const CREATED: &str = "org.opencontainers.image.created";
    /// Where the source code is, a URL.
    pub const SOURCE: &str = "org.opencontainers.image.source";
    /// The source control revision.
    pub const REVISION: &str = "org.opencontainers.image.revision";
    /// The version of the packaged software.
    pub const VERSION: &str = "org.opencontainers.image.version";
    /// A human title of the image.
    pub const TITLE: &str = "org.opencontainers.image.title";
    /// In a layout's `index.json`: the name that the manifest goes by.
    pub const REFERENCE_NAME: &str = "org.opencontainers.image.ref.name";
    /// The reference of the image that this one is built on.
    pub const BASE_NAME: &str = "org.opencontainers.image.base.name";
    /// The digest of the image that this one is built on.
    pub const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";
    /// On a manifest: the number that pins everything that shapes digests.
    pub const COMPATIBILITY: &str = "dev.longshore.compatibility";
    /// On a layer's descriptor: the kind of the layer, and its name.
    pub const LAYER: &str = "dev.longshore.layer";
    /// On a layer's descriptor: the digest of what the layer was made from. On a
    /// manifest: the digest of what the image was made from.
    pub const INPUTS: &str = "dev.longshore.inputs";
    /// On a layer's descriptor: the digest of the layer's tar, which the configuration
    /// has too. A manifest may be read by whoever may push; a configuration may not.
    pub const DIFF_ID: &str = "dev.longshore.diff-id";
    /// On a manifest: what has to be known, besides the source, to tell anew what
    /// the image was made from.
    pub const DECLARED: &str = "dev.longshore.declared";
    /// On a manifest: the digest of a program that was compiled elsewhere, of which the
    /// source says nothing.
    pub const PROGRAM: &str = "dev.longshore.program";
    /// On a layout's `index.json`: blobs that are not in the layout on purpose,
    /// because a registry has them; digests divided by blanks.
    pub const ABSENT: &str = "dev.longshore.absent";
}
