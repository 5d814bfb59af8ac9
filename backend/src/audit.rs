//! The record of every change: who, what, when, and what it was before and after.

use sqlx::AnyConnection;

use crate::identifier;

/// One change.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    /// Whose token it was.
    pub(crate) actor: &'a str,
    /// `create`, `replace` or `delete`.
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
