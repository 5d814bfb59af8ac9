//! Identity and Access Management: OpenID Connect providers, roles, users,
//! groups, policies.
//!
//! It keeps the records; what they allow is decided by the policy engine.
//!
//! Source: AWS Identity and Access Management API Reference, version
//! 2010-05-08. Where it gives no sentence for an error, the sentence is
//! inferred from what clients print.

mod access_keys;
mod account_details;
mod account_summary;
mod call;
mod context_keys;
mod documents;
mod entity;
mod entity_policies;
mod entity_tags;
mod groups;
pub(crate) mod managed;
mod page;
mod policies;
mod policy_uses;
mod policy_versions;
mod principal_policies;
mod providers;
pub(crate) mod records;
mod roles;
mod simulate;
mod tags;
mod trust;
mod users;

use call::Call;
use policy::Principal;
pub(crate) use principal_policies::{PrincipalPolicies, Source};
use records::{Group, ROLES, Role, User};

use crate::activity;
use crate::caller::Caller;
use crate::error::AwsError;
use crate::query::Parameters;
use crate::signature::SignatureError;
use crate::state::State;
use crate::store::{Reader, StoreError};
use crate::trail::{Note, is_read_only, of_query};
use crate::xml::Xml;

/// The version that requests name.
pub(crate) const VERSION: &str = "2010-05-08";
/// Namespace of the answers.
pub(crate) const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// What an operation answers; `None` has no element for the result.
type Answer = Result<Option<Xml>, AwsError>;
type Handler = fn(&Call<'_>) -> Answer;

/// An operation that is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    name: &'static str,
    handler: Handler,
}

impl Operation {
    /// The operation of this name; `None` for those that are not here.
    pub(crate) fn named(name: &str) -> Option<Self> {
        OPERATIONS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|&(name, handler)| Self { name, handler })
    }
}

const OPERATIONS: &[(&str, Handler)] = &[
    ("AddClientIDToOpenIDConnectProvider", providers::add_client),
    ("AddUserToGroup", groups::add_user),
    ("AttachGroupPolicy", entity_policies::attach::<Group>),
    ("AttachRolePolicy", entity_policies::attach::<Role>),
    ("AttachUserPolicy", entity_policies::attach::<User>),
    ("CreateAccessKey", access_keys::create),
    ("CreateGroup", groups::create),
    ("CreateOpenIDConnectProvider", providers::create),
    ("CreatePolicy", policies::create),
    ("CreatePolicyVersion", policy_versions::create),
    ("CreateRole", roles::create),
    ("CreateUser", users::create),
    ("DeleteAccessKey", access_keys::delete),
    ("DeleteGroup", groups::delete),
    ("DeleteGroupPolicy", entity_policies::delete::<Group>),
    ("DeleteOpenIDConnectProvider", providers::delete),
    ("DeletePolicy", policies::delete),
    ("DeletePolicyVersion", policy_versions::delete),
    ("DeleteRole", roles::delete),
    (
        "DeleteRolePermissionsBoundary",
        entity_policies::delete_boundary::<Role>,
    ),
    ("DeleteRolePolicy", entity_policies::delete::<Role>),
    ("DeleteUser", users::delete),
    (
        "DeleteUserPermissionsBoundary",
        entity_policies::delete_boundary::<User>,
    ),
    ("DeleteUserPolicy", entity_policies::delete::<User>),
    ("DetachGroupPolicy", entity_policies::detach::<Group>),
    ("DetachRolePolicy", entity_policies::detach::<Role>),
    ("DetachUserPolicy", entity_policies::detach::<User>),
    ("GetAccountAuthorizationDetails", account_details::get),
    ("GetAccountSummary", account_summary::get),
    ("GetContextKeysForCustomPolicy", context_keys::of_custom),
    (
        "GetContextKeysForPrincipalPolicy",
        context_keys::of_principal,
    ),
    ("GetGroup", groups::get),
    ("GetGroupPolicy", entity_policies::get::<Group>),
    ("GetLoginProfile", users::get_login_profile),
    ("GetOpenIDConnectProvider", providers::get),
    ("GetPolicy", policies::get),
    ("GetPolicyVersion", policy_versions::get),
    ("GetRole", roles::get),
    ("GetRolePolicy", entity_policies::get::<Role>),
    ("GetUser", users::get),
    ("GetUserPolicy", entity_policies::get::<User>),
    ("ListAccessKeys", access_keys::list),
    (
        "ListAttachedGroupPolicies",
        entity_policies::list_attached::<Group>,
    ),
    (
        "ListAttachedRolePolicies",
        entity_policies::list_attached::<Role>,
    ),
    (
        "ListAttachedUserPolicies",
        entity_policies::list_attached::<User>,
    ),
    ("ListEntitiesForPolicy", policy_uses::list),
    ("ListGroupPolicies", entity_policies::list::<Group>),
    ("ListGroups", groups::list),
    ("ListGroupsForUser", groups::list_of_user),
    ("ListInstanceProfilesForRole", roles::list_instance_profiles),
    ("ListMFADevices", users::list_devices),
    ("ListOpenIDConnectProviderTags", providers::list_tags),
    ("ListOpenIDConnectProviders", providers::list),
    ("ListPolicies", policies::list),
    ("ListPolicyTags", policies::list_tags),
    ("ListPolicyVersions", policy_versions::list),
    ("ListRolePolicies", entity_policies::list::<Role>),
    ("ListRoleTags", entity_tags::list::<Role>),
    ("ListRoles", roles::list),
    ("ListUserPolicies", entity_policies::list::<User>),
    ("ListUserTags", entity_tags::list::<User>),
    ("ListUsers", users::list),
    ("PutGroupPolicy", entity_policies::put::<Group>),
    (
        "PutRolePermissionsBoundary",
        entity_policies::put_boundary::<Role>,
    ),
    ("PutRolePolicy", entity_policies::put::<Role>),
    (
        "PutUserPermissionsBoundary",
        entity_policies::put_boundary::<User>,
    ),
    ("PutUserPolicy", entity_policies::put::<User>),
    (
        "RemoveClientIDFromOpenIDConnectProvider",
        providers::remove_client,
    ),
    ("RemoveUserFromGroup", groups::remove_user),
    ("SetDefaultPolicyVersion", policy_versions::set_default),
    ("SimulateCustomPolicy", simulate::custom),
    ("SimulatePrincipalPolicy", simulate::principal),
    ("TagOpenIDConnectProvider", providers::tag),
    ("TagPolicy", policies::tag),
    ("TagRole", entity_tags::tag::<Role>),
    ("TagUser", entity_tags::tag::<User>),
    ("UntagOpenIDConnectProvider", providers::untag),
    ("UntagPolicy", policies::untag),
    ("UntagRole", entity_tags::untag::<Role>),
    ("UntagUser", entity_tags::untag::<User>),
    ("UpdateAccessKey", access_keys::update),
    ("UpdateAssumeRolePolicy", roles::update_trust_policy),
    (
        "UpdateOpenIDConnectProviderThumbprint",
        providers::update_thumbprints,
    ),
    ("UpdateRole", roles::update),
    ("UpdateRoleDescription", roles::update_description),
];

