//! What can go wrong between files and a layout.

use std::io;
use std::path::PathBuf;

use oci::{Digest, ManifestError, Platform};

/// Why an image could not be assembled, or a layout not be read.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The disk or a quota is full.
    #[error("no space left to write the image")]
    DiskFull(#[source] io::Error),
    /// A file or directory cannot be read or written.
    #[error("a file of the image cannot be read or written")]
    Io(#[source] io::Error),
    /// A file is another one than when packing it began.
    #[error("{0} changed while it was read")]
    Changed(PathBuf),
    /// Two entries have the same path.
    #[error("two entries of a layer have the path `/{0}`")]
    DuplicatePath(String),
    /// A path is absolute, empty or climbs.
    #[error("`{0}` is not a path inside an image: it must be relative, without `.` and `..`")]
    BadPath(String),
    /// A path, a name in it or a link is longer than Linux allows.
    #[error("`{0}` is too long: names have up to 255 bytes, paths and links up to 4094")]
    LongPath(String),
    /// An entry lies below something that is no directory.
    #[error("`/{path}` cannot be in a layer where `/{parent}` is not a directory")]
    NotADirectory {
        /// The entry.
        path: String,
        /// What it lies below.
        parent: String,
    },
    /// A link of the assets leads out of them.
    #[error("{link} leads out of the assets, to `{target}`")]
    EscapingLink {
        /// The link.
        link: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// Neither file nor directory nor link: a socket, a pipe, a device.
    #[error("{0} is neither a file nor a directory nor a link")]
    SpecialFile(PathBuf),
    /// A file's name is not UTF-8, which a layer's paths must be.
    #[error("the name of {0} is not UTF-8")]
    NameNotText(PathBuf),
    /// More layers than container engines run.
    #[error("the image has {0} layers; Docker Engine runs at most 125")]
    TooManyLayers(usize),
    /// The base does not fit.
    #[error("the base cannot be used: {0}")]
    Base(String),
    /// What a builder wrote is not an image, or not the one that it says.
    #[error("what the builder wrote cannot be used: {0}")]
    Foreign(String),
    /// A secret of the build is in the image.
    #[error("the secret `{secret}` is in the image, in `{path}`")]
    SecretInImage {
        /// The secret's name.
        secret: String,
        /// Where it was found.
        path: String,
    },
    /// An index would have two images for a platform.
    #[error("two images are for the platform {0}")]
    DuplicatePlatform(Platform),
    /// An index has no image for a platform.
    #[error("the index has no image for {0}, this machine, whose Docker Engine an archive is for")]
    NoImageFor(Platform),
    /// The place for the layout is taken by something else.
    #[error("{0} exists and is not an OCI layout; it was left untouched")]
    NotALayout(PathBuf),
    /// There is no layout.
    #[error("there is no OCI layout at {0}: it has no readable `{1}`")]
    NoLayout(PathBuf, &'static str),
    /// A document of the layout does not say what it must.
    #[error("{file} is not valid: {reason}")]
    Invalid {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// A manifest does not parse.
    #[error("the layout's manifest is not valid")]
    Manifest(#[from] ManifestError),
    /// A blob is not there.
    #[error("the layout lacks blob {0}")]
    MissingBlob(Digest),
    /// A blob is not there on purpose, and is needed.
    #[error("the layout leaves out blob {0}, which the registry of its base has")]
    AbsentBlob(Digest),
    /// A blob's bytes are not those of its name.
    #[error(
        "blob {expected} of the layout has other bytes than its name says: they hash to {actual}"
    )]
    TamperedBlob {
        /// The digest in the name.
        expected: Digest,
        /// The digest of the bytes.
        actual: Digest,
    },
    /// A blob is longer or shorter than its descriptor says.
    #[error("blob {digest} of the layout has {actual} bytes; its descriptor says {expected}")]
    WrongSize {
        /// The blob.
        digest: Digest,
        /// Bytes in the descriptor.
        expected: u64,
        /// Bytes on disk.
        actual: u64,
    },
}

impl From<io::Error> for ImageError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull(error),
            _ => Self::Io(error),
        }
    }
}
