//! Full-text search. The program cuts texts and queries into words, so that both
//! databases find the same: a document that has, for each word of the query, a word
//! that begins with it. Titles count most.

use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};

use crate::content::Content;
use crate::content::post::Post;
use crate::content::project::Project;
use crate::database::Product;
use crate::documents::{self, Document, Order};
use crate::page::Page;

/// How many words of a query count.
const MOST_WORDS: usize = 16;
/// How much of a word counts, in characters.
const LONGEST_WORD: usize = 64;
/// How many words of a document are kept: a `tsvector` holds 1 MB.
const MOST_INDEXED: usize = 15_000;

/// The words of a text: runs of letters and digits, in lower case.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| {
            word.chars()
                .take(LONGEST_WORD)
                .flat_map(char::to_lowercase)
                // The same letter, at the end of a word.
                .map(|letter| if letter == 'ς' { 'σ' } else { letter })
                .collect()
        })
}

/// A query as the database takes it; nothing if it has no word. Words are letters and
/// digits only, so nothing in them means anything to a database.
pub(crate) fn expression(product: Product, query: &str) -> Option<String> {
    let words: Vec<String> = words(query)
        .take(MOST_WORDS)
        .map(|word| match product {
            Product::Sqlite => format!("\"{word}\"*"),
            Product::Postgres => format!("{word}:*"),
        })
        .collect();
    let between = match product {
        Product::Sqlite => " AND ",
        Product::Postgres => " & ",
    };
    (!words.is_empty()).then(|| words.join(between))
}

/// One project or post that was found.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Hit {
    /// `project` or `post`.
    kind: String,
    /// Its name in addresses.
    slug: String,
    /// Its title.
    title: String,
    /// What it is, in a line.
    summary: String,
}

/// Finds what everybody sees at `now`, the best first.
pub(crate) async fn find(
    pool: &AnyPool,
    product: Product,
    query: &str,
    now: &str,
    limit: i64,
) -> Result<Vec<Hit>, sqlx::Error> {
    let Some(expression) = expression(product, query) else {
        return Ok(Vec::new());
    };
    let sql = match product {
        Product::Sqlite => {
            "SELECT search.kind, search.slug, json_extract(documents.body, '$.title') AS title,
             json_extract(documents.body, '$.summary') AS summary FROM search
             JOIN documents USING (kind, slug)
             WHERE search MATCH $1 AND visible_from <= $2
             ORDER BY bm25(search, 0, 0, 10, 1), search.kind, search.slug LIMIT $3"
        }
        Product::Postgres => {
            "SELECT search.kind, search.slug, documents.body::json->>'title' AS title,
             documents.body::json->>'summary' AS summary FROM search
             JOIN documents USING (kind, slug)
             WHERE words @@ to_tsquery('simple', $1) AND visible_from <= $2
             ORDER BY ts_rank(words, to_tsquery('simple', $1)) DESC, search.kind, search.slug
             LIMIT $3"
        }
    };
    sqlx::query(sql)
        .bind(expression)
        .bind(now)
        .bind(limit)
        .try_map(|row: AnyRow| {
            Ok(Hit {
                kind: row.try_get("kind")?,
                slug: row.try_get("slug")?,
                title: row.try_get("title")?,
                summary: row.try_get("summary")?,
            })
        })
        .fetch_all(pool)
        .await
}

/// Takes what a document is found by out of the indexes of words and of tags, and puts
/// `content`'s there.
pub(crate) async fn index<T: Content>(
    connection: &mut AnyConnection,
    slug: &str,
    content: Option<&T>,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM search WHERE kind = $1 AND slug = $2")
        .bind(T::KIND)
        .bind(slug)
        .execute(&mut *connection)
        .await?;
    index_tags(connection, slug, content).await?;
    let Some((title, body)) = content.and_then(Content::searched) else {
        return Ok(());
    };
    let joined = |text: &str| words(text).take(MOST_INDEXED).collect::<Vec<_>>().join(" ");
    sqlx::query("INSERT INTO search (kind, slug, title, body) VALUES ($1, $2, $3, $4)")
        .bind(T::KIND)
        .bind(slug)
        .bind(joined(&title))
        .bind(joined(&body))
        .execute(connection)
        .await
        .map(drop)
}

async fn index_tags<T: Content>(
    connection: &mut AnyConnection,
    slug: &str,
    content: Option<&T>,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM tags WHERE kind = $1 AND slug = $2")
        .bind(T::KIND)
        .bind(slug)
        .execute(&mut *connection)
        .await?;
    for tag in content.map(Content::tags).unwrap_or_default() {
        // One may be there twice.
        let sql = "INSERT INTO tags (kind, slug, tag) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        sqlx::query(sql)
            .bind(T::KIND)
            .bind(slug)
            .bind(tag)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Makes the indexes anew.
pub(crate) async fn rebuild(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM search")
        .execute(&mut *connection)
        .await?;
    index_all::<Project>(connection).await?;
    index_all::<Post>(connection).await
}

async fn index_all<T: Content>(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let everything = Page::first_of(i64::from(i32::MAX));
    let found: Vec<Document<T>> =
        documents::list(&mut *connection, Order::Position, None, None, everything).await?;
    for document in found {
        index(connection, &document.slug, Some(&document.content)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_query_is_its_words_whatever_stands_between_them() {
        let sqlite = |query| expression(Product::Sqlite, query);
        let postgres = |query| expression(Product::Postgres, query);
        assert_eq!(
            sqlite("Tide \"AND* x"),
            Some(r#""tide"* AND "and"* AND "x"*"#.to_owned())
        );
        assert_eq!(postgres("Tide & !x:*"), Some("tide:* & x:*".to_owned()));
        assert_eq!(sqlite("ΟΔΟΣ"), sqlite("οδος"));
        assert_eq!(sqlite(" -\"'()*: "), None);
        assert_eq!(postgres(""), None);
    }

    proptest! {
        #[test]
        fn nothing_in_a_query_reaches_the_database_but_letters_and_digits(query in any::<String>()) {
            if let Some(expression) = expression(Product::Postgres, &query) {
                for word in expression.split(" & ") {
                    let word = word.strip_suffix(":*").expect("a prefix");
                    prop_assert!(!word.is_empty());
                    prop_assert!(!word.contains(['\'', '&', '|', '!', '(', ':', '\\', '<']));
                }
            }
        }
    }
}
