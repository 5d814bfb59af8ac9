//! How the registry speaks: as ECR does, or as the plain distribution
//! specification says.
//!
//! One value, which every handler reads and none tests for by name. Each field
//! is one deviation of ECR, with both readings and the source beside it;
//! `docs/emulator-fidelity.md` shows the list.

use http::StatusCode;
use oci::{Algorithm, ErrorCode};

use crate::ecr::{Deletion, Mounts};
use crate::fidelity::Deviation;
use crate::settings::RegistryBehaviour;

/// The wire of an error: status, code, and ECR's sentence where one is known.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: ErrorCode,
    pub(crate) sentence: Option<&'static str>,
}

macro_rules! deviations {
    ($(
        $(#[$doc:meta])*
        $field:ident: $kind:ty {
            specification: $specification:expr => $specified:literal,
            ecr: $ecr:expr => $answered:literal,
            source: $source:literal,
        }
    )*) => {
        /// A way to speak.
        #[derive(Debug)]
        pub(crate) struct Behaviour {
            $($(#[$doc])* pub(crate) $field: $kind,)*
        }

        /// The specification, v1.1.
        pub(super) static SPECIFICATION: Behaviour = Behaviour {
            $($field: $specification,)*
        };

        /// ECR.
        pub(super) static ECR: Behaviour = Behaviour {
            $($field: $ecr,)*
        };

        /// What the specification says, what ECR does, and who says so.
        pub(super) const DEVIATIONS: &[Deviation] = &[$([$specified, $answered, $source],)*];
    };
}

deviations! {
    /// The status of an accepted chunk.
    chunk_status: StatusCode {
        specification: StatusCode::ACCEPTED => "a chunk (`PATCH`) is answered with 202",
        ecr: StatusCode::CREATED => "201",
        source: "aws/containers-roadmap#2831, jdx/mise#11376",
    }
    /// Whether `Range` stays at the end of the first chunk.
    range_sticks: bool {
        specification: false => "`Range` says how many bytes of an upload have arrived",
        ecr: true => "it stays at the end of the first chunk; the bytes are kept all the same",
        source: "aws/containers-roadmap#2831",
    }
    /// The fewest bytes of a chunk that is not the last.
    smallest_chunk: u64 {
        specification: 0 => "chunks may have any size",
        ecr: 5 * 1024 * 1024 => "all but the last have 5 MiB at least, or the upload ends with \
            `BLOB_UPLOAD_INVALID` (status and code inferred)",
        source: "dotnet/sdk-container-builds#424",
    }
    /// The answer to bytes that are not those of the digest.
    wrong_digest: Refusal {
        specification: Refusal {
            status: 400,
            code: ErrorCode::DigestInvalid,
            sentence: None,
        } => "bytes that do not have the digest are refused with `DIGEST_INVALID`",
        ecr: Refusal {
            status: 400,
            code: ErrorCode::BlobUploadInvalid,
            sentence: Some("None of the provided layer digests match the calculated layer digest"),
        } => "`BLOB_UPLOAD_INVALID` (status inferred)",
        source: "dotnet/sdk-container-builds#424",
    }
    /// Digest algorithms that are understood.
    algorithms: &'static [Algorithm] {
        specification: &[Algorithm::Sha256, Algorithm::Sha512] => "digests are by SHA-256 or \
            SHA-512",
        ecr: &[Algorithm::Sha256] => "by SHA-256 only: others are `DIGEST_INVALID`",
        source: "inferred",
    }
    /// The answer to a manifest that is none.
    bad_manifest: Refusal {
        specification: Refusal {
            status: 400,
            code: ErrorCode::ManifestInvalid,
            sentence: None,
        } => "a manifest that is not valid is refused with 400 `MANIFEST_INVALID`",
        ecr: Refusal {
            status: 405,
            code: ErrorCode::Unsupported,
            sentence: None,
        } => "405 `UNSUPPORTED`",
        source: "falcosecurity/falcoctl#302, containers/image#584",
    }
    /// Whether media types inside of a manifest may have parameters (`;`).
    media_type_parameters: bool {
        specification: true => "media types in a manifest are not looked into",
        ecr: false => "one with a parameter (`;version=0.2`) makes the manifest a bad one",
        source: "aws/containers-roadmap#2306, sigstore/sigstore-js#1058",
    }
    /// Whether the answer to a stored manifest says where it is.
    manifest_location: bool {
        specification: true => "the answer to a stored manifest has a `Location`",
        ecr: false => "it has none",
        source: "apple/swift-container-plugin#27",
    }
    /// Whether `GET` of a manifest names its digest, as `HEAD` does.
    digest_of_manifest: bool {
        specification: true => "`GET` of a manifest should have `Docker-Content-Digest`",
        ecr: false => "only `HEAD` has it",
        source: "aws/containers-roadmap#1931, Docker.Registry.DotNet#34",
    }
    /// Whether tags of an immutable repository are locked.
    tags_lock: bool {
        specification: false => "a tag can be moved",
        ecr: true => "a tag of an immutable repository cannot be put again, not even to the same \
            image (400 `TAG_INVALID`, status inferred)",
        source: "Amazon ECR User Guide, image-tag-mutability; moby/buildkit#3776",
    }
    /// From where blobs may be mounted.
    mounts: Mounts {
        specification: Mounts::WhereReadable => "a blob is mounted (201) from the repository \
            named, or from any that the caller may read where none is named",
        ecr: Mounts::BySetting => "never, unless `BLOB_MOUNTING` is `ENABLED`; then from the \
            repository named, if a manifest there refers to the blob and both repositories are \
            encrypted alike; otherwise an upload begins (202)",
        source: "Amazon ECR User Guide, blob-mounting; aws/containers-roadmap#2860",
    }
    /// Whether blobs are given from another address.
    blobs_elsewhere: bool {
        specification: false => "`GET` of a blob may answer with the bytes",
        ecr: true => "it sends the client to an address that needs no login (307)",
        source: "Amazon ECR User Guide, common-errors-docker (status inferred)",
    }
    /// What `DELETE` of a manifest or tag takes away.
    deletion: Deletion {
        specification: Deletion::Named => "`DELETE` removes the tag or the manifest that is named",
        ecr: Deletion::Batch => "it does what `BatchDeleteImage` does: the last tag takes the \
            image with it, and what an index lists stays (405; all inferred but that it works)",
        source: "aws/containers-roadmap#1229 (shipped)",
    }
    /// Whether `DELETE` of a blob works.
    blob_deletion: bool {
        specification: true => "`DELETE` of a blob removes it from the repository",
        ecr: false => "405 `UNSUPPORTED`: layers go with their images",
        source: "inferred",
    }
    /// Whether the challenge of a login is plain text.
    plain_challenge: bool {
        specification: false => "401 carries an error in JSON",
        ecr: true => "its body is the text `Not Authorized`",
        source: "NVIDIA/enroot#59, google/go-containerregistry#861",
    }
}

impl Behaviour {
    /// What a setting stands for.
    pub(crate) fn of(setting: RegistryBehaviour) -> &'static Self {
        match setting {
            RegistryBehaviour::Ecr => &ECR,
            RegistryBehaviour::Specification => &SPECIFICATION,
        }
    }
}
