//! The claims of GitHub's token that become condition keys, and those that do not.

use super::Presence;
use super::Presence::{Always, Never, WhenSent};

/// One condition key that STS fills from a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimKey {
    /// The part of the key behind `ISSUER:`.
    pub name: &'static str,
    /// Whether the key stays in the session, where permission policies see it;
    /// the others exist only while the trust policy is evaluated.
    pub in_session: bool,
    /// Whether a token of GitHub fills it (GitHub Docs, "OpenID Connect
    /// reference"): `amr` and `email` are claims that GitHub does not send.
    pub of_github: Presence,
}

const fn trust_only(name: &'static str, of_github: Presence) -> ClaimKey {
    ClaimKey {
        name,
        in_session: false,
        of_github,
    }
}

const fn in_session(name: &'static str, of_github: Presence) -> ClaimKey {
    ClaimKey {
        name,
        in_session: true,
        of_github,
    }
}

/// All keys of GitHub's issuer (IAM User Guide, "Available keys for AWS OIDC
/// federation", tabs Default and GitHub).
pub const CLAIM_KEYS: [ClaimKey; 15] = [
    in_session("aud", Always),
    in_session("sub", Always),
    in_session("amr", Never),
    trust_only("email", Never),
    trust_only("oaud", Always),
    trust_only("actor", Always),
    trust_only("actor_id", Always),
    trust_only("job_workflow_ref", Always),
    trust_only("repository", Always),
    trust_only("repository_id", Always),
    trust_only("repository_owner_id", Always),
    trust_only("workflow", Always),
    trust_only("ref", Always),
    // Only of a job that names one.
    trust_only("environment", WhenSent),
    // Only of an organisation that belongs to one.
    trust_only("enterprise_id", WhenSent),
];

/// The keys that every other issuer has (tab Default).
pub(super) const OF_ANY_ISSUER: [&str; 5] = ["aud", "sub", "amr", "email", "oaud"];

/// Claims that GitHub's tokens carry and AWS does not export (GitHub Docs,
/// "OpenID Connect reference", less the keys above).
const NOT_EXPORTED: [&str; 24] = [
    "base_ref",
    "check_run_id",
    "enterprise",
    "environment_node_id",
    "event_name",
    "exp",
    "head_ref",
    "iat",
    "iss",
    "issuer_scope",
    "job_workflow_sha",
    "jti",
    "nbf",
    "ref_protected",
    "ref_type",
    "repository_owner",
    "repository_visibility",
    "run_attempt",
    "run_id",
    "run_number",
    "runner_environment",
    "sha",
    "workflow_ref",
    "workflow_sha",
];

/// Names of claims that an organisation makes of its repositories' properties.
const PROPERTY_PREFIX: &str = "repo_property_";

/// Whether GitHub's tokens carry a claim of this name that AWS does not export
/// as a condition key, so that a policy which tests it tests nothing.
pub fn is_carried_but_not_exported(claim: &str) -> bool {
    let claim = claim.to_ascii_lowercase();
    claim.starts_with(PROPERTY_PREFIX) || NOT_EXPORTED.contains(&claim.as_str())
}
