//! Editors: who may, and that nobody undoes unseen what somebody else wrote.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use backend::timestamp::system_clock;
use backend::tokens::{self, Scope};
use serde_json::{Value, json};

use crate::portfolio::{Portfolio, on_each_database};

const NOTHING: (&str, &str) = ("", "");
const NEW: (&str, &str) = ("if-none-match", "*");

fn project(title: &str) -> Value {
    json!({
        "title": title, "summary": "S", "description": "D", "year": 2026, "source_url": null,
        "technologies": [], "tags": ["a"], "links": [{"label": "L", "url": "https://l.example/"}],
        "images": [{"url": "https://i.example/i.png", "alt": "An image"}], "position": 0,
    })
}

#[tokio::test]
async fn a_document_is_made_replaced_and_deleted_and_each_change_is_recorded() {
    on_each_database(async |portfolio| {
        let token = portfolio
            .token(&[Scope::ContentWrite, Scope::AuditRead])
            .await;
        let edit = async |method, condition, body| {
            portfolio
                .edit(&token, method, "projects/new", condition, body)
                .await
        };
        let made = edit(Method::PUT, NEW, project("One")).await;
        assert_eq!(made.status, StatusCode::CREATED);
        assert_eq!(
            edit(Method::PUT, NEW, project("One")).await.problem(412)["code"],
            "precondition_failed"
        );
        let read = edit(Method::GET, NOTHING, json!(null)).await;
        assert_eq!(read.header("etag"), made.header("etag"));
        assert_eq!(read.json(), project("One"));
        let listed = portfolio.get("/api/v1/projects").await.json();
        assert_eq!(listed["projects"][0]["slug"], "new");

        let seen = ("if-match", made.header("etag"));
        assert_eq!(
            edit(Method::PUT, NOTHING, project("Two"))
                .await
                .problem(428)["code"],
            "precondition_required"
        );
        assert_eq!(
            edit(Method::PUT, seen, project("Two")).await.status,
            StatusCode::OK
        );
        edit(Method::PUT, seen, project("Three")).await.problem(412);
        edit(Method::DELETE, seen, json!(null)).await.problem(412);
        let shown = portfolio.get("/api/v1/projects/new").await;
        assert_eq!(shown.json()["title"], "Two");

        let now = edit(Method::GET, NOTHING, json!(null)).await;
        let now = ("if-match", now.header("etag"));
        assert_eq!(
            edit(Method::DELETE, now, json!(null)).await.status,
            StatusCode::NO_CONTENT
        );
        edit(Method::GET, NOTHING, json!(null)).await.problem(404);
        portfolio.get("/api/v1/projects/new").await.problem(404);

        assert_recorded(&portfolio, &token).await;
    })
    .await;
}

async fn assert_recorded(portfolio: &Portfolio, token: &str) {
    let audit = portfolio
        .edit(token, Method::GET, "audit", NOTHING, json!(null))
        .await
        .json();
    let changes = audit["changes"].as_array().expect("changes");
    let actions: Vec<_> = changes.iter().map(|change| &change["action"]).collect();
    assert_eq!(actions, ["delete", "replace", "create", "create"]);
    let made = &changes[3];
    let subject = made["subject"].as_str().expect("what");
    let id = token.split_once('.').expect("an id").0;
    assert_eq!(subject, format!("token {id}"));
    assert_eq!(made["actor"], "operator");
    let after = made["after"].as_str().expect("after");
    assert!(after.contains("\"content:write\""), "{after}");
    assert!(!after.contains("hash"), "{after}");
    let replaced = &changes[1];
    assert_eq!(replaced["subject"], "project new");
    assert!(
        replaced["actor"]
            .as_str()
            .expect("who")
            .starts_with("Ada (")
    );
    assert!(
        replaced["before"]
            .as_str()
            .expect("before")
            .contains("\"One\"")
    );
    assert!(
        replaced["after"]
            .as_str()
            .expect("after")
            .contains("\"Two\"")
    );
}

#[tokio::test]
async fn of_writers_who_saw_the_same_version_one_wins() {
    on_each_database(async |portfolio| {
        let token = portfolio.token(&[Scope::ContentWrite]).await;
        let read = portfolio
            .edit(&token, Method::GET, "profile", NOTHING, json!(null))
            .await;
        let mut profile = read.json();
        profile["name"] = json!("Grace");
        let write = || {
            let seen = ("if-match", read.header("etag"));
            portfolio.edit(&token, Method::PUT, "profile", seen, profile.clone())
        };
        let answers = futures_util::future::join_all((0..8).map(|_| write())).await;
        let wins = answers
            .iter()
            .filter(|answer| answer.status == StatusCode::OK)
            .count();
        assert_eq!(wins, 1);
        for answer in answers
            .iter()
            .filter(|answer| answer.status != StatusCode::OK)
        {
            answer.problem(412);
        }
        assert_eq!(
            portfolio.get("/api/v1/profile").await.json()["name"],
            "Grace"
        );
    })
    .await;
}

