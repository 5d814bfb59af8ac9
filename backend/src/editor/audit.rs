//! What was changed (`/api/v1/editor/audit`).

use axum::Json;
use axum::extract::{Query, State};
use serde::Serialize;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{AuditRead, Editor};
use crate::app::AppState;
use crate::page::Page;
use crate::problem::Problem;

/// A page of changes, the newest first.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct ChangeList {
    /// The changes.
    changes: Vec<RecordedChange>,
    /// The number of the next page, if there is one.
    next_page: Option<i64>,
}

/// A change.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct RecordedChange {
    /// When (RFC 3339, UTC).
    at: String,
    /// Whose token it was; `operator` is whoever runs the program's commands.
    actor: String,
    /// `create`, `replace` or `delete`; `revoke` a token, `restore` a backup.
    action: String,
    /// The kind and name of what was changed.
    subject: String,
    /// What it was: JSON, or the digest of a message.
    before: Option<String>,
    /// What it was afterwards.
    after: Option<String>,
}

/// What was changed.
#[cfg_attr(test, utoipa::path(get, operation_id = "list_changes", path = "/api/v1/editor/audit", tag = "editor",
    params(Page), security(("token" = [])),
    responses(
        (status = 200, description = "A page of changes", body = ChangeList),
        (status = 401, description = "There is no good token"),
        (status = 422, description = "No list has such a page"),
    )))]
pub(crate) async fn list(
    _editor: Editor<AuditRead>,
    State(state): State<AppState>,
    Query(page): Query<Page>,
) -> Result<Json<ChangeList>, Problem> {
    let page = page.judged()?;
    let mut changes = sqlx::query("SELECT * FROM audit ORDER BY id DESC LIMIT $1 OFFSET $2")
        .bind(page.limit())
        .bind(page.offset())
        .try_map(|row: AnyRow| {
            Ok(RecordedChange {
                at: row.try_get("at")?,
                actor: row.try_get("actor")?,
                action: row.try_get("action")?,
                subject: row.try_get("subject")?,
                before: row.try_get("before")?,
                after: row.try_get("after")?,
            })
        })
        .fetch_all(state.database.pool())
        .await?;
    let next_page = page.next(&mut changes);
    Ok(Json(ChangeList { changes, next_page }))
}