/// Parameters of the service model that the trail keeps: all but passwords,
/// codes and keys.
const PARAMETERS: &[&str] = &[
    "AccessKeyId",
    "ActionNames",
    "AssumeRolePolicyDocument",
    "CallerArn",
    "ClientID",
    "ClientIDList",
    "ContextEntries",
    "Description",
    "EntityFilter",
    "Filter",
    "InstanceProfileName",
    "Marker",
    "MaxItems",
    "MaxSessionDuration",
    "NewPath",
    "NewUserName",
    "OnlyAttached",
    "OpenIDConnectProviderArn",
    "Path",
    "PathPrefix",
    "PermissionsBoundary",
    "PermissionsBoundaryPolicyInputList",
    "PolicyArn",
    "PolicyDocument",
    "PolicyInputList",
    "PolicyName",
    "PolicySourceArn",
    "PolicyUsageFilter",
    "ResourceArns",
    "ResourceOwner",
    "ResourcePolicy",
    "RoleName",
    "Scope",
    "SetAsDefault",
    "Status",
    "TagKeys",
    "Tags",
    "ThumbprintList",
    "Url",
    "UserName",
    "VersionId",
];

/// The condition keys of a role as a resource.
pub(crate) fn role_context(role: &Role) -> Vec<(String, String)> {
    tags::resource_context(&role.tags)
}

/// A role, and its trust policy as it counts now.
pub(crate) fn trusting(reader: &Reader, key: &str) -> Result<Option<(Role, String)>, StoreError> {
    let Some(role) = reader.get(&ROLES, key)? else {
        return Ok(None);
    };
    let trust_policy = trust::policy(reader, &role)?;
    Ok(Some((role, trust_policy)))
}

/// Answers a request of a signed caller.
pub(crate) fn handle(
    state: &State,
    caller: &Caller,
    operation: Operation,
    parameters: &Parameters,
    note: &Note,
) -> Result<Option<Xml>, AwsError> {
    let call = Call {
        state,
        caller,
        action: operation.name,
        parameters,
        note,
    };
    note.parameters(of_query(parameters, PARAMETERS));
    refuse_own_sessions(caller)?;
    let answer = (operation.handler)(&call)?;
    if !is_read_only(operation.name) {
        activity::keep(state);
    }
    if let Some(answer) = &answer {
        note.answer(answer.to_json());
    }
    Ok(answer)
}

/// A session of `GetSessionToken` has nothing to do with IAM unless a device
/// stood behind it, and there are none here (API Reference, `GetSessionToken`;
/// that IAM answers as to an unknown key is inferred).
fn refuse_own_sessions(caller: &Caller) -> Result<(), AwsError> {
    let is_own = !matches!(caller.principal, Principal::AssumedRole { .. });
    if caller.session_created.is_some() && is_own {
        return Err(SignatureError::InvalidToken.in_query());
    }
    Ok(())
}
