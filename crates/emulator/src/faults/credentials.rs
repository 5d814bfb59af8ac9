//! Whose credentials a request shows, believed as they stand; and their end.

use axum::http::header;
use axum::http::request::Parts;

use crate::login::{self, LoginError};
use crate::signature::{Received, claimed_key};
use crate::state::State;
use crate::sts::sessions::{self, ACCESS_KEYS, Identity};

/// What the credentials of a request claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claimed {
    pub(super) access_key_id: Option<String>,
    pub(super) role_arn: Option<String>,
}

/// The access key of a signature or of a registry password, and its role. What
/// cannot be read claims nothing: the handler refuses it.
pub(super) fn claimed(state: &State, parts: &Parts) -> Claimed {
    let access_key_id = match basic(parts) {
        Some(authorization) => login::access_key_id(state, authorization),
        None => signed(parts),
    };
    let record = access_key_id.as_ref().and_then(|id| {
        let found = state.store.read(|reader| reader.get(&ACCESS_KEYS, id));
        found.ok().flatten()
    });
    let role_arn = record.and_then(|key| match key.identity {
        Identity::AssumedRole { role_arn, .. } => Some(role_arn),
        Identity::Root { .. } | Identity::User { .. } => None,
    });
    Claimed {
        access_key_id,
        role_arn,
    }
}

/// Ends the credentials of a request: a registry password, or the session of an
/// access key. The key of a root user does not end.
pub(super) fn expire(state: &State, parts: &Parts) -> Result<(), LoginError> {
    if let Some(authorization) = basic(parts) {
        return login::expire(state, authorization);
    }
    let now = state.clock.now();
    match signed(parts) {
        Some(id) => Ok(state
            .store
            .write(|writer| sessions::expire(writer, &id, now))?),
        None => Ok(()),
    }
}

fn basic(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, _) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then_some(value)
}

fn signed(parts: &Parts) -> Option<String> {
    claimed_key(&Received {
        method: &parts.method,
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body: &[],
    })
}
