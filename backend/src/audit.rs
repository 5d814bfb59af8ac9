//! The record of every change: who, what, when, and what it was before and after.

use sqlx::AnyConnection;

use crate::identifier;

/// Whoever runs the program's commands.
pub(crate) const OPERATOR: &str = "operator";

/// One change.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    /// Whose token it was, or [`OPERATOR`].
    pub(crate) actor: &'a str,
    /// `create`, `replace` or `delete`; `revoke` a token, `restore` a backup.
    pub(crate) action: &'static str,
    /// The kind and name of what was changed.
    pub(crate) subject: String,
    /// What it was, as JSON or as a digest.
    pub(crate) before: Option<String>,
    /// What it is.
    pub(crate) after: Option<String>,
}

/// Records a change, in the transaction that makes it.
pub(crate) async fn record(
    connection: &mut AnyConnection,
    now: jiff::Timestamp,
    change: Change<'_>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO audit (id, at, actor, action, subject, before, after)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(identifier::ordered(now.as_millisecond()))
    .bind(crate::timestamp::text(now))
    .bind(change.actor)
    .bind(change.action)
    .bind(change.subject)
    .bind(change.before)
    .bind(change.after)
    .execute(connection)
    .await
    .map(drop)
}
