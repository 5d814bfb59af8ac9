//! Passwords for the registry: what `GetAuthorizationToken` hands out and the
//! registry takes as HTTP Basic.
//!
//! A password lives twelve hours, whatever becomes of the session that asked
//! for it (Amazon ECR User Guide, "Private registry authentication"). That it
//! goes on working when that session has expired is inferred from the same
//! sentence. The store keeps only a hash.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::caller::Caller;
use crate::ecr::Registry;
use crate::random;
use crate::state::State;
use crate::store::{StoreError, Table};
use crate::sts::sessions;

/// Logins by the SHA-256 of their password.
const LOGINS: Table<Login> = Table::new("registry/logins");

const LIFETIME: SignedDuration = SignedDuration::from_hours(12);

#[derive(Debug, Serialize, Deserialize)]
struct Login {
    access_key_id: String,
    /// The registry that the password was asked for.
    registry: Registry,
    expires: Timestamp,
}

/// Why a login is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoginError {
    /// There is no `Authorization` header.
    #[error("no credentials were sent")]
    Missing,
    /// The header is not `Basic` with the user `AWS`.
    #[error("the credentials are not HTTP Basic for the user AWS")]
    Malformed,
    /// The password was ours, and its twelve hours are over.
    #[error("the password expired at {0}")]
    Expired(Timestamp),
    /// The password was never issued here.
    #[error("the password was not issued by this registry")]
    Unknown,
    /// A password opens the registries of its own region only (Amazon ECR User
    /// Guide, "Private registry authentication").
    #[error("the password is for registries in {login}, not in {asked}")]
    OtherRegion {
        /// Where the password was issued.
        login: String,
        /// Where the registry is.
        asked: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a password for `caller`, asked for `registry`: base64 of
/// `AWS:<password>`, and when it ends.
pub(crate) fn issue(
    state: &State,
    caller: &Caller,
    registry: &Registry,
) -> Result<(String, Timestamp), StoreError> {
    let password = random::secret();
    let now = state.clock.now();
    let login = Login {
        access_key_id: caller.access_key_id.clone(),
        registry: registry.clone(),
        expires: now.saturating_add(LIFETIME).unwrap_or(Timestamp::MAX),
    };
    state.store.write::<_, StoreError>(|writer| {
        for (key, old) in writer.list(&LOGINS, "")? {
            if old.expires < now.saturating_sub(LIFETIME).unwrap_or(Timestamp::MIN) {
                writer.remove(&LOGINS, &key)?;
            }
        }
        writer.put(&LOGINS, &hash(&password), &login)
    })?;
    Ok((STANDARD.encode(format!("AWS:{password}")), login.expires))
}

/// The caller to whom the password in `authorization`, the value of the
/// header, was issued, and the registry that `host` stands for: the one that it
/// names, otherwise the one that the password was asked for.
pub(crate) fn verify(
    state: &State,
    host: &str,
    authorization: Option<&str>,
) -> Result<(Caller, Registry), LoginError> {
    let password = password(authorization.ok_or(LoginError::Missing)?)?;
    let (login, session) = state.store.read::<_, LoginError>(|reader| {
        let login = reader
            .get(&LOGINS, &hash(&password))?
            .ok_or(LoginError::Unknown)?;
        let session = reader.get(&sessions::ACCESS_KEYS, &login.access_key_id)?;
        Ok((login, session))
    })?;
    if login.expires <= state.clock.now() {
        return Err(LoginError::Expired(login.expires));
    }
    let session = session.ok_or(LoginError::Unknown)?;
    let registry = Registry::of_host(host).unwrap_or_else(|| login.registry.clone());
    if registry.region != login.registry.region {
        return Err(LoginError::OtherRegion {
            login: login.registry.region,
            asked: registry.region,
        });
    }
    let caller = session.caller(&login.access_key_id, &registry.region);
    Ok((caller, registry))
}

/// The id of the access key for which the password in `authorization` was
/// issued, expired or not.
pub(crate) fn access_key_id(state: &State, authorization: &str) -> Option<String> {
    let password = password(authorization).ok()?;
    let found = state
        .store
        .read(|reader| reader.get(&LOGINS, &hash(&password)));
    found.ok()?.map(|login| login.access_key_id)
}

/// Ends the password in `authorization` now.
pub(crate) fn expire(state: &State, authorization: &str) -> Result<(), LoginError> {
    let key = hash(&password(authorization)?);
    let now = state.clock.now();
    state.store.write(|writer| {
        let mut login = writer.get(&LOGINS, &key)?.ok_or(LoginError::Unknown)?;
        login.expires = login.expires.min(now);
        Ok(writer.put(&LOGINS, &key, &login)?)
    })
}

fn password(authorization: &str) -> Result<String, LoginError> {
    let (scheme, encoded) = authorization.split_once(' ').ok_or(LoginError::Malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(LoginError::Malformed);
    }
    let decoded = STANDARD
        .decode(encoded.trim())
        .map_err(|_| LoginError::Malformed)?;
    let text = String::from_utf8(decoded).map_err(|_| LoginError::Malformed)?;
    match text.split_once(':') {
        Some(("AWS", password)) => Ok(password.to_owned()),
        _ => Err(LoginError::Malformed),
    }
}

/// The key of a password: looking a hash up does not tell by its timing how
/// much of the password was right.
fn hash(password: &str) -> String {
    hex::encode(Sha256::digest(password))
}
