//! Backups: every row of every table of ours, in one file that either database reads.
//!
//! The file is text, one JSON value a line: a head with the schema, then rows, each a
//! list of its table and its values, then the SHA-256 of all the lines before. What
//! is made from documents (the search index) is not in it.

use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use futures_util::TryStreamExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Column, Row, TypeInfo, ValueRef};

use crate::audit::{self, Change, OPERATOR};
use crate::database::{self, Database, NEWEST_SCHEMA};
use crate::{search, timestamp};

const FORMAT: &str = "portfolio-backup";

/// Every table of ours, parents before children, and its columns.
const TABLES: [(&str, &[&str]); 5] = [
    (
        "documents",
        &[
            "kind",
            "slug",
            "body",
            "position",
            "visible_from",
            "version",
            "updated_at",
        ],
    ),
    (
        "contact_messages",
        &["id", "received_at", "name", "email", "message"],
    ),
    (
        "outbox",
        &["message_id", "attempts", "due_at", "given_up_at", "error"],
    ),
    (
        "tokens",
        &[
            "id",
            "name",
            "hash",
            "scopes",
            "created_at",
            "expires_at",
            "last_used_at",
            "revoked_at",
        ],
    ),
    (
        "audit",
        &["id", "at", "actor", "action", "subject", "before", "after"],
    ),
];

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    format: String,
    schema: i64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    sha256: String,
}

/// Why a backup was not made or not restored. Whatever was there is as it was.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file could not be written or read.
    #[error("{} could not be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It is not a backup, or it was changed or cut since.
    #[error("line {line} of the backup is not what was written: {why}")]
    Damaged {
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        why: &'static str,
    },
    /// It was made by a program with another schema.
    #[error(
        "the backup has schema {found}, and this version only restores schema {NEWEST_SCHEMA}: restore it with the version that made it, and start this one on that database"
    )]
    Schema {
        /// The schema of the backup.
        found: i64,
    },
    /// There is something in the database that would be lost.
    #[error("the database is not empty: `restore --replace` deletes what is in it")]
    NotEmpty,
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl BackupError {
    fn file(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::File {
            path: path.to_owned(),
            source,
        }
    }
}

/// Writes a backup of one moment to a file that is not there yet. The service may run.
///
/// # Errors
/// If the file is there, or anything else fails; no file is left then.
pub async fn create(database: &Database, path: &Path) -> Result<u64, BackupError> {
    let failed = BackupError::file(path);
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(&failed)?;
    let written = write(database, BufWriter::new(file), &failed).await;
    if written.is_err() {
        // It is incomplete, and its end would say so.
        let _ = fs_err::remove_file(path);
    }
    written
}

async fn write(
    database: &Database,
    file: BufWriter<std::fs::File>,
    failed: &impl Fn(io::Error) -> BackupError,
) -> Result<u64, BackupError> {
    let mut lines = Lines {
        file,
        hash: Sha256::new(),
    };
    let head = Head {
        format: FORMAT.to_owned(),
        schema: NEWEST_SCHEMA,
    };
    lines.write(&head).map_err(failed)?;
    let mut count = 0;
    let mut snapshot = database.snapshot().await?;
    for (table, columns) in TABLES {
        let sql = format!("SELECT {} FROM {table} ORDER BY 1, 2", columns.join(", "));
        let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut *snapshot);
        while let Some(row) = rows.try_next().await? {
            lines.write(&(table, values(&row)?)).map_err(failed)?;
            count += 1;
        }
    }
    let sha256 = hex::encode(lines.hash.clone().finalize());
    lines.write(&End { sha256 }).map_err(failed)?;
    let file = lines
        .file
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    Ok(count)
}

struct Lines {
    file: BufWriter<std::fs::File>,
    hash: Sha256,
}

impl Lines {
    fn write(&mut self, value: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.hash.update(&line);
        self.file.write_all(&line)
    }
}

fn values(row: &AnyRow) -> Result<Vec<Value>, sqlx::Error> {
    row.columns()
        .iter()
        .map(|column| {
            let index = column.ordinal();
            let raw = row.try_get_raw(index)?;
            Ok(match raw.type_info().name() {
                _ if raw.is_null() => Value::Null,
                "TEXT" => Value::String(row.try_get(index)?),
                _ => Value::from(row.try_get::<i64, _>(index)?),
            })
        })
        .collect()
}

/// What a restore may do, and what it leaves as it was when the backup was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restore {
    /// What is in the database is deleted.
    pub replace: bool,
    /// Tokens are as good as they were. Without it they are all revoked: the backup does
    /// not know which were revoked since.
    pub with_tokens: bool,
    /// What was still to be delivered counts as delivered.
    pub delivered: bool,
}

