//! Backups: what is restored is what was there, on either database.

use axum::http::Method;
use backend::backup::{self, BackupError};
use backend::database::{Database, Location, Start};
use backend::tokens::Scope;
use serde_json::json;

use crate::portfolio::on_each_database;
use crate::postgres;

#[tokio::test]
async fn a_backup_is_the_same_after_it_was_restored_on_either_database() {
    on_each_database(async |portfolio| {
        let directory = tempfile::tempdir().expect("a directory");
        let (first, second) = (directory.path().join("1"), directory.path().join("2"));
        let body = json!({"name": "Zoë", "email": "zoe@example.com", "message": "a\n\"b\""});
        portfolio.write(body.to_string()).await;
        portfolio.token(&[Scope::AuditRead]).await;
        let rows = backup::create(&portfolio.database, &first)
            .await
            .expect("a backup");
        let mut places = vec![Location::File(directory.path().join("other.sqlite"))];
        places.extend(postgres::new_database());
        for place in places {
            let other = Database::open(&place, Start::Empty)
                .await
                .expect("a database");
            assert_eq!(
                backup::restore(&other, &first, false).await.expect("rows"),
                rows
            );
            backup::create(&other, &second).await.expect("a backup");
            let read = |path| fs_err::read_to_string(path).expect("a backup");
            assert_eq!(read(&first), read(&second));
            fs_err::remove_file(&second).expect("removed");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_there_is_replaced_only_when_that_is_said() {
    on_each_database(async |portfolio| {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("backup");
        backup::create(&portfolio.database, &file)
            .await
            .expect("a backup");
        let again = backup::create(&portfolio.database, &file).await;
        assert!(
            matches!(again, Err(BackupError::File { .. })),
            "it overwrote a backup"
        );
        let token = portfolio.token(&[Scope::ContentWrite]).await;
        let refused = backup::restore(&portfolio.database, &file, false).await;
        assert!(matches!(refused, Err(BackupError::NotEmpty)));
        backup::restore(&portfolio.database, &file, true)
            .await
            .expect("a restore");
        let answer = portfolio
            .edit(&token, Method::GET, "posts", ("", ""), json!(null))
            .await;
        answer.problem(401);
        let hits = portfolio.get("/api/v1/search?q=tidewater").await.json();
        assert_eq!(hits["hits"][0]["slug"], "tidewater");
    })
    .await;
}

/// The end of a backup of nothing: the hash is right.
const NOTHING: &str =
    "{\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}\n";

#[tokio::test]
async fn a_damaged_backup_is_refused_and_nothing_is_changed() {
    on_each_database(async |portfolio| {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("backup");
        backup::create(&portfolio.database, &file)
            .await
            .expect("a backup");
        let whole = fs_err::read_to_string(&file).expect("a backup");
        let cut = &whole[..=whole.trim_end().rfind('\n').expect("a line")];
        for (damaged, line) in [
            (whole.replace("Tidewater", "Tidewatex"), None),
            (cut.to_owned(), None),
            (format!("{whole}[]\n"), None),
            (String::new(), Some(2)),
            ("letter\n".to_owned(), Some(1)),
            (NOTHING.to_owned(), Some(1)),
            (whole.replace("\"schema\":3", "\"schema\":2"), Some(0)),
        ] {
            fs_err::write(&file, damaged).expect("a file");
            match backup::restore(&portfolio.database, &file, true).await {
                Err(BackupError::Damaged { line: at, .. }) => {
                    assert!(line.is_none_or(|line| line == at), "{at}");
                }
                Err(BackupError::Schema { found: 2 }) => assert_eq!(line, Some(0)),
                other => panic!("{other:?}"),
            }
            let projects = portfolio.get("/api/v1/projects").await.json();
            assert_eq!(projects["projects"][0]["title"], "Tidewater");
        }
    })
    .await;
}
