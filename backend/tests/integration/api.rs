//! What the service answers when all is well.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::json;

use backend::tokens::Scope;

use crate::portfolio::{Portfolio, on_each_database};

#[tokio::test]
async fn the_profile_has_its_links_in_order() {
    on_each_database(async |portfolio| {
        let answer = portfolio.get("/api/v1/profile").await;
        assert_eq!(answer.status, StatusCode::OK);
        let profile = answer.json();
        assert_eq!(profile["name"], "Ada Marlow");
        assert_eq!(profile["links"][0]["label"], "Website");
        assert_eq!(profile["links"][1]["label"], "Code");
    })
    .await;
}

#[tokio::test]
async fn projects_come_in_the_owners_order_each_with_its_technologies() {
    on_each_database(async |portfolio| {
        let answer = portfolio.get("/api/v1/projects").await;
        let list = answer.json();
        let projects = list["projects"].as_array().expect("projects");
        let slugs: Vec<_> = projects.iter().map(|project| &project["slug"]).collect();
        assert_eq!(slugs, ["tidewater", "ledgerline", "slow-mail"]);
        assert_eq!(
            projects[0]["technologies"],
            json!(["Rust", "SQLite", "MQTT"])
        );
        assert_eq!(projects[2]["source_url"], json!(null));
    })
    .await;
}

#[tokio::test]
async fn one_project_is_the_same_alone_as_in_the_list() {
    on_each_database(async |portfolio| {
        let list = portfolio.get("/api/v1/projects").await.json();
        let project = portfolio.get("/api/v1/projects/ledgerline").await.json();
        assert_eq!(project, list["projects"][1]);
    })
    .await;
}

#[tokio::test]
async fn a_message_is_kept_for_the_owner() {
    on_each_database(async |portfolio| {
        let message =
            json!({"name": "Zoë", "email": "zoe@example.com", "message": "Hello,\n'; --"});
        let answer = portfolio.write(message.to_string()).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        let token = portfolio.token(&[Scope::ContactRead]).await;
        let list = portfolio
            .edit(&token, Method::GET, "messages", ("", ""), json!(null))
            .await
            .json();
        let kept = &list["messages"][0];
        assert_eq!(answer.json()["received_at"], kept["received_at"]);
        assert_eq!(kept["name"], "Zoë");
        assert_eq!(kept["email"], "zoe@example.com");
        assert_eq!(kept["message"], "Hello,\n'; --");
    })
    .await;
}

#[tokio::test]
async fn the_longest_message_fits_even_if_every_character_is_escaped() {
    on_each_database(async |portfolio| {
        let escaped = |count: usize| "\\ud83d\\ude00".repeat(count);
        let body = format!(
            r#"{{"name": "{}", "email": "a@b.example", "message": "{}"}}"#,
            escaped(100),
            escaped(5000)
        );
        let answer = portfolio.write(body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
    })
    .await;
}

#[tokio::test]
async fn the_probes_and_the_version_answer() {
    on_each_database(async |portfolio| {
        assert_eq!(
            portfolio.get("/healthz").await.json(),
            json!({"status": "ok"})
        );
        assert_eq!(
            portfolio.get("/readyz").await.json(),
            json!({"status": "ready"})
        );
        assert_eq!(
            portfolio.get("/version").await.json(),
            json!({
                "version": env!("CARGO_PKG_VERSION"),
                "commit": "0123456789abcdef",
                "built_at": null,
            })
        );
        assert_eq!(
            portfolio.get("/openapi.json").await.json()["openapi"],
            "3.1.0"
        );
    })
    .await;
}

#[tokio::test]
async fn a_head_request_has_the_headers_and_no_body() {
    let request = Request::builder()
        .method(Method::HEAD)
        .uri("/api/v1/profile")
        .body(Body::empty())
        .expect("a request");
    let answer = Portfolio::open().await.send(request).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/json");
    assert!(answer.body.is_empty());
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let portfolio = Portfolio::open().await;
    for path in ["/healthz", "/api/v1/profile", "/openapi.json", "/nowhere"] {
        let answer = portfolio.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        let is_content = path == "/api/v1/profile";
        let caching = if is_content { "no-cache" } else { "no-store" };
        assert_eq!(answer.header("cache-control"), caching);
        assert!(
            answer
                .header("content-security-policy")
                .contains("default-src 'none'")
        );
    }
}

#[tokio::test]
async fn a_sane_request_id_comes_back_and_any_other_is_replaced() {
    let portfolio = Portfolio::open().await;
    let id_for = async |id: &str| {
        let request = Request::get("/healthz").header("x-request-id", id);
        let answer = portfolio
            .send(request.body(Body::empty()).expect("a request"))
            .await;
        answer.header("x-request-id").to_owned()
    };
    assert_eq!(id_for("abc-123").await, "abc-123");
    assert_eq!(id_for("two words").await.len(), 32);
    assert_eq!(id_for(&"a".repeat(65)).await.len(), 32);
}
