//! Messages from visitors (`/api/v1/contact`): judged, then kept for the owner.

pub mod delivery;
mod limits;
pub mod outbox;
mod validation;

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::app::{AppState, Site};
use crate::client_address::ClientAddress;
use crate::database::Database;
use crate::json_body::JsonBody;
use crate::problem::Problem;
use crate::{identifier, timestamp};
use limits::Limits;
use validation::ValidMessage;

/// A message as a visitor sends it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct ContactMessage {
    /// Who writes. One line.
    #[cfg_attr(test, schema(min_length = 1, max_length = 100))]
    pub(crate) name: String,
    /// Where to answer.
    #[cfg_attr(test, schema(format = "idn-email", max_length = 254))]
    pub(crate) email: String,
    /// What they have to say. Plain text; may have several lines.
    #[cfg_attr(test, schema(min_length = 1, max_length = 5000))]
    pub(crate) message: String,
    /// Nothing. People do not see this field; what fills it in is not kept.
    #[serde(default)]
    #[cfg_attr(test, schema(required = false))]
    website: String,
}

/// What messages share.
#[derive(Debug)]
pub(crate) struct Contact {
    limits: Mutex<Limits>,
    /// Tells the outbox that there is something in it.
    came: Notify,
}

impl Contact {
    /// No message has come yet.
    pub(crate) fn new(site: &Site) -> Self {
        let limits = Limits::new(site.contact_per_address, site.contact_per_hour);
        Self {
            limits: Mutex::new(limits),
            came: Notify::new(),
        }
    }

    /// Says that there is something in the outbox.
    pub(crate) fn hurry(&self) {
        self.came.notify_one();
    }

    fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The message is kept for the owner.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Receipt {
    /// When it came (RFC 3339, UTC).
    received_at: String,
}

/// Accepts a message for the owner.
#[cfg_attr(test, utoipa::path(post, operation_id = "send_message", path = "/api/v1/contact", tag = "contact",
    request_body = ContactMessage,
    responses(
        (status = 202, description = "The message is kept for the owner", body = Receipt),
        (status = 400, description = "The body is not JSON"),
        (status = 413, description = "The body is longer than 64 KiB"),
        (status = 415, description = "The body is not declared as JSON"),
        (status = 422, description = "Some fields were not accepted"),
        (status = 429, description = "Too many messages came in the last hour"),
    )))]
pub(crate) async fn receive(
    State(state): State<AppState>,
    address: ClientAddress,
    JsonBody(message): JsonBody<ContactMessage>,
) -> Result<(StatusCode, Json<Receipt>), Problem> {
    let received_at = accept(&state, address, message).await?;
    Ok((StatusCode::ACCEPTED, Json(Receipt { received_at })))
}

/// Judges a message and keeps it. Returns when it came.
pub(crate) async fn accept(
    state: &AppState,
    address: ClientAddress,
    message: ContactMessage,
) -> Result<String, Problem> {
    let is_trapped = !message.website.is_empty();
    let message = ValidMessage::try_from(message).map_err(Problem::invalid)?;
    let now = (state.clock)();
    let taken = (state.contact.limits()).take(address, now.as_second(), is_trapped);
    taken.map_err(Problem::too_many_requests)?;
    let received_at = timestamp::text(now);
    // A program that filled in what people do not see learns nothing from the answer.
    if is_trapped {
        return Ok(received_at);
    }
    let id = identifier::ordered(now.as_millisecond());
    if let Err(error) = keep(&state.database, &id, &received_at, &message).await {
        state.contact.limits().give_back(address, now.as_second());
        return Err(error.into());
    }
    state.contact.hurry();
    Ok(received_at)
}

async fn keep(
    database: &Database,
    id: &str,
    received_at: &str,
    message: &ValidMessage,
) -> Result<(), sqlx::Error> {
    let mut transaction = database.write().await?;
    sqlx::query(
        "INSERT INTO contact_messages (id, received_at, name, email, message)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(id)
    .bind(received_at)
    .bind(&message.name)
    .bind(&message.email)
    .bind(&message.message)
    .execute(&mut *transaction)
    .await?;
    sqlx::query("INSERT INTO outbox (message_id, attempts, due_at) VALUES ($1, 0, $2)")
        .bind(id)
        .bind(received_at)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}
