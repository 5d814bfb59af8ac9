//! Messages from visitors (`/api/v1/contact`): judged, then kept for the owner.

mod validation;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::app::AppState;
use crate::database::Database;
use crate::identifier;
use crate::json_body::JsonBody;
use crate::problem::Problem;
use validation::ValidMessage;

/// A message as a visitor sends it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct ContactMessage {
    /// Who writes. One line.
    #[cfg_attr(test, schema(min_length = 1, max_length = 100))]
    name: String,
    /// Where to answer.
    #[cfg_attr(test, schema(format = "email", max_length = 254))]
    email: String,
    /// What they have to say. Plain text; may have several lines.
    #[cfg_attr(test, schema(min_length = 1, max_length = 5000))]
    message: String,
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
        (status = 413, description = "The body is too long"),
        (status = 415, description = "The body is not declared as JSON"),
        (status = 422, description = "Some fields were not accepted"),
    )))]
pub(crate) async fn receive(
    State(state): State<AppState>,
    JsonBody(message): JsonBody<ContactMessage>,
) -> Result<(StatusCode, Json<Receipt>), Problem> {
    let message = ValidMessage::try_from(message).map_err(Problem::invalid)?;
    let received_at = state.now();
    let id = identifier::ordered((state.clock)().as_millisecond());
    keep(&state.database, &id, &received_at, &message).await?;
    Ok((StatusCode::ACCEPTED, Json(Receipt { received_at })))
}

async fn keep(
    database: &Database,
    id: &str,
    received_at: &str,
    message: &ValidMessage,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO contact_messages (id, received_at, name, email, message)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(id)
    .bind(received_at)
    .bind(&message.name)
    .bind(&message.email)
    .bind(&message.message)
    .execute(database.pool())
    .await
    .map(drop)
}
