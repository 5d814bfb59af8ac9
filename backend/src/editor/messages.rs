//! What visitors wrote, for the owner (`/api/v1/editor/messages`).

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use super::{ContactDelete, ContactRead, Editor};
use crate::app::AppState;
use crate::audit::{self, Change};
use crate::identifier;
use crate::page::Page;
use crate::problem::Problem;
use crate::slug;

/// A page of messages, the newest first.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct MessageList {
    /// The messages.
    messages: Vec<KeptMessage>,
    /// The number of the next page, if there is one.
    next_page: Option<i64>,
}

/// A message.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct KeptMessage {
    /// Its name in addresses.
    id: String,
    /// When it came (RFC 3339, UTC).
    received_at: String,
    /// Who wrote.
    name: String,
    /// Where to answer.
    email: String,
    /// What they had to say.
    message: String,
    /// How far its delivery is.
    delivery: DeliveryState,
}

/// How far the delivery of a message is.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct DeliveryState {
    /// `delivered`, `waiting`, or `given_up` where it was tried in vain for too long.
    state: &'static str,
    /// How often it was tried in vain.
    attempts: i64,
    /// Why the last attempt failed, if it is not delivered.
    error: Option<String>,
}

const SELECT: &str = "SELECT id, received_at, name, email, message, message_id, attempts,
    given_up_at, error FROM contact_messages LEFT JOIN outbox ON message_id = id";

fn message(row: &AnyRow) -> Result<KeptMessage, sqlx::Error> {
    let waiting: Option<String> = row.try_get("message_id")?;
    let given_up_at: Option<String> = row.try_get("given_up_at")?;
    let state = match (waiting, given_up_at) {
        (None, _) => "delivered",
        (Some(_), None) => "waiting",
        (Some(_), Some(_)) => "given_up",
    };
    Ok(KeptMessage {
        delivery: DeliveryState {
            state,
            attempts: row.try_get::<Option<i64>, _>("attempts")?.unwrap_or(0),
            error: row.try_get("error")?,
        },
        id: row.try_get("id")?,
        received_at: row.try_get("received_at")?,
        name: row.try_get("name")?,
        email: row.try_get("email")?,
        message: row.try_get("message")?,
    })
}

/// What visitors wrote.
#[cfg_attr(test, utoipa::path(get, operation_id = "list_messages", path = "/api/v1/editor/messages", tag = "editor",
    params(Page), security(("token" = [])),
    responses(
        (status = 200, description = "A page of messages", body = MessageList),
        (status = 401, description = "There is no good token"),
        (status = 422, description = "No list has such a page"),
    )))]
pub(crate) async fn list(
    _editor: Editor<ContactRead>,
    State(state): State<AppState>,
    Query(page): Query<Page>,
) -> Result<Json<MessageList>, Problem> {
    let page = page.judged()?;
    let mut messages = sqlx::query(AssertSqlSafe(format!(
        "{SELECT} ORDER BY id DESC LIMIT $1 OFFSET $2"
    )))
    .bind(page.limit())
    .bind(page.offset())
    .try_map(|row: AnyRow| message(&row))
    .fetch_all(state.database.pool())
    .await?;
    let next_page = page.next(&mut messages);
    Ok(Json(MessageList {
        messages,
        next_page,
    }))
}

/// One message.
#[cfg_attr(test, utoipa::path(get, operation_id = "read_message", path = "/api/v1/editor/messages/{id}", tag = "editor",
    params(("id" = String, Path, description = "The message's id")), security(("token" = [])),
    responses(
        (status = 200, description = "The message", body = KeptMessage),
        (status = 401, description = "There is no good token"),
        (status = 404, description = "There is no such message"),
    )))]
pub(crate) async fn read(
    _editor: Editor<ContactRead>,
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<Json<KeptMessage>, Problem> {
    slug::judge(&id)?;
    let row = sqlx::query(AssertSqlSafe(format!("{SELECT} WHERE id = $1")))
        .bind(&id)
        .fetch_optional(state.database.pool())
        .await?;
    match row {
        Some(row) => Ok(Json(message(&row)?)),
        None => Err(Problem::not_found("there is no message of this id")),
    }
}

/// Deletes a message, delivered or not. The audit keeps its digest, not its words.
#[cfg_attr(test, utoipa::path(delete, operation_id = "delete_message", path = "/api/v1/editor/messages/{id}", tag = "editor",
    params(("id" = String, Path, description = "The message's id")), security(("token" = [])),
    responses(
        (status = 204, description = "It is deleted"),
        (status = 401, description = "There is no good token"),
        (status = 404, description = "There is no such message"),
    )))]
pub(crate) async fn delete(
    editor: Editor<ContactDelete>,
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    slug::judge(&id)?;
    let now = (state.clock)();
    let mut transaction = state.database.write().await?;
    let row = sqlx::query("DELETE FROM contact_messages WHERE id = $1 RETURNING *")
        .bind(&id)
        .fetch_optional(&mut *transaction)
        .await?;
    let Some(row) = row else {
        return Err(Problem::not_found("there is no message of this id"));
    };
    let mut words = serde_json::Map::new();
    for column in ["id", "received_at", "name", "email", "message"] {
        words.insert(column.to_owned(), row.try_get::<String, _>(column)?.into());
    }
    let message = Value::Object(words).to_string();
    let change = Change {
        actor: &editor.actor,
        action: "delete",
        subject: format!("message {id}"),
        before: Some(format!("sha256:{}", identifier::digest(message.as_bytes()))),
        after: None,
    };
    audit::record(&mut transaction, now, change).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
