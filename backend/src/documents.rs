//! Documents in the database. Each has a version, new with every change, by which
//! an editor says what they have seen.

use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Executor, Row};

use crate::content::Content;
use crate::identifier;
use crate::page::Page;

/// A document as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Document<T> {
    /// Its name in addresses.
    pub(crate) slug: String,
    /// What an editor wrote.
    pub(crate) content: T,
    /// Which change made it so.
    pub(crate) version: String,
    /// When that was.
    pub(crate) updated_at: String,
    /// From when everybody sees it.
    pub(crate) visible_from: Option<String>,
}

const COLUMNS: &str = "SELECT slug, body, version, updated_at, visible_from FROM documents";

fn document<T: Content>(row: &AnyRow) -> Result<Document<T>, sqlx::Error> {
    let body: String = row.try_get("body")?;
    Ok(Document {
        slug: row.try_get("slug")?,
        content: serde_json::from_str(&body).map_err(|error| sqlx::Error::Decode(error.into()))?,
        version: row.try_get("version")?,
        updated_at: row.try_get("updated_at")?,
        visible_from: row.try_get("visible_from")?,
    })
}

/// The document, draft or not.
pub(crate) async fn find<T: Content>(
    executor: impl Executor<'_, Database = Any>,
    slug: &str,
) -> Result<Option<Document<T>>, sqlx::Error> {
    let sql = format!("{COLUMNS} WHERE kind = $1 AND slug = $2");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(T::KIND)
        .bind(slug)
        .fetch_optional(executor)
        .await?;
    row.as_ref().map(document).transpose()
}

/// The document, if everybody sees it at `now`.
pub(crate) async fn find_visible<T: Content>(
    executor: impl Executor<'_, Database = Any>,
    slug: &str,
    now: &str,
) -> Result<Option<Document<T>>, sqlx::Error> {
    let found = find::<T>(executor, slug).await?;
    Ok(found.filter(|document| {
        document
            .visible_from
            .as_deref()
            .is_some_and(|from| from <= now)
    }))
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// As the owner arranged them.
    Position,
    /// What everybody saw last comes first; drafts before all.
    Newest,
}

/// One page of what everybody sees at `now`, or of everything without it, that has `tag`,
/// if there is one, and one document more if there is another page.
pub(crate) async fn list<T: Content>(
    executor: impl Executor<'_, Database = Any>,
    order: Order,
    now: Option<&str>,
    tag: Option<&str>,
    page: Page,
) -> Result<Vec<Document<T>>, sqlx::Error> {
    let order = match order {
        Order::Position => "position, slug",
        Order::Newest => "visible_from DESC NULLS FIRST, slug",
    };
    let visible = match now {
        Some(_) => "visible_from <= $4",
        None => "$4 = ''",
    };
    let tagged = match tag {
        Some(_) => "slug IN (SELECT slug FROM tags WHERE kind = $1 AND tag = $5)",
        None => "$5 = ''",
    };
    let sql = format!(
        "{COLUMNS} WHERE kind = $1 AND {visible} AND {tagged} ORDER BY {order} LIMIT $2 OFFSET $3"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(T::KIND)
        .bind(page.limit())
        .bind(page.offset())
        .bind(now.unwrap_or_default())
        .bind(tag.unwrap_or_default())
        .fetch_all(executor)
        .await?;
    rows.iter().map(document).collect()
}

/// What must be there for a change to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    /// No document of this name.
    Nothing,
    /// This version.
    Version(String),
}

/// Writes a document, if what is there is what was expected. Returns the new version.
pub(crate) async fn write<T: Content>(
    connection: &mut AnyConnection,
    slug: &str,
    content: &T,
    expected: &Expected,
    now: &str,
) -> Result<Option<String>, sqlx::Error> {
    let body = serde_json::to_string(content).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let version = identifier::random();
    let (sql, seen) = match expected {
        Expected::Nothing => (
            "INSERT INTO documents (kind, slug, body, position, visible_from, version, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (kind, slug) DO NOTHING",
            None,
        ),
        Expected::Version(seen) => (
            "UPDATE documents SET body = $3, position = $4, visible_from = $5, version = $6,
             updated_at = $7 WHERE kind = $1 AND slug = $2 AND version = $8",
            Some(seen),
        ),
    };
    let query = sqlx::query(sql)
        .bind(T::KIND)
        .bind(slug)
        .bind(body)
        .bind(content.position())
        .bind(content.visible_from(now))
        .bind(&version)
        .bind(now);
    let query = match seen {
        Some(seen) => query.bind(seen),
        None => query,
    };
    let written = query.execute(connection).await?.rows_affected();
    Ok((written == 1).then_some(version))
}

/// Deletes a document, if this version of it is there. Returns whether it was.
pub(crate) async fn delete<T: Content>(
    connection: &mut AnyConnection,
    slug: &str,
    version: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query("DELETE FROM documents WHERE kind = $1 AND slug = $2 AND version = $3")
        .bind(T::KIND)
        .bind(slug)
        .bind(version)
        .execute(connection)
        .await
        .map(|result| result.rows_affected() == 1)
}
