use std::collections::BTreeSet;
use std::path::PathBuf;

use sqlx::SqlitePool;
use tempfile::TempDir;

use super::*;

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("data/portfolio.sqlite");
    (directory, path)
}

async fn count_projects(database: &SqlitePool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM projects")
        .fetch_one(database)
        .await
        .expect("a count")
}

/// Opens, changes by `sql`, closes, and opens again.
async fn reopen_after(sql: &'static str) -> Result<SqlitePool, OpenError> {
    let (_directory, path) = place();
    let database = open(&path).await.expect("a new database");
    sqlx::raw_sql(sql)
        .execute(&database)
        .await
        .expect("a change");
    database.close().await;
    open(&path).await
}

#[tokio::test]
async fn a_new_database_is_made_with_its_directory_and_seeded() {
    let (_directory, path) = place();
    let database = open(&path).await.expect("a new database");
    assert!(path.is_file());
    assert_eq!(count_projects(&database).await, 3);
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&database)
        .await
        .expect("a journal mode");
    assert_eq!(journal, "wal");
}

#[tokio::test]
async fn content_is_left_alone_when_the_database_is_opened_again() {
    let database = reopen_after("DELETE FROM projects WHERE slug = 'tidewater'")
        .await
        .expect("the same database");
    assert_eq!(count_projects(&database).await, 2);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let error = reopen_after(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'from the future', TRUE, x'00', 0)",
    )
    .await
    .expect_err("a newer database");
    assert!(
        matches!(error, OpenError::Foreign { applied: 9999, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_migration_that_was_changed_later_is_refused() {
    let error = reopen_after("UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 1")
        .await
        .expect_err("a changed migration");
    assert!(matches!(error, OpenError::Changed(1)), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_as_it_was() {
    let (directory, _) = place();
    let path = directory.path().join("letter.txt");
    let letter = "Dear reader, this is not a database. ".repeat(100);
    tokio::fs::write(&path, &letter).await.expect("a file");
    let error = open(&path).await.expect_err("not a database");
    assert!(matches!(error, OpenError::NotADatabase), "{error}");
    assert_eq!(
        tokio::fs::read_to_string(&path).await.expect("a file"),
        letter
    );
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_named() {
    let (directory, _) = place();
    let file = directory.path().join("file");
    tokio::fs::write(&file, "").await.expect("a file");
    let error = open(&file.join("portfolio.sqlite"))
        .await
        .expect_err("a file in the way");
    assert!(
        matches!(&error, OpenError::Directory { directory, .. } if *directory == file),
        "{error}"
    );
}

#[tokio::test]
async fn every_migration_file_is_embedded_under_its_number() {
    let mut entries = tokio::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"))
        .await
        .expect("the migrations");
    let mut files = BTreeSet::new();
    while let Some(entry) = entries.next_entry().await.expect("an entry") {
        files.insert(entry.file_name().into_string().expect("a plain name"));
    }
    let embedded =
        MIGRATIONS.map(|(number, name, _)| format!("{number:04}_{}.sql", name.replace(' ', "_")));
    assert_eq!(files, BTreeSet::from(embedded));
}
