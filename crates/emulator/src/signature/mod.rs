//! Signature Version 4: proof that a request was made, unaltered and just now,
//! by the holder of an access key.
//!
//! Source: IAM User Guide, "AWS Signature Version 4 for API requests". It must
//! not decide what the caller may do.

mod authorization;
mod canonical;
mod error;
mod key;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::http::{HeaderMap, Method};
use jiff::{SignedDuration, Timestamp};

use crate::caller::Caller;
use crate::ecr::is_region;
use crate::state::State;
use crate::sts::sessions::{ACCESS_KEYS, AccessKey};
use crate::trail::Note;
use authorization::Authorization;
pub(crate) use error::SignatureError;

/// How far a signature's date may lie from now, either way.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// A request as it came over the wire.
#[derive(Debug)]
pub(crate) struct Received<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    /// The query string as sent, without `?`.
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// The service that a request is for, in the words of a credential scope.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// Such as `sts`.
    pub(crate) service: &'a str,
    /// The region that the service is in, whatever the signature names; `None`
    /// for a service that is in every region.
    pub(crate) home: Option<&'a str>,
}

/// The caller whose key signed `received`, for `scope`.
pub(crate) fn verify(
    state: &State,
    received: &Received<'_>,
    scope: Scope<'_>,
    note: &Note,
) -> Result<Caller, SignatureError> {
    let now = state.clock.now();
    let authorization = Authorization::find(received)?;
    check_scope(&authorization, scope)?;
    check_date(&authorization, now)?;
    let key = state
        .store
        .read(|reader| reader.get(&ACCESS_KEYS, &authorization.access_key_id))?
        .ok_or(SignatureError::InvalidToken)?;
    check_session_token(&key, authorization.session_token.as_deref())?;
    check_signature(&authorization, received, &key, note)?;
    if key
        .session
        .as_ref()
        .is_some_and(|session| session.expires <= now)
    {
        return Err(SignatureError::ExpiredToken);
    }
    let region = scope.home.unwrap_or(&authorization.region);
    Ok(key.caller(&authorization.access_key_id, region))
}

fn check_scope(authorization: &Authorization, scope: Scope<'_>) -> Result<(), SignatureError> {
    let mismatch = |message: String| Err(SignatureError::Mismatch(message));
    let day = authorization.date.get(..8).unwrap_or_default();
    if authorization.scope_day != day {
        return mismatch(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{day}', from '{}'.",
            authorization.scope_day, authorization.date
        ));
    }
    if !is_region(&authorization.region) {
        return mismatch(format!(
            "Credential should be scoped to a valid region, not '{}'. ",
            authorization.region
        ));
    }
    if authorization.service != scope.service {
        return mismatch(format!(
            "Credential should be scoped to correct service: '{}'. ",
            scope.service
        ));
    }
    Ok(())
}

/// Texts: IAM User Guide, "Troubleshoot Signature Version 4".
fn check_date(authorization: &Authorization, now: Timestamp) -> Result<(), SignatureError> {
    let signed = authorization.time;
    let lifetime = authorization.lifetime.unwrap_or(SKEW);
    let basic = |time: Timestamp| time.strftime("%Y%m%dT%H%M%SZ").to_string();
    let earliest = now.saturating_sub(lifetime).unwrap_or(Timestamp::MIN);
    let latest = now.saturating_add(SKEW).unwrap_or(Timestamp::MAX);
    if signed < earliest {
        return Err(SignatureError::Mismatch(format!(
            "Signature expired: {} is now earlier than {} ({} - {} min.)",
            authorization.date,
            basic(earliest),
            basic(now),
            lifetime.as_mins()
        )));
    }
    if signed > latest {
        return Err(SignatureError::Mismatch(format!(
            "Signature not yet current: {} is still later than {} ({} + {} min.)",
            authorization.date,
            basic(latest),
            basic(now),
            SKEW.as_mins()
        )));
    }
    Ok(())
}

/// A session's key comes with the session's token, and no other key with any.
fn check_session_token(key: &AccessKey, sent: Option<&str>) -> Result<(), SignatureError> {
    match (&key.session, sent) {
        (None, None) => Ok(()),
        (Some(session), Some(sent)) => {
            verify_slices_are_equal(session.token.reveal().as_bytes(), sent.as_bytes())
                .map_err(|_| SignatureError::InvalidToken)
        }
        _ => Err(SignatureError::InvalidToken),
    }
}

fn check_signature(
    authorization: &Authorization,
    received: &Received<'_>,
    key: &AccessKey,
    note: &Note,
) -> Result<(), SignatureError> {
    let canonical = canonical::request(received, &authorization.signed_headers)?;
    let string_to_sign = authorization.string_to_sign(&canonical);
    let expected = key::sign(key.secret.reveal(), authorization, &string_to_sign);
    verify_slices_are_equal(expected.as_bytes(), authorization.signature.as_bytes()).map_err(|_| {
        note.because(format!(
            "the signature is of another request or by another secret; string to sign here: {}",
            string_to_sign.replace('\n', " ")
        ));
        SignatureError::Mismatch(SignatureError::DOES_NOT_MATCH.to_owned())
    })
}

#[cfg(test)]
mod tests;
