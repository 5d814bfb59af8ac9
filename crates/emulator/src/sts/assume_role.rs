//! `AssumeRole`: a signed caller becomes a session of a role.

use std::collections::BTreeMap;

use policy::{Document, NamedPolicy, Principal};

use super::credentials::{self, Lasting};
use super::parameters::{Asked, SessionPolicies};
use crate::authorize::{Target, authorize_assume_role};
use crate::caller::Caller;
use crate::error::AwsError;
use crate::iam::records::{ROLES, Role, role_key};
use crate::query::Parameters;
use crate::state::State;
use crate::trail::Note;
use crate::xml::Xml;

const ACTION: &str = "sts:AssumeRole";
const CHAINED_LIMIT_SECONDS: i64 = 3_600;

/// Exchanges the caller's session for one of the role asked for.
pub(super) fn assume(
    state: &State,
    caller: &Caller,
    parameters: &Parameters,
    note: &Note,
) -> Result<Xml, AwsError> {
    let asked = Asked::read(parameters)?;
    if let Principal::AccountRoot { .. } = caller.principal {
        note.because("the root user cannot assume a role");
        return Err(AwsError::new(
            403,
            "AccessDenied",
            "Roles may not be assumed by root accounts.",
        ));
    }
    let role = trusted_role(state, caller, &asked, parameters, note)?;
    check_duration(&role, &asked)?;
    let policies = SessionPolicies::read(state, parameters)?;
    let lasting = Lasting {
        context: BTreeMap::new(),
        policies: policies.documents,
    };
    let issued = credentials::issue(state, &role, &asked, lasting)?;
    let answer = issued
        .describe(Xml::new())
        .optional("PackedPolicySize", policies.packed_size);
    note.answer(answer.to_json());
    Ok(answer)
}

/// The role, if its trust policy admits the caller and the caller's own
/// policies do too where they must. A role that is not there is denied in the
/// same words.
fn trusted_role(
    state: &State,
    caller: &Caller,
    asked: &Asked<'_>,
    parameters: &Parameters,
    note: &Note,
) -> Result<Role, AwsError> {
    let key = role_key(asked.role.account, asked.role.name);
    let found = state.store.read(|reader| reader.get(&ROLES, &key))?;
    let document = found
        .as_ref()
        .filter(|role| role.arn == asked.role.arn)
        .and_then(|role| Document::parse(&role.trust_policy).ok());
    let (Some(role), Some(document)) = (found, document) else {
        note.because(format!(
            "there is no role {} with a readable trust policy",
            asked.role.arn
        ));
        let sentence = format!(
            "User: {} is not authorized to perform: {ACTION} on resource: {}",
            caller.arn(),
            asked.role.arn
        );
        return Err(AwsError::new(403, "AccessDenied", sentence));
    };
    let trust = NamedPolicy {
        name: format!("trust policy of {}", role.name),
        document,
    };
    let session_name = asked.session_name.to_owned();
    let mut context = vec![("sts:RoleSessionName".to_owned(), session_name)];
    if let Some(id) = parameters.get("ExternalId") {
        context.push(("sts:ExternalId".to_owned(), id.to_owned()));
    }
    let target = Target {
        context,
        ..Target::new(ACTION, role.arn.clone(), asked.role.account)
    };
    authorize_assume_role(state, caller, &target, &trust, note)?;
    Ok(role)
}

fn check_duration(role: &Role, asked: &Asked<'_>) -> Result<(), AwsError> {
    if asked.duration > role.max_session_duration {
        return Err(AwsError::invalid(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    // Every signed caller but root holds a role session here, so each of these
    // is a chain.
    if asked.duration > CHAINED_LIMIT_SECONDS {
        return Err(AwsError::invalid(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        ));
    }
    Ok(())
}
