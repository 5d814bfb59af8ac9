//! Backups: what is restored is what was there, on either database.

use std::path::Path;

use axum::http::Method;
use axum::http::StatusCode;
use backend::backup::{self, BackupError, Restore};
use backend::database::{Database, Location, Start};
use backend::timestamp::system_clock;
use backend::tokens::Scope;
use serde_json::{Value, json};

use crate::portfolio::on_each_database;
use crate::postgres;

/// As it was, in the place of what is there.
const AS_IT_WAS: Restore = Restore {
    replace: true,
    with_tokens: true,
    delivered: false,
};

/// The rows of a backup, without what the audit says of restores.
fn rows(path: &Path) -> Vec<String> {
    let text = fs_err::read_to_string(path).expect("a backup");
    let lines = text.lines().filter(|line| !line.contains("\"restore\""));
    let (mut lines, end): (Vec<_>, Vec<_>) = lines.partition(|line| !line.contains("\"sha256\":"));
    assert_eq!(end.len(), 1);
    lines.drain(..).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_backup_is_the_same_after_it_was_restored_on_either_database() {
    on_each_database(async |portfolio| {
        let directory = tempfile::tempdir().expect("a directory");
        let (first, second) = (directory.path().join("1"), directory.path().join("2"));
        let body = json!({"name": "Zoë", "email": "zoe@example.com", "message": "a\n\"b\""});
        portfolio.write(body.to_string()).await;
        portfolio.token(&[Scope::AuditRead]).await;
        let count = backup::create(&portfolio.database, &first)
            .await
            .expect("a backup");
        let mut places = vec![Location::File(directory.path().join("other.sqlite"))];
        places.extend(postgres::new_database());
        for place in places {
            let other = Database::open(&place, Start::Empty)
                .await
                .expect("a database");
            let restore = Restore {
                replace: false,
                ..AS_IT_WAS
            };
            let restored = backup::restore(&other, &first, restore, system_clock()).await;
            assert_eq!(restored.expect("rows"), count);
            backup::create(&other, &second).await.expect("a backup");
            assert_eq!(rows(&first), rows(&second));
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
        let restore = async |restore| {
            backup::restore(&portfolio.database, &file, restore, system_clock()).await
        };
        let refused = restore(Restore::default()).await;
        assert!(matches!(refused, Err(BackupError::NotEmpty)));
        restore(AS_IT_WAS).await.expect("a restore");
        let answer = portfolio
            .edit(&token, Method::GET, "posts", ("", ""), json!(null))
            .await;
        answer.problem(401);
        let hits = portfolio.get("/api/v1/search?q=tidewater").await.json();
        assert_eq!(hits["hits"][0]["slug"], "tidewater");
        let tagged = portfolio.get("/api/v1/projects?tag=feeds").await.json();
        assert_eq!(tagged["projects"][0]["slug"], "tidewater");
    })
    .await;
}

#[tokio::test]
async fn no_token_is_good_after_a_restore_unless_that_is_said_and_the_audit_tells_of_it() {
    on_each_database(async |portfolio| {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("backup");
        let all = [Scope::AuditRead, Scope::ContactRead];
        let token = portfolio.token(&all).await;
        let message = json!({"name": "a", "email": "a@b.example", "message": "m"});
        portfolio.write(message.to_string()).await;
        backup::create(&portfolio.database, &file)
            .await
            .expect("a backup");
        let restore = async |restore| {
            backup::restore(&portfolio.database, &file, restore, system_clock())
                .await
                .expect("a restore")
        };
        let get = async |path: &str| {
            portfolio
                .edit(&token, Method::GET, path, ("", ""), json!(null))
                .await
        };
        let rows = restore(Restore {
            replace: true,
            ..Restore::default()
        })
        .await;
        get("audit").await.problem(401);

        restore(AS_IT_WAS).await;
        let audit = get("audit").await;
        assert_eq!(audit.status, StatusCode::OK);
        let change = &audit.json()["changes"][0];
        assert_eq!(change["actor"], "operator");
        assert_eq!(change["action"], "restore");
        let subject = change["subject"].as_str().expect("text");
        assert!(subject.starts_with("backup sha256:"), "{subject}");
        let after = change["after"].as_str().expect("text");
        let after: Value = serde_json::from_str(after).expect("JSON");
        assert_eq!(after["rows"], rows);
        assert_eq!(after["with_tokens"], true);

        let state =
            async || get("messages").await.json()["messages"][0]["delivery"]["state"].clone();
        assert_eq!(state().await, "waiting");
        restore(Restore {
            delivered: true,
            ..AS_IT_WAS
        })
        .await;
        assert_eq!(state().await, "delivered");
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
            (whole.replace("\"schema\":4", "\"schema\":2"), Some(0)),
        ] {
            fs_err::write(&file, damaged).expect("a file");
            let restored =
                backup::restore(&portfolio.database, &file, AS_IT_WAS, system_clock()).await;
            match restored {
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
