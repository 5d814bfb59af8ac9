//! `GetSessionToken`: a user gets a session of itself.

use policy::Principal;

use super::credentials::{self, Lasting};
use super::sessions::Identity;
use crate::caller::Caller;
use crate::error::AwsError;
use crate::query::Parameters;
use crate::state::State;
use crate::trail::Note;
use crate::xml::Xml;

const DEFAULT_SECONDS: i64 = 43_200;
/// The most that the root user gets, whatever is asked for (API Reference).
const ROOT_SECONDS: i64 = 3_600;

/// Makes a session with the caller's own rights. It needs no permission.
pub(super) fn get(
    state: &State,
    caller: &Caller,
    parameters: &Parameters,
    note: &Note,
) -> Result<Xml, AwsError> {
    let duration = parameters.number("DurationSeconds", 900..=129_600)?;
    refuse_sessions(caller, "GetSessionToken")?;
    if parameters.get("SerialNumber").is_some() || parameters.get("TokenCode").is_some() {
        note.because("there are no MFA devices here");
        return Err(AwsError::new(
            403,
            "AccessDenied",
            "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.",
        ));
    }
    let duration = duration.unwrap_or(DEFAULT_SECONDS);
    let (identity, duration) = match &caller.principal {
        Principal::AccountRoot { account } => {
            let account = account.clone();
            (Identity::Root { account }, duration.min(ROOT_SECONDS))
        }
        Principal::User { account, arn } => {
            let user = Identity::User {
                account: account.clone(),
                arn: arn.clone(),
                user_id: caller.user_id.clone(),
            };
            (user, duration)
        }
        _ => return Err(cannot_call("GetSessionToken")),
    };
    let lasting = Lasting {
        duration,
        ..Lasting::default()
    };
    let answer = credentials::issue(state, identity, lasting)?.describe(Xml::new());
    note.answer(answer.to_json());
    Ok(answer)
}

/// Refuses an operation that is for long-term keys.
pub(super) fn refuse_sessions(caller: &Caller, operation: &str) -> Result<(), AwsError> {
    match caller.session_created {
        Some(_) => Err(cannot_call(operation)),
        None => Ok(()),
    }
}

fn cannot_call(operation: &str) -> AwsError {
    let sentence = format!("Cannot call {operation} with session credentials");
    AwsError::new(403, "AccessDenied", sentence)
}
