//! Registered workflow runs and the request tokens that were given to them.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use github::{Run, SubjectForm};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::random;
use crate::store::{Store, StoreError, Table};

/// Runs by the id that is part of their request URL.
const RUNS: Table<Registered> = Table::new("issuer/runs");

/// The longest time that a job may run on GitHub's own runners.
const LIFETIME: SignedDuration = SignedDuration::from_hours(6);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Registered {
    run: Run,
    form: SubjectForm,
    /// SHA-256 of the request token, hexadecimal.
    token_hash: String,
    expires: Timestamp,
}

/// A run's id and its request token.
#[derive(Debug)]
pub(crate) struct Registration {
    pub(crate) id: String,
    pub(crate) token: String,
}

/// Why a request for a token is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// No run has this id, or the token is not its token.
    #[error("the request token is not one of this run")]
    Unauthorized,
    /// The job would be over by now.
    #[error("the request token expired at {0}")]
    Expired(Timestamp),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Registers `run`, and forgets runs that are over.
pub(crate) fn register(
    store: &Store,
    run: Run,
    form: SubjectForm,
    now: Timestamp,
) -> Result<Registration, StoreError> {
    let registration = Registration {
        id: random::uuid(),
        token: random::secret(),
    };
    let record = Registered {
        run,
        form,
        token_hash: hash(&registration.token),
        expires: now.saturating_add(LIFETIME).unwrap_or(Timestamp::MAX),
    };
    let long_ago = now.saturating_sub(LIFETIME).unwrap_or(Timestamp::MIN);
    store.write::<_, StoreError>(|writer| {
        for (id, old) in writer.list(&RUNS, "")? {
            if old.expires < long_ago {
                writer.remove(&RUNS, &id)?;
            }
        }
        writer.put(&RUNS, &registration.id, &record)
    })?;
    Ok(registration)
}

/// The run `id`, if `token` is its request token and still good.
pub(crate) fn find(
    store: &Store,
    id: &str,
    token: &str,
    now: Timestamp,
) -> Result<(Run, SubjectForm), RunError> {
    let record = store
        .read(|reader| reader.get(&RUNS, id))?
        .ok_or(RunError::Unauthorized)?;
    verify_slices_are_equal(hash(token).as_bytes(), record.token_hash.as_bytes())
        .map_err(|_| RunError::Unauthorized)?;
    if record.expires <= now {
        return Err(RunError::Expired(record.expires));
    }
    Ok((record.run, record.form))
}

fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}
