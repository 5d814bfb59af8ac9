use std::collections::BTreeSet;
use std::path::PathBuf;

use sqlx::Row;
use tempfile::TempDir;

use super::*;

fn place() -> (TempDir, Location) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    // Characters that mean something in an address.
    let path = directory.path().join("a b%20?#/portfolio.sqlite");
    (directory, Location::File(path))
}

async fn open(location: &Location) -> Result<Database, OpenError> {
    Database::open(location, Start::Example).await
}

async fn rows(database: &Database) -> i64 {
    let mut connection = database.pool().acquire().await.expect("a connection");
    count(&mut connection, "documents").await.expect("a count")
}

/// Opens, changes by `sql`, closes, and opens again.
async fn reopen_after(sql: &'static str) -> (TempDir, Result<Database, OpenError>) {
    let (directory, location) = place();
    let database = open(&location).await.expect("a new database");
    database.tamper(sql).await.expect("a change");
    database.close().await;
    (directory, open(&location).await)
}

#[tokio::test]
async fn a_new_file_is_made_with_its_directory_and_seeded() {
    let (_directory, location) = place();
    let database = open(&location).await.expect("a new database");
    let Location::File(path) = location else {
        unreachable!("a file")
    };
    assert!(path.is_file(), "the file has another name");
    assert_eq!(rows(&database).await, 6);
    for (pragma, value) in [
        ("journal_mode", "wal"),
        ("synchronous", "2"),
        ("foreign_keys", "1"),
    ] {
        let sql = sqlx::AssertSqlSafe(format!(
            "SELECT CAST({pragma} AS TEXT) FROM pragma_{pragma}"
        ));
        let row = sqlx::query(sql)
            .fetch_one(database.pool())
            .await
            .expect("a pragma");
        assert_eq!(
            row.try_get::<String, _>(0).expect("text"),
            value,
            "{pragma}"
        );
    }
}

#[tokio::test]
async fn content_is_left_alone_when_the_database_is_opened_again() {
    let (_directory, database) = reopen_after("DELETE FROM documents").await;
    assert_eq!(rows(&database.expect("the same database")).await, 0);
}

#[tokio::test]
async fn of_processes_that_start_at_once_one_migrates() {
    let (_directory, location) = place();
    let opened = futures_util::future::join_all((0..4).map(|_| open(&location))).await;
    for database in opened {
        assert_eq!(rows(&database.expect("a database")).await, 6);
    }
}

#[tokio::test]
async fn what_the_first_versions_kept_is_still_there() {
    let (_directory, location) = place();
    let Location::File(path) = &location else {
        unreachable!("a file")
    };
    let options = file_options(path, Start::Empty).await.expect("a place");
    sqlx::any::install_default_drivers();
    let pool = AnyPool::connect_with(options).await.expect("a database");
    for (_, _, sql) in &schema::SQLITE[..2] {
        sqlx::raw_sql(*sql).execute(&pool).await.expect("a schema");
    }
    let content = "INSERT INTO profile VALUES (1, 'Ada', 'h', 's', 'l');
        INSERT INTO profile_links VALUES (2, 'B', 'https://b.example/'), (1, 'A', 'https://a.example/');
        INSERT INTO projects VALUES (7, 'tide', 'Tide', 's', 'd', 2025, NULL, 3);
        INSERT INTO project_technologies VALUES (7, 2, 'Go'), (7, 1, 'Rust');
        INSERT INTO contact_messages VALUES (5, '2026-01-01T00:00:00.000Z', 'n', 'e', 'm');";
    sqlx::raw_sql(content)
        .execute(&pool)
        .await
        .expect("content");
    sqlx::raw_sql(schema::SQLITE[2].2)
        .execute(&pool)
        .await
        .expect("the newest schema");
    let project = crate::documents::find::<crate::content::project::Project>(&pool, "tide")
        .await
        .expect("an answer")
        .expect("the project");
    assert_eq!(project.content.technologies, ["Rust", "Go"]);
    assert_eq!(project.content.position, 3);
    let profile = crate::documents::find::<crate::content::profile::Profile>(&pool, "profile")
        .await
        .expect("an answer")
        .expect("the profile");
    assert_eq!(profile.content.links[0].label, "A");
    let message = sqlx::query("SELECT id FROM contact_messages")
        .fetch_one(&pool)
        .await
        .expect("it");
    assert_eq!(
        message.try_get::<String, _>(0).expect("text"),
        format!("{:032x}", 5)
    );
}

