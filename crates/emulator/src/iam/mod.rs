//! Identity and Access Management: OpenID Connect providers, roles, policies.
//!
//! It keeps the records; what they allow is decided by the policy engine.
//! Lists are never cut short (inferred: AWS may cut them at any length).
//!
//! Source: AWS Identity and Access Management API Reference, version
//! 2010-05-08. Where it gives no sentence for an error, the sentence is
//! inferred from what clients print.

mod call;
mod documents;
pub(crate) mod managed;
mod policies;
mod policy_versions;
mod providers;
pub(crate) mod records;
mod role_policies;
mod roles;
mod tags;

use call::Call;
use policy::Principal;
use records::Role;

use crate::activity;
use crate::caller::Caller;
use crate::error::AwsError;
use crate::query::Parameters;
use crate::signature::SignatureError;
use crate::state::State;
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
    ("AttachRolePolicy", role_policies::attach),
    ("CreateOpenIDConnectProvider", providers::create),
    ("CreatePolicy", policies::create),
    ("CreatePolicyVersion", policy_versions::create),
    ("CreateRole", roles::create),
    ("DeleteOpenIDConnectProvider", providers::delete),
    ("DeletePolicy", policies::delete),
    ("DeletePolicyVersion", policy_versions::delete),
    ("DeleteRole", roles::delete),
    ("DeleteRolePermissionsBoundary", roles::delete_boundary),
    ("DeleteRolePolicy", role_policies::delete),
    ("DetachRolePolicy", role_policies::detach),
    ("GetOpenIDConnectProvider", providers::get),
    ("GetPolicy", policies::get),
    ("GetPolicyVersion", policy_versions::get),
    ("GetRole", roles::get),
    ("GetRolePolicy", role_policies::get),
    ("ListAttachedRolePolicies", role_policies::list_attached),
    ("ListInstanceProfilesForRole", roles::list_instance_profiles),
    ("ListOpenIDConnectProviders", providers::list),
    ("ListPolicyVersions", policy_versions::list),
    ("ListRolePolicies", role_policies::list),
    ("ListRoleTags", roles::list_tags),
    ("ListRoles", roles::list),
    ("PutRolePermissionsBoundary", roles::put_boundary),
    ("PutRolePolicy", role_policies::put),
    (
        "RemoveClientIDFromOpenIDConnectProvider",
        providers::remove_client,
    ),
    ("TagOpenIDConnectProvider", providers::tag),
    ("TagPolicy", policies::tag),
    ("TagRole", roles::tag),
    ("UntagOpenIDConnectProvider", providers::untag),
    ("UntagPolicy", policies::untag),
    ("UntagRole", roles::untag),
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
