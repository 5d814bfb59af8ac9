//! Delivering what is kept: a message is in the outbox from the transaction that
//! keeps it until it was delivered, however often the mail server or this process
//! fails in between. What cannot be delivered is given up after a while and stays there.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use sqlx::Row;
use tracing::{Instrument, error_span};

use super::delivery::{Delivery, DeliveryError, Letter};
use crate::app::AppState;
use crate::database::Database;
use crate::{request_id, timestamp};

/// What the lines of deliveries are told from others by.
pub(crate) const TARGET: &str = "backend::delivery";

/// How often the outbox is looked at when nobody calls.
const PERIOD: Duration = Duration::from_secs(5);
/// How long one delivery may take before another process takes it over, in seconds.
const LEASE: i64 = 120;
/// The shortest and the longest pause after a failure, in seconds.
const PAUSES: (i64, i64) = (10, 3600);
/// After so many attempts, an hour and a half, nobody believes any more that the mail server
/// will take what it has refused for good.
const MOST_REFUSALS: i64 = 10;
/// After so many, five days, a message is given up whatever the reason (RFC 5321, section
/// 4.5.4.1).
const MOST_ATTEMPTS: i64 = 130;

/// What follows from a failure.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// Another attempt, after so many seconds.
    Again(i64),
    /// None.
    GiveUp,
}

/// What follows from the failure of an attempt. `attempts` were made, with this one.
fn next(attempts: i64, is_permanent: bool) -> Next {
    let most = if is_permanent {
        MOST_REFUSALS
    } else {
        MOST_ATTEMPTS
    };
    if attempts >= most {
        return Next::GiveUp;
    }
    Next::Again((PAUSES.0 << (attempts - 1).clamp(0, 10)).min(PAUSES.1))
}

/// Delivers, until it is aborted.
pub async fn deliver(state: AppState, delivery: Delivery) {
    loop {
        match deliver_next(&state, &delivery).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "the outbox could not be read"),
        }
        tokio::select! {
            () = state.contact.came.notified() => {}
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

/// Takes the message that is due first and tries to deliver it. Returns whether there
/// was one.
async fn deliver_next(state: &AppState, delivery: &Delivery) -> Result<bool, sqlx::Error> {
    let pool = state.database.pool();
    let now = (state.clock)();
    let lease = timestamp::text(now + SignedDuration::from_secs(LEASE));
    let Some(row) = sqlx::query(
        "SELECT id, received_at, name, email, message, attempts, due_at FROM outbox
         JOIN contact_messages ON id = message_id
         WHERE due_at <= $1 AND given_up_at IS NULL ORDER BY due_at LIMIT 1",
    )
    .bind(timestamp::text(now))
    .fetch_optional(pool)
    .await?
    else {
        return Ok(false);
    };
    let letter = Letter {
        id: row.try_get("id")?,
        received_at: row.try_get("received_at")?,
        name: row.try_get("name")?,
        email: row.try_get("email")?,
        message: row.try_get("message")?,
    };
    let id = letter.id.clone();
    let attempts: i64 = row.try_get("attempts")?;
    let claimed =
        sqlx::query("UPDATE outbox SET due_at = $1 WHERE message_id = $2 AND due_at = $3")
            .bind(lease)
            .bind(&id)
            .bind(row.try_get::<String, _>("due_at")?)
            .execute(pool)
            .await?;
    if claimed.rows_affected() == 0 {
        // Another process has it.
        return Ok(true);
    }
    // The request that brought it was answered before.
    let trace_id = request_id::generated();
    let span = error_span!("delivery", message_id = id, trace_id);
    let attempt = attempt(state, delivery, letter, attempts);
    attempt.instrument(span).await.map(|()| true)
}

/// Delivers a message and forgets it, or says when to try again.
async fn attempt(
    state: &AppState,
    delivery: &Delivery,
    letter: Letter,
    attempts: i64,
) -> Result<(), sqlx::Error> {
    let pool = state.database.pool();
    let id = letter.id.clone();
    let started = Instant::now();
    let delivered = delivery.deliver(letter).await;
    let milliseconds = started.elapsed().as_secs_f64() * 1000.0;
    match delivered {
        Ok(()) => {
            tracing::debug!(target: TARGET, milliseconds, "delivered");
            sqlx::query("DELETE FROM outbox WHERE message_id = $1")
                .bind(&id)
                .execute(pool)
                .await?;
        }
        Err(error) => {
            // For the trace: what follows is told in the log.
            tracing::debug!(target: TARGET, milliseconds, %error, "not delivered");
            fail(state, &id, attempts + 1, &error).await?;
        }
    }
    Ok(())
}

/// Keeps why a message was not delivered, and what follows from it.
async fn fail(
    state: &AppState,
    id: &str,
    attempts: i64,
    error: &DeliveryError,
) -> Result<(), sqlx::Error> {
    let now = (state.clock)();
    let (due_at, given_up_at) = match next(attempts, error.is_permanent()) {
        Next::Again(pause) => {
            tracing::warn!(message_id = id, attempts, pause, %error, "a message was not delivered");
            (now + SignedDuration::from_secs(pause), None)
        }
        Next::GiveUp => {
            tracing::error!(
                message_id = id,
                attempts,
                %error,
                "a message was given up; it is kept, and `backend outbox retry` tries it again"
            );
            (now, Some(timestamp::text(now)))
        }
    };
    sqlx::query(
        "UPDATE outbox SET attempts = $1, due_at = $2, given_up_at = $3, error = $4
         WHERE message_id = $5",
    )
    .bind(attempts)
    .bind(timestamp::text(due_at))
    .bind(given_up_at)
    .bind(error.to_string())
    .bind(id)
    .execute(state.database.pool())
    .await
    .map(drop)
}

/// Has what was given up tried again, from the beginning. Returns how many there were.
///
/// # Errors
/// What the database says.
pub async fn retry(database: &Database, now: Timestamp) -> Result<u64, sqlx::Error> {
    sqlx::query(
        "UPDATE outbox SET attempts = 0, due_at = $1, given_up_at = NULL
         WHERE given_up_at IS NOT NULL",
    )
    .bind(timestamp::text(now))
    .execute(database.pool())
    .await
    .map(|result| result.rows_affected())
}

/// How many messages wait for their delivery, and how many were given up.
pub(crate) async fn counts(database: &Database) -> Result<(i64, i64), sqlx::Error> {
    let row = sqlx::query(
        "SELECT count(*) - count(given_up_at) AS waiting, count(given_up_at) AS given_up FROM outbox",
    )
    .fetch_one(database.pool())
    .await?;
    Ok((row.try_get("waiting")?, row.try_get("given_up")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_an_hour_and_end_where_nothing_else_is_to_be_expected() {
        let pauses = |is_permanent| {
            (1..)
                .map_while(|attempts| match next(attempts, is_permanent) {
                    Next::Again(pause) => Some(pause),
                    Next::GiveUp => None,
                })
                .collect::<Vec<i64>>()
        };
        let refused = pauses(true);
        assert_eq!(refused, [10, 20, 40, 80, 160, 320, 640, 1280, 2560]);
        let failed = pauses(false);
        assert_eq!(failed[..9], refused);
        assert_eq!(failed[9..], [3600; 120]);
    }
}
