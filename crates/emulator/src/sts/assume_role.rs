//! `AssumeRole`: a signed caller becomes a session of a role.

use policy::{Document, NamedPolicy, Principal};

use super::credentials::{self, Lasting};
use super::parameters::Asked;
use super::session_policies::SessionPolicies;
use super::session_tags::SessionTags;
use crate::authorize::{Target, authorize_assume_role};
use crate::caller::Caller;
use crate::error::AwsError;
use crate::iam::records::{Role, entity_key};
use crate::iam::{role_context, trusting};
use crate::query::Parameters;
use crate::state::State;
use crate::trail::Note;
use crate::xml::Xml;

const ACTION: &str = "sts:AssumeRole";
const CHAINED_LIMIT_SECONDS: i64 = 3_600;
/// Characters of an `ExternalId` (service model).
const EXTERNAL_ID: (&str, fn(char) -> bool) = (r"[\w+=,.@:\/-]*", |character| {
    character.is_ascii_alphanumeric() || "_+=,.@:/-".contains(character)
});

/// Exchanges the caller's session for one of the role asked for.
pub(super) fn assume(
    state: &State,
    caller: &Caller,
    parameters: &Parameters,
    note: &Note,
) -> Result<Xml, AwsError> {
    let asked = Asked::read(parameters)?;
    let external_id = parameters.optional("ExternalId", 2..=1_224)?;
    if let Some(id) = external_id {
        Parameters::of_pattern("ExternalId", id, EXTERNAL_ID)?;
    }
    refuse_root_and_devices(caller, parameters, note)?;
    let tags = SessionTags::read(parameters, &caller.inherited)?;
    tags.note_beyond(parameters, note);
    let role = trusted_role(state, caller, &asked, (external_id, &tags), note)?;
    check_duration(&role, &asked, caller)?;
    let policies = SessionPolicies::read(state, asked.role.account, parameters)?;
    let packed_size = tags.check_size(policies.size)?;
    let lasting = Lasting {
        duration: asked.duration,
        context: tags.lasting_context(),
        policies: policies.documents,
        inherited: tags.passed_on(),
    };
    let identity = credentials::of_role(&role, asked.role, asked.session_name);
    let answer = credentials::issue(state, identity, lasting)?
        .describe(Xml::new())
        .optional("PackedPolicySize", packed_size)
        .optional("SourceIdentity", tags.source_identity());
    note.answer(answer.to_json());
    Ok(answer)
}

/// The root user assumes no role, and nobody has a device here.
fn refuse_root_and_devices(
    caller: &Caller,
    parameters: &Parameters,
    note: &Note,
) -> Result<(), AwsError> {
    let denied = |reason: &str, sentence: &str| {
        note.because(reason);
        Err(AwsError::new(403, "AccessDenied", sentence))
    };
    if let Principal::AccountRoot { .. } = caller.principal {
        let sentence = "Roles may not be assumed by root accounts.";
        return denied("the root user cannot assume a role", sentence);
    }
    if parameters.get("SerialNumber").is_some() || parameters.get("TokenCode").is_some() {
        let sentence = "MultiFactorAuthentication failed with invalid MFA one time pass code. ";
        return denied("there are no MFA devices here", sentence);
    }
    Ok(())
}

/// The role, if its trust policy admits the caller and the caller's own
/// policies do too where they must. A role that is not there is denied in the
/// same words.
fn trusted_role(
    state: &State,
    caller: &Caller,
    asked: &Asked<'_>,
    (external_id, tags): (Option<&str>, &SessionTags),
    note: &Note,
) -> Result<Role, AwsError> {
    let key = entity_key(asked.role.account, asked.role.name);
    let found = state.store.read(|reader| trusting(reader, &key))?;
    let found = found.filter(|(role, _)| role.arn == asked.role.arn);
    let found = found.and_then(|(role, text)| Some((role, Document::parse(&text).ok()?)));
    let Some((role, document)) = found else {
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
    let mut context = role_context(&role);
    context.push(("sts:RoleSessionName".to_owned(), session_name));
    context.extend(tags.context());
    if let Some(id) = external_id {
        context.push(("sts:ExternalId".to_owned(), id.to_owned()));
    }
    for action in [ACTION].into_iter().chain(tags.actions()) {
        let target = Target {
            context: context.clone(),
            ..Target::new(action, role.arn.clone(), asked.role.account)
        };
        authorize_assume_role(state, caller, &target, &trust, note)?;
    }
    Ok(role)
}

fn check_duration(role: &Role, asked: &Asked<'_>, caller: &Caller) -> Result<(), AwsError> {
    let is_chain = matches!(caller.principal, Principal::AssumedRole { .. });
    let message = if asked.duration > role.max_session_duration {
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    } else if is_chain && asked.duration > CHAINED_LIMIT_SECONDS {
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
    } else {
        return Ok(());
    };
    Err(AwsError::invalid("ValidationError", message))
}
