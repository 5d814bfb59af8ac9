//! Signature Version 4: proof that a request was made, unaltered and just now,
//! by the holder of an access key.
//!
//! Source: IAM User Guide, "AWS Signature Version 4 for API requests". The order
//! of the checks is that of AWS's answers as public reports show them: form,
//! date, signed host, algorithm, scope, key, signature. It must not decide what
//! the caller may do.

mod authorization;
mod canonical;
mod error;
mod key;
mod scope;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::http::{HeaderMap, Method};
use jiff::{SignedDuration, Timestamp};

use crate::caller::Caller;
use crate::state::State;
use crate::sts::sessions::{ACCESS_KEYS, AccessKey};
use crate::trail::Note;
use authorization::{Authorization, basic};
pub(crate) use error::SignatureError;
use key::string_to_sign;
use scope::CredentialScope;

/// How far a signature's date may lie from now, either way. AWS documents five
/// minutes; STS, IAM and ECR answer with fifteen (aws-cli#6676,
/// upmc-enterprises/registry-creds#24). A request that is sent again within it
/// is good again, as in AWS.
const SKEW: SignedDuration = SignedDuration::from_mins(15);

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

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
    let credential = check_form(&authorization, scope, now)?;
    let key = state
        .store
        .read(|reader| reader.get(&ACCESS_KEYS, credential.access_key_id))?
        .filter(|key| !key.is_inactive())
        .ok_or(SignatureError::InvalidToken)?;
    check_session_token(&key, authorization.session_token.as_deref())?;
    check_signature(&authorization, &credential, received, &key, note)?;
    if key
        .session
        .as_ref()
        .is_some_and(|session| session.expires <= now)
    {
        return Err(SignatureError::ExpiredToken);
    }
    let region = scope.home.unwrap_or(credential.region);
    Ok(key.caller(credential.access_key_id, region))
}

/// The id of the access key with which a request says it is signed.
pub(crate) fn claimed_key(received: &Received<'_>) -> Option<String> {
    let authorization = Authorization::find(received).ok()?;
    let (id, _) = authorization.credential.split_once('/')?;
    Some(id.to_owned())
}

/// Everything that can be judged without the key.
fn check_form<'a>(
    authorization: &'a Authorization,
    scope: Scope<'_>,
    now: Timestamp,
) -> Result<CredentialScope<'a>, SignatureError> {
    check_date(authorization, now)?;
    if !authorization
        .signed_headers
        .iter()
        .any(|name| name == "host")
    {
        return Err(SignatureError::Mismatch(
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.".to_owned(),
        ));
    }
    if authorization.algorithm != ALGORITHM {
        return Err(SignatureError::Incomplete(format!(
            "Unsupported AWS 'algorithm': '{}' (only {ALGORITHM} for now). ",
            authorization.algorithm
        )));
    }
    let credential = CredentialScope::read(&authorization.credential)?;
    credential.check(scope, &authorization.date)?;
    Ok(credential)
}

fn check_date(authorization: &Authorization, now: Timestamp) -> Result<(), SignatureError> {
    let signed = authorization.time;
    let (date, minutes) = (&authorization.date, SKEW.as_mins());
    let earliest = now.saturating_sub(SKEW).unwrap_or(Timestamp::MIN);
    let latest = now.saturating_add(SKEW).unwrap_or(Timestamp::MAX);
    let now = basic(now);
    if signed < earliest {
        let earliest = basic(earliest);
        return Err(SignatureError::Mismatch(format!(
            "Signature expired: {date} is now earlier than {earliest} ({now} - {minutes} min.)"
        )));
    }
    if signed > latest {
        let latest = basic(latest);
        return Err(SignatureError::Mismatch(format!(
            "Signature not yet current: {date} is still later than {latest} ({now} + {minutes} min.)"
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
    credential: &CredentialScope<'_>,
    received: &Received<'_>,
    key: &AccessKey,
    note: &Note,
) -> Result<(), SignatureError> {
    let canonical = canonical::request(received, &authorization.signed_headers)?;
    let signed = string_to_sign(&authorization.date, credential, &canonical);
    let expected = key::sign(key.secret.reveal(), credential, &signed);
    verify_slices_are_equal(expected.as_bytes(), authorization.signature.as_bytes()).map_err(|_| {
        note.because(format!(
            "the signature is of another request or by another secret; string to sign here: {}",
            signed.replace('\n', " ")
        ));
        SignatureError::Mismatch(SignatureError::DOES_NOT_MATCH.to_owned())
    })
}

/// Whether a request has the form of a signed one; nothing in it is proven.
#[cfg(fuzzing)]
pub(crate) fn reads(received: &Received<'_>) -> bool {
    let Ok(authorization) = Authorization::find(received) else {
        return false;
    };
    let scope = Scope {
        service: "sts",
        home: None,
    };
    let now = authorization.time;
    check_form(&authorization, scope, now).is_ok()
        && canonical::request(received, &authorization.signed_headers).is_ok()
}

#[cfg(test)]
mod tests;
