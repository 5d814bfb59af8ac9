//! Why there is no base, and what to do about it.

use build::BuildError;
use image::ImageError;
use oci::{Digest, ManifestError};
use receipts::{Problem, ProblemCode};
use registry::RegistryError;

use super::{BaseReferenceError, LOCK_FILE_NAME};
use crate::build::image_problem;
use crate::publish::{PublishFailure, in_ecr};

/// Why a base cannot be used or updated.
#[derive(Debug, thiserror::Error)]
pub enum BaseFailure {
    /// Nothing is named that could be pinned.
    #[error("there is no `image.base`, and no Dockerfile names an image by a tag")]
    None,
    /// The registry does not know what is named.
    #[error("the registry has no image `{0}`")]
    Unknown(String),
    /// A Dockerfile cannot be read.
    #[error(transparent)]
    Dockerfile(Box<BuildError>),
    /// A Dockerfile names something else than an image.
    #[error("the Dockerfile names `{image}`")]
    Named {
        /// What stands there.
        image: String,
        /// Why that is no image.
        source: Box<BaseReferenceError>,
    },
    /// The lock file has no entry for it.
    #[error("`{LOCK_FILE_NAME}` does not say which image `{0}` is")]
    NotPinned(String),
    /// The lock file is not one.
    #[error("`{LOCK_FILE_NAME}`: {0}")]
    Lock(Box<toml::de::Error>),
    /// The lock file was written by another Longshore.
    #[error("`{LOCK_FILE_NAME}` has version {0}; only 1 is understood")]
    LockVersion(u32),
    /// Nothing for the platform.
    #[error("`{reference}` has no image for {platform}")]
    NoPlatform {
        /// The base.
        reference: String,
        /// The platform that is built for.
        platform: String,
    },
    /// Nothing there.
    #[error("`{reference}` has no {what}")]
    Missing {
        /// The base.
        reference: String,
        /// What was looked for.
        what: String,
    },
    /// The bytes are others.
    #[error("what should be {expected} is {actual}")]
    OtherBytes {
        /// The digest that was asked for.
        expected: Digest,
        /// The digest of what came.
        actual: Digest,
    },
    /// No manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The registry.
    #[error("reading `{reference}` failed")]
    Registry {
        /// The base.
        reference: String,
        /// Why.
        source: Box<RegistryError>,
    },
    /// A login that cannot be used.
    #[error(transparent)]
    Login(Box<PublishFailure>),
    /// The image is not one that can be built on.
    #[error(transparent)]
    Image(ImageError),
    /// A file.
    #[error(transparent)]
    Io(std::io::Error),
}

impl BaseFailure {
    /// What people and machines are told; `nothing` says what was not done.
    pub fn problem(&self, nothing: &str) -> Problem {
        let problem =
            |code, what: &str| Problem::new(code, format!("{nothing}: {what}")).caused_by(self);
        match self {
            Self::None => problem(ProblemCode::BadConfiguration, "no base image is named")
                .hint("there is nothing to pin; to build on an image, add `base = \"HOST/REPOSITORY:TAG\"` to `[image]` of longshore.toml"),
            Self::Unknown(_) => problem(ProblemCode::BaseUnusable, "the base image is not there")
                .hint("look for a slip in its name and tag, in longshore.toml or the Dockerfile"),
            Self::Dockerfile(_) | Self::Named { .. } => problem(
                ProblemCode::DockerfileFailed,
                "the Dockerfile does not say which images it needs",
            ),
            Self::NotPinned(_) => problem(ProblemCode::BaseNotPinned, "the base image is not pinned")
                .hint("run `longshore base update` and commit `longshore.lock`"),
            Self::Lock(_) | Self::LockVersion(_) => {
                problem(ProblemCode::BaseNotPinned, "`longshore.lock` cannot be read")
                    .hint("remove it, run `longshore base update`, and look at `git diff`")
            }
            Self::NoPlatform { .. } => {
                problem(ProblemCode::BaseUnusable, "the base image is for other platforms")
                    .hint("choose another base or `image.target`; if the base has the platform by now, `longshore base update`")
            }
            Self::Missing { .. } => problem(ProblemCode::BaseUnusable, "the base image is not there")
                .hint("if the registry has removed it, `longshore base update` pins what is there now"),
            Self::OtherBytes { .. } => problem(ProblemCode::BaseUnusable, LIES).hint(LOOK),
            Self::Registry { source, .. } => self.registry(nothing, source),
            Self::Manifest(_) | Self::Image(ImageError::Manifest(_)) => {
                problem(ProblemCode::BaseUnusable, "the base image has no valid manifest")
            }
            Self::Image(ImageError::TamperedBlob { .. } | ImageError::WrongSize { .. }) => {
                problem(ProblemCode::BaseUnusable, LIES).hint(LOOK)
            }
            Self::Image(error) => image_problem(error, nothing),
            Self::Login(failure) => {
                let mut problem = failure.problem();
                problem.summary = problem.summary.replace("nothing was pushed", nothing);
                problem
            }
            Self::Io(_) => problem(ProblemCode::Io, "a file cannot be read or written"),
        }
    }

    fn registry(&self, nothing: &str, error: &RegistryError) -> Problem {
        let problem = |what: &str| {
            Problem::new(ProblemCode::BaseUnusable, format!("{nothing}: {what}")).caused_by(self)
        };
        match error {
            RegistryError::DigestMismatch { .. } => problem(LIES).hint(LOOK),
            error if error.is_denial() => {
                let denied = problem("the registry does not let us read the base image")
                    .hint("log in with `docker login HOST`; a name that does not exist is denied by some registries too");
                match self {
                    Self::Registry { reference, .. } if in_ecr(reference) => denied.hint("or have credentials of AWS: `aws sts get-caller-identity` says whose they are; they need `ecr:GetAuthorizationToken`, and to read that repository"),
                    _ => denied,
                }
            }
            _ => {
                let mut problem = problem("the base image cannot be read");
                problem
                    .hints
                    .extend(error.unreachable().map(|why| why.to_string()));
                problem
            }
        }
    }
}

const LIES: &str = "the base image is not what its digest says";
const LOOK: &str = "something between here and the base changes what passes: look for a proxy, a cache, or a damaged file";
