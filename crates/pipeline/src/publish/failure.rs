//! Why nothing, or not everything, was published, and what to do about it.

use std::collections::BTreeMap;

use aws::AwsError;
use image::ImageError;
use oci::{Digest, ErrorCode, RepositoryName, Tag};
use receipts::{Problem, ProblemCode};
use registry::{RegistryError, Unreachable};

use super::{GateFailure, LoginError, SigningFailure};
use crate::build::{BuildFailure, image_problem};

/// Why a publish did not end as planned.
#[derive(Debug, thiserror::Error)]
pub enum PublishFailure {
    /// The layout is damaged.
    #[error(transparent)]
    Layout(ImageError),
    /// The layout is whole, but another image than the one expected.
    #[error("the layout holds {found}, not {expected}")]
    UnexpectedDigest {
        /// The digest asked for.
        expected: Digest,
        /// The digest there is.
        found: Digest,
    },
    /// GitHub gave no token.
    #[error(transparent)]
    NoToken(AwsError),
    /// The credential chain found nobody.
    #[error(transparent)]
    NoCredentials(AwsError),
    /// A login to a registry that is not ECR cannot be read.
    #[error("the login to {host} cannot be read")]
    NoLogin {
        /// The registry.
        host: String,
        /// Why.
        source: LoginError,
    },
    /// STS did not exchange the token for the role.
    #[error("the token could not be exchanged for {role}")]
    Refused {
        /// The role's ARN.
        role: String,
        /// What the token says, as far as it may be shown.
        claims: BTreeMap<String, String>,
        /// What STS said.
        source: AwsError,
    },
    /// The identity is one of another account.
    #[error("{arn} belongs to account {found}, not {expected}")]
    WrongAccount {
        /// The configured account.
        expected: String,
        /// The identity's account.
        found: String,
        /// The identity.
        arn: String,
    },
    /// Another AWS call failed.
    #[error("{step} failed")]
    Aws {
        /// What was being done.
        step: &'static str,
        /// What AWS said.
        source: AwsError,
    },
    /// The immutable tag is in use.
    #[error("tag `{tag}` of {repository} holds {holds}, not {wants}")]
    TagTaken {
        /// The tag.
        tag: Tag,
        /// The repository.
        repository: RepositoryName,
        /// The digest it holds.
        holds: Digest,
        /// The digest to publish.
        wants: Digest,
    },
    /// The immutable tag is in use by an image that was made from something else.
    #[error("tag `{tag}` of {repository} holds {holds}, which was made from other inputs")]
    OtherInputs {
        /// The tag.
        tag: Tag,
        /// The repository.
        repository: RepositoryName,
        /// The digest it holds.
        holds: Digest,
        /// The names of the inputs that differ; none where that cannot be told.
        changed: Vec<String>,
    },
    /// There is no image to publish.
    #[error(transparent)]
    Build(BuildFailure),
    /// The registry refused, failed or lied.
    #[error("{step} failed")]
    Registry {
        /// What was being done.
        step: &'static str,
        /// The tags that had been set by then.
        tags_set: Vec<String>,
        /// The repository.
        repository: RepositoryName,
        /// The registry's host, where it is not ECR.
        login: Option<String>,
        /// What the registry said.
        source: Box<RegistryError>,
    },
    /// What was compiled may not be pushed.
    #[error(transparent)]
    Gate(#[from] GateFailure),
    /// The key did not sign.
    #[error(transparent)]
    Signing(#[from] SigningFailure),
    /// The work was stopped from inside.
    #[error("the publish was interrupted: {0}")]
    Interrupted(String),
}

const NOTHING: &str = "nothing was pushed";
/// How many changed inputs a message names.
const SHOWN_CHANGES: usize = 10;

impl PublishFailure {
    /// The registry does not have a blob that it said, or an image of it shows, to
    /// be there.
    pub(super) fn is_lost_blob(&self) -> bool {
        let Self::Registry { source, .. } = self else {
            return false;
        };
        source.has_code(&ErrorCode::ManifestBlobUnknown) || source.has_code(&ErrorCode::BlobUnknown)
    }

    /// What people and machines are told. Where there was no connection, what is in its way
    /// is all there is to look at.
    pub fn problem(&self) -> Problem {
        let mut problem = self.told();
        if let Some(unreachable) = Unreachable::within(self) {
            problem.hints = vec![unreachable.to_string()];
        }
        problem
    }

    fn told(&self) -> Problem {
        let nothing = |code, what: &str| Problem::new(code, format!("{NOTHING}: {what}"));
        match self {
            Self::Layout(error) => image_problem(error, NOTHING),
            Self::UnexpectedDigest { expected, found } => {
                nothing(ProblemCode::UnexpectedDigest, "the layout is not the one that was built")
                    .fact("expected", expected.to_string())
                    .fact("found", found.to_string())
                    .hint("pass the digest that `longshore build` printed for this very layout")
            }
            Self::NoToken(error) => {
                nothing(ProblemCode::NoIdentity, "GitHub gave no identity")
                    .caused_by(error)
                    .hint("give the job `permissions: id-token: write`")
                    .hint("a pull request of a fork gets no identity; publish on a push instead")
            }
            Self::NoCredentials(error) => {
                nothing(ProblemCode::NoIdentity, "no AWS credentials were found")
                    .caused_by(error)
                    .hint("log in with `aws sso login` or `aws configure`, then check `aws sts get-caller-identity`")
            }
            Self::NoLogin { host, source } => no_login(host, source),
            Self::Refused { role, claims, source } => refused(role, claims, source),
            Self::WrongAccount { expected, found, arn } => {
                nothing(ProblemCode::WrongAccount, "the credentials belong to another AWS account")
                    .fact("expected", expected.as_str())
                    .fact("found", found.as_str())
                    .fact("identity", arn.as_str())
                    .hint("set `aws.account` in `longshore.toml`, or use credentials of that account")
            }
            Self::Aws { source, .. } => {
                nothing(ProblemCode::AwsFailed, "AWS did not answer as needed").caused_by(self).hint(
                    if source.is_denial() {
                        "the role needs `ecr:GetAuthorizationToken` on resource `*`"
                    } else {
                        "try again; if it goes on, compare the region and the endpoint with your account"
                    },
                )
            }
            Self::TagTaken { tag, holds, wants, .. } => {
                nothing(ProblemCode::TagTaken, "an immutable tag already holds another image")
                    .fact("tag", tag.to_string())
                    .fact("holds", holds.to_string())
                    .fact("wants", wants.to_string())
                    .hint("the same commit gave two images: build it again on the machine of the first one and compare")
                    .hint("or commit a change: its tag is free")
            }
            Self::OtherInputs { tag, holds, changed, .. } => other_inputs(tag, holds, changed),
            Self::Build(failure) => failure.problem(),
            Self::Registry { step, tags_set, repository, login, source } => {
                let problem = registry_problem(step, tags_set, repository, source);
                registry_hints(problem, login.as_deref(), source)
            }
            Self::Gate(failure) => failure.problem(),
            Self::Signing(failure) => failure.problem(),
            Self::Interrupted(_) => nothing(ProblemCode::Io, "the work was interrupted").caused_by(self),
        }
    }
}

fn no_login(host: &str, error: &LoginError) -> Problem {
    let what = format!("{NOTHING}: the login to the registry cannot be read");
    Problem::new(ProblemCode::NoIdentity, what)
        .caused_by(error)
        .fact("registry", host)
        .hint(format!("`docker login {host}` makes a login"))
}

fn other_inputs(tag: &Tag, holds: &Digest, changed: &[String]) -> Problem {
    let what = "an immutable tag already holds an image that was made from something else";
    let mut problem = Problem::new(ProblemCode::TagTaken, format!("{NOTHING}: {what}"))
        .fact("tag", tag.to_string())
        .fact("holds", holds.to_string());
    for name in changed.iter().take(SHOWN_CHANGES) {
        problem = problem.fact("changed", name.as_str());
    }
    if let Some(more @ 1..) = changed.len().checked_sub(SHOWN_CHANGES) {
        problem = problem.fact("changed", format!("{more} more"));
    }
    problem
        .hint("`longshore build --why` names every input that changed; with `--to`, if this had it")
        .hint("commit a change: its tag is free")
}

/// STS says the same sentence for every reason, so we show what it compared.
fn refused(role: &str, claims: &BTreeMap<String, String>, error: &AwsError) -> Problem {
    let service = matches!(error, AwsError::Service(_));
    let (code, what) = match error {
        error if error.is_denial() => (
            ProblemCode::IdentityRefused,
            "AWS refused the GitHub identity",
        ),
        error if service && !error.is_retryable() => (
            ProblemCode::IdentityInvalid,
            "AWS did not accept GitHub's token",
        ),
        _ => (ProblemCode::AwsFailed, "AWS could not be reached or failed"),
    };
    let mut problem = Problem::new(code, format!("{NOTHING}: {what}"))
        .caused_by(error)
        .fact("role", role);
    for claim in [
        "aud",
        "sub",
        "iss",
        "ref",
        "environment",
        "event_name",
        "job_workflow_ref",
    ] {
        if let Some(value) = claims.get(claim) {
            problem = problem.fact(claim, value.as_str());
        }
    }
    let text = error.to_string();
    if code == ProblemCode::IdentityRefused {
        problem
            .hint("the role's trust policy must name exactly this `sub` and `aud`, and the role must exist under exactly this ARN")
            .hint("`longshore rehearse` shows who the trust policy of your Terraform root lets in, and why")
    } else if text.contains("No OpenIDConnect provider") {
        problem.hint("the account in the role's ARN has no provider for this issuer: check the 12 digits, then `terraform apply`")
    } else if text.contains("audience") {
        problem.hint("the IAM provider must list `sts.amazonaws.com` among its client ids")
    } else if text.contains("xpired") {
        problem.hint(
            "GitHub's token lives five minutes: run the job again, and check this machine's clock",
        )
    } else {
        problem
    }
}

fn registry_problem(
    step: &str,
    tags_set: &[String],
    repository: &RepositoryName,
    error: &RegistryError,
) -> Problem {
    let (code, what) = match error {
        error if error.has_code(&ErrorCode::NameUnknown) => (
            ProblemCode::RepositoryMissing,
            "the repository does not exist",
        ),
        RegistryError::DigestMismatch { .. } => (
            ProblemCode::RegistryLied,
            "the registry's answer is not true",
        ),
        RegistryError::Tampered { .. } | RegistryError::File { .. } => {
            (ProblemCode::BadLayout, "a blob is not what the layout says")
        }
        error if error.is_denial() => (ProblemCode::PushDenied, "the registry denied a request"),
        _ => (ProblemCode::RegistryFailed, "the registry failed"),
    };
    let done = if tags_set.is_empty() {
        "no tag was moved".to_owned()
    } else {
        format!("only tag {} was set", tags_set.join(", "))
    };
    Problem::new(code, format!("{done}: {what} ({step})"))
        .caused_by(error)
        .fact("repository", repository.to_string())
}

/// What to do about `error`; `login` is the registry's host, where it is not ECR.
fn registry_hints(problem: Problem, login: Option<&str>, error: &RegistryError) -> Problem {
    match (problem.code, login) {
        (ProblemCode::RepositoryMissing, None) => problem
            .hint("ECR makes no repository on a push: run `terraform apply`, or correct `aws.repository`"),
        (ProblemCode::RepositoryMissing, Some(host)) => problem
            .hint(format!("{host} makes no repository on a push: make it there, or correct `--to`")),
        (ProblemCode::PushDenied, None) => problem
            .hint("the sentence above names the action and the resource: add them to the role's policy")
            .hint("`longshore rehearse` runs the same requests against your Terraform root"),
        (ProblemCode::PushDenied, Some(host)) if error.is_denial_of_nobody() => problem
            .hint(format!("nobody is logged in there: `docker login {host}`, as somebody who may push to this repository")),
        (ProblemCode::PushDenied, Some(host)) => problem
            .hint(format!("the login that was found is not one who may: `docker login {host}`, as somebody who may push to this repository")),
        (ProblemCode::RegistryLied, _) => problem
            .hint("something between here and the registry changes what passes: look for a proxy or a cache"),
        _ if matches!(error, RegistryError::Protocol { .. }) => problem
            .hint("whoever answered does not speak as registries do: compare host and port, and look for a proxy or a portal"),
        _ => problem.hint("run the same command again: what the registry already has is not sent twice"),
    }
}
