//! Tokens of editors: `ID.SECRET`, both random. The database has the secret's hash,
//! so that who reads the database cannot write to it.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde_json::json;
use sqlx::any::AnyRow;
use sqlx::{Any, Executor, Row};
use subtle::ConstantTimeEq;

use crate::audit::{self, Change, OPERATOR};
use crate::database::Database;
use crate::{identifier, timestamp};

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Reading and changing documents, drafts included.
    ContentWrite,
    /// Reading contact messages.
    ContactRead,
    /// Deleting contact messages.
    ContactDelete,
    /// Reading what was changed.
    AuditRead,
}

impl Scope {
    /// Every scope, with its name.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::ContentWrite, "content:write"),
        (Self::ContactRead, "contact:read"),
        (Self::ContactDelete, "contact:delete"),
        (Self::AuditRead, "audit:read"),
    ];
}

impl FromStr for Scope {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut all = Self::ALL.into_iter();
        all.find(|(_, name)| *name == text)
            .map(|(scope, _)| scope)
            .ok_or(())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = Self::ALL.into_iter();
        let name = all.find(|(scope, _)| scope == self).map(|(_, name)| name);
        formatter.write_str(name.unwrap_or_default())
    }
}

/// A token, as far as the database knows it.
#[derive(Debug, Clone)]
pub struct Token {
    /// Its public half.
    pub id: String,
    /// Whose it is.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it was made (RFC 3339, UTC).
    pub created_at: String,
    /// When it ends.
    pub expires_at: Option<String>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<String>,
    /// When it was taken back.
    pub revoked_at: Option<String>,
}

/// A new token, shown once: `Debug` does not print it.
pub struct Secret(String);

impl Secret {
    /// The whole token, for whoever asked for it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// Makes a token. `expires_at` is none for one that does not end.
///
/// # Errors
/// What the database says.
pub async fn create(
    database: &Database,
    name: &str,
    scopes: &[Scope],
    expires_at: Option<&str>,
    now: Timestamp,
) -> Result<Secret, sqlx::Error> {
    let id = hex::encode(identifier::random_bytes::<8>());
    let secret = hex::encode(identifier::random_bytes::<32>());
    let scopes: Vec<String> = scopes.iter().map(Scope::to_string).collect();
    let mut transaction = database.write().await?;
    sqlx::query(
        "INSERT INTO tokens (id, name, hash, scopes, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&id)
    .bind(name)
    .bind(identifier::digest(secret.as_bytes()))
    .bind(scopes.join(" "))
    .bind(timestamp::text(now))
    .bind(expires_at)
    .execute(&mut *transaction)
    .await?;
    let change = Change {
        actor: OPERATOR,
        action: "create",
        subject: format!("token {id}"),
        before: None,
        after: Some(json!({"name": name, "scopes": scopes, "expires_at": expires_at}).to_string()),
    };
    audit::record(&mut transaction, now, change).await?;
    transaction.commit().await?;
    Ok(Secret(format!("{id}.{secret}")))
}

/// Every token that was ever made, the oldest first.
///
/// # Errors
/// What the database says.
pub async fn list(database: &Database) -> Result<Vec<Token>, sqlx::Error> {
    sqlx::query("SELECT * FROM tokens ORDER BY created_at, id")
        .try_map(|row: AnyRow| token(&row))
        .fetch_all(database.pool())
        .await
}

/// Takes a token back. Returns whether there was one to take.
///
/// # Errors
/// What the database says.
pub async fn revoke(database: &Database, id: &str, now: Timestamp) -> Result<bool, sqlx::Error> {
    let mut transaction = database.write().await?;
    let sql = "UPDATE tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    let revoked = sqlx::query(sql)
        .bind(id)
        .bind(timestamp::text(now))
        .execute(&mut *transaction)
        .await?;
    if revoked.rows_affected() == 0 {
        return Ok(false);
    }
    let change = Change {
        actor: OPERATOR,
        action: "revoke",
        subject: format!("token {id}"),
        before: None,
        after: None,
    };
    audit::record(&mut transaction, now, change).await?;
    transaction.commit().await?;
    Ok(true)
}

/// The token that was presented, if it is good at `now`. Notes when it was used.
pub(crate) async fn authenticate(
    database: &Database,
    presented: &str,
    now: &str,
) -> Result<Option<Token>, sqlx::Error> {
    let Some((id, secret)) = presented.split_once('.') else {
        return Ok(None);
    };
    let is_plain = |text: &str, length| {
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    if !is_plain(id, 16) || !is_plain(secret, 64) {
        return Ok(None);
    }
    let Some(row) = sqlx::query("SELECT * FROM tokens WHERE id = $1")
        .bind(id)
        .fetch_optional(database.pool())
        .await?
    else {
        return Ok(None);
    };
    let hash: String = row.try_get("hash")?;
    let given = identifier::digest(secret.as_bytes());
    let is_it: bool = given.as_bytes().ct_eq(hash.as_bytes()).into();
    let token = token(&row)?;
    let is_good = token.revoked_at.is_none()
        && token
            .expires_at
            .as_deref()
            .is_none_or(|expiry| now < expiry);
    if !is_it || !is_good {
        return Ok(None);
    }
    // Once a minute: a read would be a write otherwise.
    if token.last_used_at.as_ref().map(|used| &used[..16]) != Some(&now[..16]) {
        // Somebody else may be writing: that must not stop who only reads.
        if let Err(error) = note_use(database.pool(), &token.id, now).await {
            tracing::warn!(%error, "the use of a token was not noted");
        }
    }
    Ok(Some(token))
}

async fn note_use(
    executor: impl Executor<'_, Database = Any>,
    id: &str,
    now: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE tokens SET last_used_at = $2 WHERE id = $1")
        .bind(id)
        .bind(now)
        .execute(executor)
        .await
        .map(drop)
}

fn token(row: &AnyRow) -> Result<Token, sqlx::Error> {
    let scopes: String = row.try_get("scopes")?;
    Ok(Token {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        scopes: scopes
            .split(' ')
            .filter_map(|scope| scope.parse().ok())
            .collect(),
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
        last_used_at: row.try_get("last_used_at")?,
        revoked_at: row.try_get("revoked_at")?,
    })
}
