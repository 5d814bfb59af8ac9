//! Does a `Principal` element name this caller, and how directly?
//!
//! Source: IAM User Guide, "AWS JSON policy elements: Principal" and
//! "`NotPrincipal`".

use crate::document::{Effect, PrincipalElement, PrincipalEntry, PrincipalSet, PrincipalType};
use crate::principal::Principal;

/// How directly an element names the caller, weakest first. It decides which
/// other policies still limit an Allow of a resource policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Directness {
    /// Its account: the account's identity policies decide.
    Account,
    /// Its role: boundary and session policy still limit.
    Role,
    /// The user, session, provider or service itself, or everyone. AWS documents
    /// that a grant to `*` with `aws:PrincipalArn` is not limited, and that `*`
    /// needs no other permission; that no limit counts without the key either is
    /// inferred.
    Itself,
}

/// The most direct way in which the element covers the caller.
pub(crate) fn matches(
    element: &PrincipalElement,
    effect: Effect,
    caller: &Principal,
    has_boundary: bool,
) -> Option<Directness> {
    match element {
        PrincipalElement::Principal(set) => named_by(set, caller),
        PrincipalElement::NotPrincipal(set) => {
            let spared = match effect {
                Effect::Allow => named_by(set, caller).is_some(),
                // AWS: it "will always deny" who has a permissions boundary.
                Effect::Deny => !has_boundary && spared_from_deny(set, caller),
            };
            // AWS does not support an Allow with it; that such a grant is
            // limited like one to a role is inferred.
            (!spared).then_some(Directness::Role)
        }
    }
}

/// The values of the element, as written.
pub(crate) fn listed(element: &PrincipalElement) -> (&'static str, Vec<String>) {
    let (name, set) = match element {
        PrincipalElement::Principal(set) => ("Principal", set),
        PrincipalElement::NotPrincipal(set) => ("NotPrincipal", set),
    };
    let values = match set {
        PrincipalSet::Everyone => vec!["*".to_owned()],
        PrincipalSet::Listed(entries) => entries.iter().map(|entry| entry.value.clone()).collect(),
    };
    (name, values)
}

fn named_by(set: &PrincipalSet, caller: &Principal) -> Option<Directness> {
    match set {
        PrincipalSet::Everyone => Some(Directness::Itself),
        PrincipalSet::Listed(entries) => entries
            .iter()
            .filter_map(|entry| named_by_entry(entry, caller))
            .max(),
    }
}

fn named_by_entry(entry: &PrincipalEntry, caller: &Principal) -> Option<Directness> {
    let value = entry.value.as_str();
    match (entry.kind, caller) {
        // AWS documents `{"AWS": "*"}` as equal to `"*"` for the anonymous; that
        // both also cover services, and web identities, which have no AWS
        // identity, is inferred.
        (PrincipalType::Aws, _) if value == "*" => Some(Directness::Itself),
        (PrincipalType::Aws, Principal::AccountRoot { account }) => {
            is_account(value, account).then_some(Directness::Itself)
        }
        (PrincipalType::Aws, Principal::User { account, arn }) => {
            direct(value, arn).or_else(|| delegated(value, account))
        }
        (
            PrincipalType::Aws,
            Principal::AssumedRole {
                account,
                role_arn,
                session_arn,
            },
        ) => direct(value, session_arn)
            .or_else(|| (value == role_arn).then_some(Directness::Role))
            .or_else(|| delegated(value, account)),
        (PrincipalType::Federated, Principal::Federated { provider_arn }) => {
            direct(value, provider_arn)
        }
        (PrincipalType::Service, Principal::Service { name }) => direct(value, name),
        _ => None,
    }
}

fn direct(value: &str, arn: &str) -> Option<Directness> {
    (value == arn).then_some(Directness::Itself)
}

fn delegated(value: &str, account: &str) -> Option<Directness> {
    is_account(value, account).then_some(Directness::Account)
}

/// Twelve digits, or `arn:PARTITION:iam::ACCOUNT:root`.
fn is_account(value: &str, account: &str) -> bool {
    if value == account {
        return true;
    }
    let parts: Vec<&str> = value.split(':').collect();
    matches!(parts[..], ["arn", _, "iam", "", owner, "root"] if owner == account)
}

/// A Deny with `NotPrincipal` spares a user or role only when its account is
/// listed beside it, because AWS may check the account first. AWS says "may";
/// always is inferred.
fn spared_from_deny(set: &PrincipalSet, caller: &Principal) -> bool {
    let PrincipalSet::Listed(entries) = set else {
        return true;
    };
    let ways: Vec<Directness> = entries
        .iter()
        .filter_map(|entry| named_by_entry(entry, caller))
        .collect();
    let everyone = entries
        .iter()
        .any(|entry| entry.kind == PrincipalType::Aws && entry.value == "*");
    let itself = ways.iter().any(|way| *way > Directness::Account);
    match caller {
        Principal::User { .. } | Principal::AssumedRole { .. } => {
            everyone || (itself && ways.contains(&Directness::Account))
        }
        _ => itself,
    }
}
