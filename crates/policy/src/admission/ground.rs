//! What is known of every request to assume a role through a provider.

use crate::keys::{Presence, at_web_identity_of};
use crate::{Context, Version};

/// A role and the identity provider that callers come through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FederatedRole {
    /// ARN of the role.
    pub role_arn: String,
    /// ARN of the provider, `arn:aws:iam::ACCOUNT:oidc-provider/HOST[/PATH]`.
    pub provider_arn: String,
}

impl FederatedRole {
    /// The issuer without `https://`: the prefix of its condition keys.
    pub fn issuer(&self) -> &str {
        self.provider_arn
            .split_once(":oidc-provider/")
            .map_or("", |(_, issuer)| issuer)
    }

    /// The keys that have one value in every request.
    pub(super) fn constants(&self) -> [(&'static str, String); 2] {
        [
            ("aws:FederatedProvider", self.provider_arn.clone()),
            ("aws:ResourceAccount", self.account().to_owned()),
        ]
    }

    /// The account of the role.
    pub(crate) fn account(&self) -> &str {
        self.role_arn.split(':').nth(4).unwrap_or_default()
    }
}

/// The keys that have one value in every such request, and the issuer that
/// decides which are never there.
pub(super) struct Ground {
    issuer: String,
    pub(super) constants: Context,
}

impl Ground {
    pub(super) fn new(role: &FederatedRole) -> Self {
        let mut constants = Context::new();
        for (key, value) in role.constants() {
            constants.insert(key, value);
        }
        Self {
            issuer: role.issuer().to_owned(),
            constants,
        }
    }

    /// Whether every such request has the same value of the key, or none has any.
    pub(super) fn fixes(&self, key: &str) -> bool {
        self.constants.get(key).is_some()
            || at_web_identity_of(&self.issuer, key) == Presence::Never
    }

    /// Whether the key is one of the token.
    pub(super) fn is_claim(&self, key: &str) -> bool {
        key.split_once(':')
            .is_some_and(|(issuer, _)| issuer.eq_ignore_ascii_case(&self.issuer))
    }

    /// Whether the text says the same in every such request: all its policy
    /// variables are fixed.
    pub(super) fn fixes_variables(&self, text: &str, version: Version) -> bool {
        let variables = text.split("${").skip(1);
        version == Version::V2008
            || variables
                .filter_map(|rest| rest.split_once('}'))
                .all(|(name, _)| {
                    let key = name.split(',').next().unwrap_or_default().trim();
                    matches!(key, "*" | "?" | "$") || self.fixes(key)
                })
    }
}
