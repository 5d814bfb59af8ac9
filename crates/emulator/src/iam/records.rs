//! The records of IAM: providers, roles, managed policies.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::Table;

/// Roles by `ACCOUNT/NAME`.
pub(crate) const ROLES: Table<Role> = Table::new("iam/roles");
/// Users by `ACCOUNT/NAME`.
pub(crate) const USERS: Table<User> = Table::new("iam/users");
/// Groups by `ACCOUNT/NAME`.
pub(crate) const GROUPS: Table<Group> = Table::new("iam/groups");
/// Customer managed policies by ARN, which says the account.
pub(crate) const POLICIES: Table<ManagedPolicy> = Table::new("iam/policies");
/// OpenID Connect providers by ARN, which says the account.
pub(crate) const PROVIDERS: Table<Provider> = Table::new("iam/providers");

/// Prefix of the keys of an account's roles, users or groups.
pub(crate) fn entity_prefix(account: &str) -> String {
    format!("{account}/")
}

/// Key of a role, a user or a group.
pub(crate) fn entity_key(account: &str, name: &str) -> String {
    format!("{account}/{name}")
}

/// Prefix of the keys of an account's customer managed policies.
pub(crate) fn policy_prefix(account: &str) -> String {
    format!("arn:aws:iam::{account}:policy/")
}

/// Prefix of the keys of an account's providers.
pub(crate) fn provider_prefix(account: &str) -> String {
    format!("arn:aws:iam::{account}:oidc-provider/")
}

/// Tags by key, in the order of their keys.
pub(crate) type Tags = BTreeMap<String, String>;

/// Where a record came from: on start, those of the Terraform root give way to
/// what the root then says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Origin {
    /// An API call.
    Call,
    /// The Terraform root that the emulator was started with.
    Terraform,
}

/// A role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Role {
    pub(crate) name: String,
    /// Begins and ends with `/`.
    pub(crate) path: String,
    pub(crate) arn: String,
    /// `AROA...`: a role that is made anew under an old name has another one.
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) origin: Origin,
    /// The document as it was given.
    pub(crate) trust_policy: String,
    /// Ids of the roles and users that the document names, by their ARNs, as
    /// they were when it was written.
    #[serde(default)]
    pub(crate) trusted_ids: BTreeMap<String, String>,
    pub(crate) description: Option<String>,
    /// Seconds.
    pub(crate) max_session_duration: i64,
    #[serde(flatten)]
    pub(crate) policies: EntityPolicies,
    pub(crate) tags: Tags,
}

/// The policies of a role, a user or a group.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct EntityPolicies {
    /// Documents by policy name.
    pub(crate) inline_policies: BTreeMap<String, String>,
    /// ARNs of managed policies.
    pub(crate) attached_policies: BTreeSet<String>,
    /// ARN of a managed policy; groups have none.
    pub(crate) permissions_boundary: Option<String>,
}

/// A user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) arn: String,
    /// `AIDA...`
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    /// Names of groups.
    pub(crate) groups: BTreeSet<String>,
    #[serde(flatten)]
    pub(crate) policies: EntityPolicies,
    pub(crate) tags: Tags,
}

/// A group of users. Who is in it, its users say.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) arn: String,
    /// `AGPA...`
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    #[serde(flatten)]
    pub(crate) policies: EntityPolicies,
}

/// A customer managed policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ManagedPolicy {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) arn: String,
    /// `ANPA...`
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) origin: Origin,
    pub(crate) description: Option<String>,
    /// At most five, by number.
    pub(crate) versions: BTreeMap<u32, PolicyVersion>,
    /// The number of the version in force.
    pub(crate) default_version: u32,
    /// The number of the version made last; numbers are not used again.
    pub(crate) last_version: u32,
    pub(crate) tags: Tags,
}

/// One version of a managed policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PolicyVersion {
    /// The document as it was given.
    pub(crate) document: String,
    pub(crate) created: Timestamp,
}

/// An OpenID Connect provider.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Provider {
    pub(crate) arn: String,
    /// The issuer without `https://`.
    pub(crate) url: String,
    /// Audiences that tokens may carry.
    pub(crate) client_ids: BTreeSet<String>,
    pub(crate) thumbprints: Vec<String>,
    pub(crate) created: Timestamp,
    pub(crate) origin: Origin,
    pub(crate) tags: Tags,
}
