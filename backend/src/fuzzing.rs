//! The doors through which `fuzz/` hands in foreign text. There are none in a build
//! that does not fuzz.

use sqlx::AnyPool;
use sqlx::any::AnyPoolOptions;
use tokio::runtime::{Builder, Runtime};

use crate::content::post::Post;
use crate::database::{self, Product};
use crate::{markdown, search};

/// A moment at which everybody sees the document of [`Searched`].
const NOW: &str = "2026-01-31T09:30:00.000Z";

/// The HTML of Markdown. Its words are taken too.
pub fn renders(text: &str) -> String {
    markdown::to_text(text);
    markdown::to_html(text)
}

/// A query as PostgreSQL takes it; nothing if it has no word.
pub fn postgres_expression(query: &str) -> Option<String> {
    search::expression(Product::Postgres, query)
}

/// A database in memory with one document.
#[derive(Debug)]
pub struct Searched {
    pool: AnyPool,
    runtime: Runtime,
}

impl Searched {
    /// Makes the database, with its newest schema.
    ///
    /// # Panics
    ///
    /// Where SQLite refuses that.
    pub fn open() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("there are threads");
        let pool = runtime.block_on(pool()).expect("there is memory");
        Self { pool, runtime }
    }

    /// Whether the document is found by `query` where `text` is all that it says.
    ///
    /// # Panics
    ///
    /// Where SQLite refuses the text or the query.
    pub fn finds(&self, text: &str, query: &str) -> bool {
        let found = self.runtime.block_on(async {
            let mut connection = self.pool.acquire().await?;
            search::index(&mut connection, "a", Some(&post(text))).await?;
            drop(connection);
            search::find(&self.pool, Product::Sqlite, query, NOW, 10).await
        });
        !found.expect("a query is never an error").is_empty()
    }
}

/// A pool of one connection, which stays: the database goes with it.
async fn pool() -> Result<AnyPool, Box<dyn std::error::Error>> {
    sqlx::any::install_default_drivers();
    let pool = AnyPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect("sqlite::memory:")
        .await?;
    let mut connection = pool.acquire().await?;
    database::migrate(Product::Sqlite, &mut connection).await?;
    sqlx::query("INSERT INTO documents VALUES ('post', 'a', $2, 0, $1, 'a', $1)")
        .bind(NOW)
        .bind(r#"{"title": "", "summary": ""}"#)
        .execute(&mut *connection)
        .await?;
    drop(connection);
    Ok(pool)
}

fn post(text: &str) -> Post {
    Post {
        title: String::new(),
        summary: text.to_owned(),
        markdown: String::new(),
        tags: Vec::new(),
        published_at: None,
    }
}