#[tokio::test]
async fn what_was_written_before_there_were_lists_by_tag_is_in_them() {
    let (_directory, database) = reopen_after(
        "DROP TABLE tags;
         ALTER TABLE outbox DROP COLUMN given_up_at;
         ALTER TABLE outbox DROP COLUMN error;
         DELETE FROM _sqlx_migrations WHERE version = 4",
    )
    .await;
    let database = database.expect("the newest schema");
    let found = crate::documents::list::<crate::content::project::Project>(
        database.pool(),
        crate::documents::Order::Position,
        None,
        Some("feeds"),
        crate::page::Page::first_of(10),
    )
    .await
    .expect("a list");
    let slugs: Vec<_> = found.iter().map(|document| &document.slug).collect();
    assert_eq!(slugs, ["tidewater"]);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let (_directory, opened) = reopen_after(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'from the future', TRUE, x'00', 0)",
    )
    .await;
    let error = opened.expect_err("a newer database");
    assert!(
        matches!(
            error,
            OpenError::Foreign {
                applied: 9999,
                newest: NEWEST_SCHEMA
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_transaction_that_sqlite_ended_by_itself_spoils_no_later_one() {
    let (_directory, location) = place();
    let database = open(&location).await.expect("a new database");
    let mut transaction = database.write().await.expect("a transaction");
    // As SQLite does where the disk is full.
    let ended = sqlx::raw_sql("ROLLBACK").execute(&mut *transaction).await;
    ended.expect("an end");
    let _ = transaction.commit().await;
    // One of them gets that connection, once it is back.
    for _ in 0..50 {
        let transaction = database.write().await.expect("a transaction afterwards");
        transaction.rollback().await.expect("its end");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_only_reads_makes_no_database_and_changes_no_schema() {
    let (_directory, location) = place();
    let missing = Database::open(&location, Start::Existing).await;
    assert!(matches!(missing, Err(OpenError::Missing)));
    let Location::File(path) = &location else {
        unreachable!("a file")
    };
    assert!(!path.exists());
    drop(open(&location).await.expect("a new database"));
    Database::open(&location, Start::Existing)
        .await
        .expect("the database");
}

#[tokio::test]
async fn a_migration_that_was_changed_later_is_refused() {
    let (_directory, opened) =
        reopen_after("UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 1").await;
    let error = opened.expect_err("a changed migration");
    assert!(matches!(error, OpenError::Changed(1)), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_as_it_was() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("letter.txt");
    let letter = "Dear reader, this is not a database. ".repeat(100);
    fs_err::write(&path, &letter).expect("a file");
    let error = open(&Location::File(path.clone()))
        .await
        .expect_err("not a database");
    assert!(matches!(error, OpenError::NotADatabase), "{error}");
    assert_eq!(fs_err::read_to_string(&path).expect("a file"), letter);
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_named() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("file");
    fs_err::write(&file, "").expect("a file");
    let error = open(&Location::File(file.join("portfolio.sqlite")))
        .await
        .expect_err("a file in the way");
    assert!(
        matches!(&error, OpenError::Directory { directory, .. } if *directory == file),
        "{error}"
    );
}

#[test]
fn every_migration_file_is_embedded_under_its_number() {
    let lists: [(&str, &[schema::Step]); 2] =
        [("sqlite", &schema::SQLITE), ("postgres", &schema::POSTGRES)];
    for (product, steps) in lists {
        let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("migrations")
            .join(product);
        let files: BTreeSet<String> = fs_err::read_dir(directory)
            .expect("the migrations")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .into_string()
                    .expect("a plain name")
            })
            .collect();
        let embedded = steps
            .iter()
            .map(|(number, name, _)| format!("{number:04}_{}.sql", name.replace(' ', "_")))
            .collect();
        assert_eq!(files, embedded);
        assert_eq!(steps.last().expect("a step").0, NEWEST_SCHEMA);
    }
}