#[tokio::test]
async fn a_token_opens_only_what_its_scopes_say_and_only_while_it_is_good() {
    on_each_database(async |portfolio| {
        let status = async |token: &str, path: &str| {
            portfolio
                .edit(token, Method::GET, path, NOTHING, json!(null))
                .await
                .status
                .as_u16()
        };
        let reader = portfolio.token(&[Scope::ContactRead]).await;
        assert_eq!(status(&reader, "messages").await, 200);
        for path in ["profile", "posts", "audit"] {
            assert_eq!(status(&reader, path).await, 403, "{path}");
        }
        let id = reader.split_once('.').expect("an id").0.to_owned();
        for wrong in [
            "",
            "x",
            &id,
            &format!("{id}.{}", "0".repeat(64)),
            &format!("0{}", &reader[1..]),
        ] {
            if wrong != reader {
                assert_eq!(status(wrong, "messages").await, 401, "{wrong}");
            }
        }
        let request = Request::get("/api/v1/editor/messages").body(Body::empty());
        let answer = portfolio.send(request.expect("a request")).await;
        answer.problem(401);
        assert_eq!(answer.header("www-authenticate"), "Bearer");

        let past = Some("2026-01-01T00:00:00.000Z");
        let ended = tokens::create(
            &portfolio.database,
            "old",
            &[Scope::ContactRead],
            past,
            system_clock(),
        )
        .await
        .expect("a token");
        assert_eq!(status(ended.reveal(), "messages").await, 401);

        let used = tokens::list(&portfolio.database).await.expect("tokens");
        assert!(
            used.iter()
                .any(|token| token.id == id && token.last_used_at.is_some())
        );
        assert!(
            tokens::revoke(&portfolio.database, &id, system_clock())
                .await
                .expect("an answer")
        );
        assert!(
            !tokens::revoke(&portfolio.database, &id, system_clock())
                .await
                .expect("an answer")
        );
        assert_eq!(status(&reader, "messages").await, 401);
        assert_revoked_once(&portfolio, &id).await;
    })
    .await;
}

async fn assert_revoked_once(portfolio: &Portfolio, id: &str) {
    let auditor = portfolio.token(&[Scope::AuditRead]).await;
    let audit = portfolio.edit(&auditor, Method::GET, "audit", NOTHING, json!(null));
    let audit = audit.await.json();
    let changes = audit["changes"].as_array().expect("changes");
    let revoked = changes
        .iter()
        .filter(|change| change["action"] == "revoke" && change["actor"] == "operator");
    let subjects: Vec<_> = revoked.map(|change| change["subject"].clone()).collect();
    assert_eq!(subjects, [format!("token {id}")]);
}

#[tokio::test]
async fn without_a_token_not_even_the_body_is_judged() {
    on_each_database(async |portfolio| {
        let answer = portfolio
            .edit("x", Method::PUT, "profile", NEW, json!({"admin": true}))
            .await;
        answer.problem(401);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_accepted_is_named_and_nothing_is_changed() {
    on_each_database(async |portfolio| {
        let token = portfolio.token(&[Scope::ContentWrite]).await;
        let mut wrong = project("a\u{0}b");
        wrong["year"] = json!(-1);
        wrong["source_url"] = json!("javascript:alert(1)");
        wrong["links"][0]["url"] = json!("data:text/html,x");
        wrong["images"][0]["url"] = json!("http://i.example/i.png");
        let answer = portfolio
            .edit(&token, Method::PUT, "projects/wrong", NEW, wrong)
            .await;
        let problem = answer.problem(422);
        for field in ["title", "year", "source_url", "links", "images"] {
            let errors = problem["errors"].as_array().expect("errors");
            assert!(
                errors.iter().any(|error| error["field"] == field),
                "{field} in {problem}"
            );
        }
        let answer = portfolio
            .edit(&token, Method::PUT, "projects/A%20b", NEW, project("A"))
            .await;
        answer.problem(422);
        let audit = portfolio.token(&[Scope::AuditRead]).await;
        let audit = portfolio
            .edit(&audit, Method::GET, "audit", NOTHING, json!(null))
            .await;
        let audit = audit.json();
        let changes = audit["changes"].as_array().expect("changes");
        // The tokens were made.
        assert!(changes.iter().all(|change| change["actor"] == "operator"));
    })
    .await;
}

#[tokio::test]
async fn a_message_is_read_and_deleted_and_the_audit_keeps_its_digest_only() {
    on_each_database(async |portfolio| {
        let all = [Scope::ContactRead, Scope::ContactDelete, Scope::AuditRead];
        let token = portfolio.token(&all).await;
        let body = json!({"name": "Zoë", "email": "zoe@example.com", "message": "Secret"});
        assert_eq!(
            portfolio.write(body.to_string()).await.status,
            StatusCode::ACCEPTED
        );
        let get = async |path: &str| {
            portfolio
                .edit(&token, Method::GET, path, NOTHING, json!(null))
                .await
        };
        let list = get("messages").await.json();
        let path = format!(
            "messages/{}",
            list["messages"][0]["id"].as_str().expect("an id")
        );
        assert_eq!(get(&path).await.json()["message"], "Secret");
        let deleted = portfolio
            .edit(&token, Method::DELETE, &path, NOTHING, json!(null))
            .await;
        assert_eq!(deleted.status, StatusCode::NO_CONTENT);
        get(&path).await.problem(404);
        let audit = get("audit").await;
        let before = audit.json()["changes"][0]["before"].clone();
        assert!(before.as_str().expect("a digest").starts_with("sha256:"));
        assert!(!String::from_utf8_lossy(&audit.body).contains("Secret"));
    })
    .await;
}
