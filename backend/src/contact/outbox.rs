//! Delivering what is kept: a message is in the outbox from the transaction that
//! keeps it until it was delivered, however often the mail server or this process
//! fails in between.

use std::time::Duration;

use jiff::SignedDuration;
use sqlx::Row;

use super::delivery::{Delivery, Letter};
use crate::app::AppState;
use crate::timestamp;

/// How often the outbox is looked at when nobody calls.
const PERIOD: Duration = Duration::from_secs(5);
/// How long one delivery may take before another process takes it over, in seconds.
const LEASE: i64 = 120;
/// The shortest and the longest pause after a failure, in seconds.
const PAUSES: (i64, i64) = (10, 3600);

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
    let after = |seconds| timestamp::text(now + SignedDuration::from_secs(seconds));
    let Some(row) = sqlx::query(
        "SELECT id, received_at, name, email, message, attempts, due_at FROM outbox
         JOIN contact_messages ON id = message_id WHERE due_at <= $1 ORDER BY due_at LIMIT 1",
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
            .bind(after(LEASE))
            .bind(&id)
            .bind(row.try_get::<String, _>("due_at")?)
            .execute(pool)
            .await?;
    if claimed.rows_affected() == 0 {
        // Another process has it.
        return Ok(true);
    }
    match delivery.deliver(letter).await {
        Ok(()) => {
            sqlx::query("DELETE FROM outbox WHERE message_id = $1")
                .bind(&id)
                .execute(pool)
                .await?;
        }
        Err(error) => {
            let pause = (PAUSES.0 << attempts.clamp(0, 10)).min(PAUSES.1);
            tracing::warn!(message_id = id, attempts, pause, %error, "a message was not delivered");
            sqlx::query("UPDATE outbox SET attempts = $1, due_at = $2 WHERE message_id = $3")
                .bind(attempts + 1)
                .bind(after(pause))
                .bind(&id)
                .execute(pool)
                .await?;
        }
    }
    Ok(true)
}
