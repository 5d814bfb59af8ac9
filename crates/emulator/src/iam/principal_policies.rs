//! Everything that a role or a user brings to a decision.

use super::managed;
use super::records::{EntityPolicies, GROUPS, Group, Role, Tags, User, entity_key};
use crate::store::{StoreError, View};

/// Allows no action.
const NOTHING: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"*","Resource":"*"}}"#;

/// Policies as texts, and tags.
#[derive(Debug, Default)]
pub(crate) struct PrincipalPolicies {
    /// Of the role, or of the user and its groups.
    pub(crate) identity: Vec<Source>,
    /// ARN and document. One whose policy is gone allows nothing (inferred).
    pub(crate) boundary: Option<(String, String)>,
    pub(crate) tags: Tags,
}

/// A policy, and where it is attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// The name of an inline policy, the ARN of a managed one.
    pub(crate) name: String,
    pub(crate) document: String,
    /// In the words of the simulator: `role`, `user`, `group`, `aws-managed`,
    /// `user-managed`.
    pub(crate) kind: &'static str,
}

impl PrincipalPolicies {
    /// Those of a role.
    pub(crate) fn of_role(records: &impl View, role: &Role) -> Result<Self, StoreError> {
        Self::gather(records, &role.policies, "role", role.tags.clone())
    }

    /// Those of a user of `account`, and of its groups.
    pub(crate) fn of_user(
        records: &impl View,
        account: &str,
        user: &User,
    ) -> Result<Self, StoreError> {
        let mut all = Self::gather(records, &user.policies, "user", user.tags.clone())?;
        for group in &user.groups {
            if let Some(group) = records.get(&GROUPS, &entity_key(account, group))? {
                let of_group = Self::of_group(records, &group)?;
                all.identity.extend(of_group.identity);
            }
        }
        Ok(all)
    }

    /// Those of a group.
    pub(crate) fn of_group(records: &impl View, group: &Group) -> Result<Self, StoreError> {
        Self::gather(records, &group.policies, "group", Tags::new())
    }

    fn gather(
        records: &impl View,
        policies: &EntityPolicies,
        kind: &'static str,
        tags: Tags,
    ) -> Result<Self, StoreError> {
        let mut identity: Vec<Source> = policies
            .inline_policies
            .iter()
            .map(|(name, document)| Source {
                name: name.clone(),
                document: document.clone(),
                kind,
            })
            .collect();
        for arn in &policies.attached_policies {
            let kind = match managed::of_aws(arn) {
                Some(_) => "aws-managed",
                None => "user-managed",
            };
            identity.extend(managed::document(records, arn)?.map(|document| Source {
                name: arn.clone(),
                document,
                kind,
            }));
        }
        let boundary = match &policies.permissions_boundary {
            Some(arn) => {
                let document = managed::document(records, arn)?;
                Some((arn.clone(), document.unwrap_or_else(|| NOTHING.to_owned())))
            }
            None => None,
        };
        Ok(Self {
            identity,
            boundary,
            tags,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::NOTHING;

    #[test]
    fn a_boundary_that_is_gone_still_reads_as_a_policy() {
        policy::Document::parse(NOTHING).unwrap();
    }
}