/// Puts the rows of a backup into the database, all or none. The audit says so.
///
/// # Errors
/// If anything fails; the database is as it was then.
pub async fn restore(
    database: &Database,
    path: &Path,
    restore: Restore,
    now: Timestamp,
) -> Result<u64, BackupError> {
    let failed = BackupError::file(path);
    let file = BufReader::new(
        std::fs::OpenOptions::new()
            .read(true)
            .open(path)
            .map_err(&failed)?,
    );
    let mut transaction = database.exclusive().await?;
    for (table, _) in TABLES.iter().rev() {
        if !restore.replace && database::count(&mut transaction, table).await? > 0 {
            return Err(BackupError::NotEmpty);
        }
        sqlx::query(AssertSqlSafe(format!("DELETE FROM {table}")))
            .execute(&mut *transaction)
            .await?;
    }
    let (count, sha256) = insert_rows(&mut transaction, file, &failed).await?;
    if !restore.with_tokens {
        sqlx::query("UPDATE tokens SET revoked_at = $1 WHERE revoked_at IS NULL")
            .bind(timestamp::text(now))
            .execute(&mut *transaction)
            .await?;
    }
    if restore.delivered {
        sqlx::query("DELETE FROM outbox")
            .execute(&mut *transaction)
            .await?;
    }
    let change = Change {
        actor: OPERATOR,
        action: "restore",
        subject: format!("backup sha256:{sha256}"),
        before: None,
        after: Some(
            json!({"rows": count, "with_tokens": restore.with_tokens,
            "delivered": restore.delivered})
            .to_string(),
        ),
    };
    audit::record(&mut transaction, now, change).await?;
    search::rebuild(&mut transaction).await?;
    transaction.commit().await?;
    Ok(count)
}

/// Inserts the rows of a backup. Returns how many they are, and the checksum at its end.
async fn insert_rows(
    connection: &mut AnyConnection,
    file: BufReader<std::fs::File>,
    failed: &impl Fn(io::Error) -> BackupError,
) -> Result<(u64, String), BackupError> {
    let mut hash = Sha256::new();
    let mut count = 0;
    let mut end: Option<String> = None;
    for (index, line) in file.lines().enumerate() {
        let line = line.map_err(failed)?;
        let number = index + 1;
        let damaged = |why| BackupError::Damaged { line: number, why };
        if end.is_some() {
            return Err(damaged("it is after the end"));
        }
        if number == 1 {
            judge_head(&line)?;
        } else if let Ok(End { sha256 }) = serde_json::from_str(&line) {
            if sha256 != hex::encode(hash.clone().finalize()) {
                return Err(damaged("the checksum is another"));
            }
            end = Some(sha256);
            continue;
        }
        hash.update(line.as_bytes());
        hash.update(b"\n");
        if number > 1 {
            let (table, columns, values) = row(&line).map_err(damaged)?;
            insert(connection, table, columns, values).await?;
            count += 1;
        }
    }
    let sha256 = end.ok_or(BackupError::Damaged {
        line: usize::try_from(count).unwrap_or_default() + 2,
        why: "the end is missing",
    })?;
    Ok((count, sha256))
}

/// The table, its columns, and their values.
fn row(line: &str) -> Result<(&'static str, &'static [&'static str], Vec<Value>), &'static str> {
    let (table, values): (String, Vec<Value>) =
        serde_json::from_str(line).map_err(|_| "it is no row")?;
    let (table, columns) = TABLES
        .into_iter()
        .find(|(name, columns)| *name == table && columns.len() == values.len())
        .ok_or("it is no row of a table of ours")?;
    Ok((table, columns, values))
}

fn judge_head(line: &str) -> Result<(), BackupError> {
    match serde_json::from_str::<Head>(line) {
        Ok(head) if head.format != FORMAT => Err(()),
        Ok(head) if head.schema != NEWEST_SCHEMA => {
            return Err(BackupError::Schema { found: head.schema });
        }
        Ok(_) => Ok(()),
        Err(_) => Err(()),
    }
    .map_err(|()| BackupError::Damaged {
        line: 1,
        why: "it is no backup of this program",
    })
}

async fn insert(
    connection: &mut AnyConnection,
    table: &str,
    columns: &[&str],
    values: Vec<Value>,
) -> Result<(), sqlx::Error> {
    let places: Vec<String> = (1..=columns.len())
        .map(|place| format!("${place}"))
        .collect();
    let sql = format!(
        "INSERT INTO {table} ({}) VALUES ({})",
        columns.join(", "),
        places.join(", ")
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for value in values {
        query = match value {
            Value::Number(number) => query.bind(number.as_i64()),
            Value::String(text) => query.bind(text),
            // Every column that may be null is text.
            _ => query.bind(None::<String>),
        };
    }
    query.execute(connection).await.map(drop)
}
