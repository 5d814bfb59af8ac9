//! `AssumeRole`: a signed caller becomes a session of a role.

use std::collections::BTreeMap;

use policy::{Document, NamedPolicy, Principal, Request, evaluate_trust};

use super::credentials::{self, Lasting};
use super::parameters::{Asked, SessionPolicies};
use crate::authorize::{Target, authorize, request_context};
use crate::caller::Caller;
use crate::error::AwsError;
use crate::iam::records::{ROLES, Role};
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
/// policies do not stand against it.
///
/// The trust policy must allow by itself. Where it names only the caller's
/// account, the caller's identity policies must allow too, which is what the
/// engine answers when the trust policy is asked as the role's own policy.
fn trusted_role(
    state: &State,
    caller: &Caller,
    asked: &Asked<'_>,
    parameters: &Parameters,
    note: &Note,
) -> Result<Role, AwsError> {
    let denied = || {
        let sentence = format!(
            "User: {} is not authorized to perform: {ACTION} on resource: {}",
            caller.arn(),
            asked.role.arn
        );
        AwsError::new(403, "AccessDenied", sentence)
    };
    let found = state
        .store
        .read(|reader| reader.get(&ROLES, asked.role.name))?;
    let document = found
        .as_ref()
        .filter(|role| role.arn == asked.role.arn)
        .and_then(|role| Document::parse(&role.trust_policy).ok());
    let (Some(role), Some(document)) = (found, document) else {
        note.because(format!(
            "there is no role {} with a readable trust policy",
            asked.role.arn
        ));
        return Err(denied());
    };
    let mut keys = vec![(
        "sts:RoleSessionName".to_owned(),
        asked.session_name.to_owned(),
    )];
    if let Some(id) = parameters.get("ExternalId") {
        keys.push(("sts:ExternalId".to_owned(), id.to_owned()));
    }
    let mut context = request_context(state, caller, note);
    for (key, value) in &keys {
        context.insert(key, value.clone());
    }
    let request = Request {
        principal: caller.principal.clone(),
        action: ACTION.to_owned(),
        resource: role.arn.clone(),
        resource_account: asked.role.account.to_owned(),
        context,
    };
    let trust = NamedPolicy {
        name: format!("trust policy of {}", role.name),
        document,
    };
    note.resource(&role.arn);
    let decision = evaluate_trust(&request, &trust);
    if !decision.is_allowed() {
        note.decision(&decision);
        return Err(denied());
    }
    let target = Target {
        resource_policy: Some(&role.trust_policy),
        context: keys,
        ..Target::new(ACTION, role.arn.clone(), asked.role.account)
    };
    authorize(state, caller, &target, note)?;
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
