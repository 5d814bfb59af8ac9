//! The operations of IAM that are here: who answers each, and where its
//! behaviour is from.

use super::records::{Group, Role, User};
use super::{
    Handler, access_keys, account_details, account_summary, context_keys, entity_policies,
    entity_tags, groups, policies, policy_uses, policy_versions, providers, roles, simulate, users,
};
use crate::fidelity::Fidelity::{self, Documented, Inferred};

/// An operation that is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    pub(super) name: &'static str,
    pub(super) handler: Handler,
}

impl Operation {
    /// The operation of this name; `None` for those that are not here.
    pub(crate) fn named(name: &str) -> Option<Self> {
        OPERATIONS
            .iter()
            .find(|(known, ..)| *known == name)
            .map(|&(name, handler, _)| Self { name, handler })
    }
}

/// How near an operation is to AWS's; `None` for those that are not here.
pub(super) fn fidelity(name: &str) -> Option<Fidelity> {
    let found = OPERATIONS.iter().find(|(known, ..)| *known == name);
    found.map(|&(.., fidelity)| fidelity)
}

const API: Fidelity = Documented("API Reference");

/// By name.
#[rustfmt::skip] // one line for each operation, to be read as a table
const OPERATIONS: &[(&str, Handler, Fidelity)] = &[
    ("AddClientIDToOpenIDConnectProvider", providers::add_client, API),
    ("AddUserToGroup", groups::add_user, API),
    ("AttachGroupPolicy", entity_policies::attach::<Group>, API),
    ("AttachRolePolicy", entity_policies::attach::<Role>, API),
    ("AttachUserPolicy", entity_policies::attach::<User>, API),
    ("CreateAccessKey", access_keys::create, API),
    ("CreateGroup", groups::create, API),
    ("CreateOpenIDConnectProvider", providers::create, API),
    ("CreatePolicy", policies::create, API),
    ("CreatePolicyVersion", policy_versions::create, API),
    ("CreateRole", roles::create, API),
    ("CreateUser", users::create, API),
    ("DeleteAccessKey", access_keys::delete, API),
    ("DeleteGroup", groups::delete, API),
    ("DeleteGroupPolicy", entity_policies::delete::<Group>, API),
    ("DeleteOpenIDConnectProvider", providers::delete, API),
    ("DeletePolicy", policies::delete, API),
    ("DeletePolicyVersion", policy_versions::delete, API),
    ("DeleteRole", roles::delete, API),
    ("DeleteRolePermissionsBoundary", entity_policies::delete_boundary::<Role>, API),
    ("DeleteRolePolicy", entity_policies::delete::<Role>, API),
    ("DeleteUser", users::delete, API),
    ("DeleteUserPermissionsBoundary", entity_policies::delete_boundary::<User>, API),
    ("DeleteUserPolicy", entity_policies::delete::<User>, API),
    ("DetachGroupPolicy", entity_policies::detach::<Group>, API),
    ("DetachRolePolicy", entity_policies::detach::<Role>, API),
    ("DetachUserPolicy", entity_policies::detach::<User>, API),
    ("GetAccountAuthorizationDetails", account_details::get, API),
    ("GetAccountSummary", account_summary::get, API),
    ("GetContextKeysForCustomPolicy", context_keys::of_custom, API),
    ("GetContextKeysForPrincipalPolicy", context_keys::of_principal, API),
    ("GetGroup", groups::get, API),
    ("GetGroupPolicy", entity_policies::get::<Group>, API),
    ("GetLoginProfile", users::get_login_profile, Documented("API Reference; nobody has a password")),
    ("GetOpenIDConnectProvider", providers::get, API),
    ("GetPolicy", policies::get, API),
    ("GetPolicyVersion", policy_versions::get, API),
    ("GetRole", roles::get, API),
    ("GetRolePolicy", entity_policies::get::<Role>, API),
    ("GetUser", users::get, API),
    ("GetUserPolicy", entity_policies::get::<User>, API),
    ("ListAccessKeys", access_keys::list, API),
    ("ListAttachedGroupPolicies", entity_policies::list_attached::<Group>, API),
    ("ListAttachedRolePolicies", entity_policies::list_attached::<Role>, API),
    ("ListAttachedUserPolicies", entity_policies::list_attached::<User>, API),
    ("ListEntitiesForPolicy", policy_uses::list, API),
    ("ListGroupPolicies", entity_policies::list::<Group>, API),
    ("ListGroups", groups::list, API),
    ("ListGroupsForUser", groups::list_of_user, API),
    ("ListInstanceProfilesForRole", roles::list_instance_profiles, Documented("API Reference; there are no instance profiles")),
    ("ListMFADevices", users::list_devices, Documented("API Reference; nobody has a device")),
    ("ListOpenIDConnectProviderTags", providers::list_tags, API),
    ("ListOpenIDConnectProviders", providers::list, API),
    ("ListPolicies", policies::list, API),
    ("ListPolicyTags", policies::list_tags, API),
    ("ListPolicyVersions", policy_versions::list, API),
    ("ListRolePolicies", entity_policies::list::<Role>, API),
    ("ListRoleTags", entity_tags::list::<Role>, API),
    ("ListRoles", roles::list, API),
    ("ListUserPolicies", entity_policies::list::<User>, API),
    ("ListUserTags", entity_tags::list::<User>, API),
    ("ListUsers", users::list, API),
    ("PutGroupPolicy", entity_policies::put::<Group>, API),
    ("PutRolePermissionsBoundary", entity_policies::put_boundary::<Role>, API),
    ("PutRolePolicy", entity_policies::put::<Role>, API),
    ("PutUserPermissionsBoundary", entity_policies::put_boundary::<User>, API),
    ("PutUserPolicy", entity_policies::put::<User>, API),
    ("RemoveClientIDFromOpenIDConnectProvider", providers::remove_client, API),
    ("RemoveUserFromGroup", groups::remove_user, Inferred("a user who is not in the group is no error")),
    ("SetDefaultPolicyVersion", policy_versions::set_default, API),
    ("SimulateCustomPolicy", simulate::custom, Inferred("the caller that stands in where none is named (`user/simulated`); the names of policies in the answer")),
    ("SimulatePrincipalPolicy", simulate::principal, Inferred("the names of inline policies in the answer")),
    ("TagOpenIDConnectProvider", providers::tag, API),
    ("TagPolicy", policies::tag, API),
    ("TagRole", entity_tags::tag::<Role>, API),
    ("TagUser", entity_tags::tag::<User>, API),
    ("UntagOpenIDConnectProvider", providers::untag, API),
    ("UntagPolicy", policies::untag, API),
    ("UntagRole", entity_tags::untag::<Role>, API),
    ("UntagUser", entity_tags::untag::<User>, API),
    ("UpdateAccessKey", access_keys::update, API),
    ("UpdateAssumeRolePolicy", roles::update_trust_policy, API),
    ("UpdateOpenIDConnectProviderThumbprint", providers::update_thumbprints, API),
    ("UpdateRole", roles::update, Inferred("what is not given stays as it is")),
    ("UpdateRoleDescription", roles::update_description, API),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fidelity::model::IAM;

    #[test]
    fn every_operation_is_one_of_the_service_model() {
        let unknown = OPERATIONS.iter().find(|(name, ..)| !IAM.has(name));
        assert!(unknown.is_none());
    }
}
