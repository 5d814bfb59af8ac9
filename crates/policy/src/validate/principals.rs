//! Which principals a trust policy may name.
//!
//! Source: IAM User Guide, "AWS JSON policy elements: Principal". IAM also
//! refuses principals that do not exist, which a document alone cannot tell.

use super::finding::Complaint;
use crate::document::{PrincipalEntry, PrincipalSet, PrincipalType, Step};

/// The providers that need no ARN.
const BUILT_IN_PROVIDERS: [&str; 4] = [
    "cognito-identity.amazonaws.com",
    "www.amazon.com",
    "graph.facebook.com",
    "accounts.google.com",
];

/// Every listed principal that IAM does not accept.
pub(super) fn invalid(set: &PrincipalSet) -> Vec<Complaint> {
    entries(set)
        .filter(|(_, entry)| !is_valid(entry))
        .map(|(path, entry)| {
            let (kind, value) = (kind_name(entry.kind), &entry.value);
            Complaint::new(
                path,
                format!("Invalid principal in policy: \"{kind}\":\"{value}\""),
            )
        })
        .collect()
}

/// The listed principals, each with its path from the statement.
pub(super) fn entries(set: &PrincipalSet) -> impl Iterator<Item = ([Step; 3], &PrincipalEntry)> {
    let listed: &[_] = match set {
        PrincipalSet::Everyone => &[],
        PrincipalSet::Listed(entries) => entries,
    };
    let mut counts = [0_usize; 4];
    listed.iter().map(move |entry| {
        let count = &mut counts[entry.kind as usize];
        let index = *count;
        *count += 1;
        let path = [
            "Principal".into(),
            kind_name(entry.kind).into(),
            index.into(),
        ];
        (path, entry)
    })
}

fn kind_name(kind: PrincipalType) -> &'static str {
    match kind {
        PrincipalType::Aws => "AWS",
        PrincipalType::Federated => "Federated",
        PrincipalType::Service => "Service",
        PrincipalType::CanonicalUser => "CanonicalUser",
    }
}

fn is_valid(entry: &PrincipalEntry) -> bool {
    let value = entry.value.as_str();
    match entry.kind {
        PrincipalType::Aws => value == "*" || is_account(value) || is_id(value) || is_arn(value),
        // What IAM does with `{"Federated": "*"}` is not documented; inferred:
        // it is stored, and covers nobody.
        PrincipalType::Federated => {
            value == "*" || BUILT_IN_PROVIDERS.contains(&value) || is_provider(value)
        }
        PrincipalType::Service => !value.contains(['*', '?', ':', '/']) && value.contains('.'),
        // Only S3 has them; that IAM refuses them is inferred.
        PrincipalType::CanonicalUser => false,
    }
}

fn is_account(value: &str) -> bool {
    value.len() == 12 && value.bytes().all(|byte| byte.is_ascii_digit())
}

/// The unique id that IAM puts in place of a user or role.
fn is_id(value: &str) -> bool {
    (value.starts_with("AROA") || value.starts_with("AIDA"))
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// An account, user, role or session; groups are no principals.
fn is_arn(value: &str) -> bool {
    let Some((service, resource)) = iam_or_sts(value) else {
        return false;
    };
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| resource.starts_with(prefix));
    !resource.contains(['*', '?'])
        && match service {
            "iam" => resource == "root" || starts(&["user/", "role/"]),
            _ => starts(&["assumed-role/", "federated-user/"]),
        }
}

fn is_provider(value: &str) -> bool {
    matches!(iam_or_sts(value), Some(("iam", resource))
        if !resource.contains(['*', '?'])
            && (resource.starts_with("oidc-provider/") || resource.starts_with("saml-provider/")))
}

/// Service and resource of an ARN that names an account and no region.
fn iam_or_sts(value: &str) -> Option<(&str, &str)> {
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    match parts[..] {
        [
            "arn",
            partition,
            service @ ("iam" | "sts"),
            "",
            account,
            resource,
        ] if !partition.is_empty() && is_account(account) => Some((service, resource)),
        _ => None,
    }
}
