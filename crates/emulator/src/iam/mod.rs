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
mod fidelity;
mod groups;
pub(crate) mod managed;
mod operations;
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
pub(crate) use fidelity::fidelity;
pub(crate) use operations::Operation;
use policy::Principal;
pub(crate) use principal_policies::{PrincipalPolicies, Source};
use records::{ROLES, Role};

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
