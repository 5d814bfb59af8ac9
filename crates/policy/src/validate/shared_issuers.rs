//! Identity providers that serve everyone, and the claim that tells their users
//! apart.

use super::finding::Complaint;
use super::principals::entries;
use crate::condition::Family;
use crate::document::{Effect, PrincipalSet, PrincipalType, Statement};

/// An identity provider that many organisations share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedIssuer {
    /// Host and path, without `https://`.
    pub issuer: &'static str,
    /// The condition key that a trust policy for it must compare.
    pub key: &'static str,
}

macro_rules! shared {
    ($($issuer:literal $claim:literal)*) => {
        &[
            $(SharedIssuer { issuer: $issuer, key: concat!($issuer, ":", $claim) },)*
            // Azure Sentinel: its tenants are told apart by the session's name.
            SharedIssuer {
                issuer: "sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d",
                key: "sts:RoleSessionName",
            },
        ]
    };
}

/// The issuers that IAM recognises as shared (IAM User Guide, "Identity-provider
/// controls for shared OIDC providers", read October 2026). An enterprise's own
/// issuer, `token.actions.githubusercontent.com/SLUG`, is not among them.
pub const SHARED_ISSUERS: &[SharedIssuer] = shared! {
    "cognito-identity.amazonaws.com" "aud"
    "agent.buildkite.com" "sub"
    "oidc.codefresh.io" "sub"
    "studio.datachain.ai/api" "sub"
    "token.actions.githubusercontent.com" "sub"
    "oidc-configuration.audit-log.githubusercontent.com" "sub"
    "vstoken.actions.githubusercontent.com" "sub"
    "gitlab.com" "sub"
    "rh-oidc.s3.us-east-1.amazonaws.com/22ejnvnnturfmt6km08idd0nt4hekbn7" "sub"
    "rh-oidc.s3.us-east-1.amazonaws.com/23e3sd27sju1hoou6ohfs68vbno607tr" "sub"
    "rh-oidc.s3.us-east-1.amazonaws.com/23ne21h005qjl3n33d8dui5dlrmv2tmg" "sub"
    "rh-oidc.s3.us-east-1.amazonaws.com/24jrf12m5dj7ljlfb4ta2frhrcoadm26" "sub"
    "oidc.op1.openshiftapps.com/2f785sojlpb85i7402pk3qogugim5nfb" "sub"
    "oidc.op1.openshiftapps.com/2c51blsaqa9gkjt0o9rt11mle8mmropu" "sub"
    "api.pulumi.com/oidc" "aud"
    "sandboxes.cloud" "aud"
    "scalr.io" "sub"
    "tokens.cloud.shisho.dev" "sub"
    "app.terraform.io" "sub"
    "proidc.upbound.io" "sub"
    "oidc.vercel.com" "aud"
};

/// An Allow for a shared issuer must compare its key with something that is not
/// only wildcards. Which operators count is not published; inferred: any that
/// compares values, `ForAllValues` and negated ones included.
pub(super) fn unbound(statement: &Statement, set: &PrincipalSet) -> Vec<Complaint> {
    if statement.effect == Effect::Deny {
        return Vec::new();
    }
    entries(set)
        .filter(|(_, entry)| entry.kind == PrincipalType::Federated)
        .filter_map(|(path, entry)| {
            let value = entry.value.as_str();
            let issuer = value
                .split_once(":oidc-provider/")
                .map_or(value, |(_, issuer)| issuer);
            let shared = SHARED_ISSUERS
                .iter()
                .find(|shared| shared.issuer == issuer)?;
            if binds(statement, shared.key) {
                return None;
            }
            let message = format!(
                "the condition must compare {} with a value that is not only wildcards, \
                 because the issuer is shared by all its users",
                shared.key
            );
            Some(Complaint::new(path, message))
        })
        .collect()
}

fn binds(statement: &Statement, key: &str) -> bool {
    statement.conditions.iter().any(|condition| {
        condition.key.eq_ignore_ascii_case(key)
            && condition.operator.comparison.family != Family::Null
            && !condition.values.is_empty()
            && condition
                .values
                .iter()
                .all(|value| value.contains(|char| !matches!(char, '*' | '?')))
    })
}
