//! Every error is a problem document that says what to do and nothing of the inside.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::json;

use backend::tokens::Scope;

use crate::portfolio::{Portfolio, on_each_database};

#[tokio::test]
async fn an_unknown_path_or_project_is_not_found() {
    let portfolio = Portfolio::open().await;
    for path in [
        "/api",
        "/api/v1/projects/unknown",
        "/api/v1/projects/",
        "/healthz/",
    ] {
        let problem = portfolio.get(path).await.problem(404);
        assert_eq!(problem["code"], "not_found");
        assert_eq!(problem["title"], "Not Found");
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_which_are_allowed() {
    let portfolio = Portfolio::open().await;
    for (method, path, allowed) in [
        (Method::DELETE, "/api/v1/profile", "GET,HEAD"),
        (Method::OPTIONS, "/healthz", "GET,HEAD"),
        (Method::GET, "/api/v1/contact", "POST"),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::empty());
        let answer = portfolio.send(request.expect("a request")).await;
        assert_eq!(answer.problem(405)["code"], "method_not_allowed");
        assert_eq!(answer.header("allow"), allowed);
    }
}

#[tokio::test]
async fn a_path_that_is_not_text_is_a_bad_request() {
    let answer = Portfolio::open().await.get("/api/v1/projects/%FF").await;
    assert_eq!(answer.problem(400)["code"], "bad_request");
}

#[tokio::test]
async fn a_body_that_is_not_json_is_a_bad_request() {
    let portfolio = Portfolio::open().await;
    for body in ["", "{", "{\"name\":}", "\u{0}"] {
        let problem = portfolio.write(body).await.problem(400);
        assert_eq!(problem["code"], "bad_request");
    }
}

#[tokio::test]
async fn json_of_another_shape_is_told_what_is_missing_or_too_much() {
    let portfolio = Portfolio::open().await;
    for (body, complaint) in [
        (json!({"name": "Zoë"}), "missing field `email`"),
        (
            json!({"name": 7, "email": "", "message": ""}),
            "expected a string",
        ),
        (json!({"admin": true}), "unknown field `admin`"),
        (json!("text"), "invalid type: string"),
    ] {
        let problem = portfolio.write(body.to_string()).await.problem(422);
        assert_eq!(problem["code"], "unexpected_shape");
        let detail = problem["detail"].as_str().expect("a sentence");
        assert!(detail.contains(complaint), "{detail}");
    }
}

#[tokio::test]
async fn a_complaint_does_not_send_the_whole_request_back() {
    let body = format!(r#"{{"{}": 1}}"#, "x".repeat(50_000));
    let answer = Portfolio::open().await.write(body).await;
    answer.problem(422);
    assert!(answer.body.len() < 1000);
}

#[tokio::test]
async fn every_field_that_is_not_accepted_is_named_and_nothing_is_kept() {
    on_each_database(async |portfolio| {
        let body = json!({"name": " ", "email": "nobody", "message": "a\u{7}b"});
        let problem = portfolio.write(body.to_string()).await.problem(422);
        assert_eq!(problem["code"], "validation_failed");
        let errors = problem["errors"].as_array().expect("errors");
        let fields: Vec<_> = errors.iter().map(|error| &error["field"]).collect();
        assert_eq!(fields, ["name", "email", "message"]);
        assert!(errors.iter().all(|error| error["message"].is_string()));
        let token = portfolio.token(&[Scope::ContactRead]).await;
        let list = portfolio
            .edit(&token, Method::GET, "messages", ("", ""), json!(null))
            .await;
        assert_eq!(list.json()["messages"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn a_body_that_is_not_declared_as_json_is_an_unsupported_media_type() {
    let portfolio = Portfolio::open().await;
    for content_type in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
    ] {
        let mut request = Request::post("/api/v1/contact");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let answer = portfolio
            .send(request.body(Body::from("{}")).expect("a request"))
            .await;
        assert_eq!(answer.problem(415)["code"], "unsupported_media_type");
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused() {
    let body = json!({"name": "a", "email": "a@b.example", "message": "m".repeat(65_536)});
    let answer = Portfolio::open().await.write(body.to_string()).await;
    assert_eq!(answer.problem(413)["code"], "body_too_large");
}

#[tokio::test]
async fn an_editor_may_send_more_and_each_is_told_the_limit_that_counts() {
    let portfolio = Portfolio::open().await;
    let token = portfolio.token(&[Scope::ContentWrite]).await;
    let put = async |token: &str, length: usize| {
        let post = json!({"title": "t", "summary": "s", "markdown": "m".repeat(length)});
        let request = Request::put("/api/v1/editor/posts/long")
            .header("content-type", "application/json")
            .header("if-none-match", "*");
        let request = match token {
            "" => request,
            token => request.header("authorization", format!("Bearer {token}")),
        };
        let request = request.body(Body::from(post.to_string()));
        portfolio.send(request.expect("a request")).await
    };
    assert_eq!(put(&token, 70_000).await.status, 201);
    for (token, limit) in [(&*token, "1048576"), ("", "65536")] {
        let problem = put(token, 1_100_000).await.problem(413);
        let detail = problem["detail"].as_str().expect("a sentence");
        assert!(detail.contains(limit), "{detail}");
    }
}

#[tokio::test]
async fn without_its_database_the_service_lives_but_is_not_ready() {
    on_each_database(async |portfolio| {
        portfolio.database.close().await;
        assert_eq!(portfolio.get("/healthz").await.status, 200);
        for path in ["/readyz", "/api/v1/profile", "/api/v1/projects"] {
            let problem = portfolio.get(path).await.problem(503);
            assert_eq!(problem["code"], "unavailable");
        }
    })
    .await;
}

#[tokio::test]
async fn a_broken_database_is_our_fault_and_the_client_learns_nothing_of_it() {
    on_each_database(async |portfolio| {
        portfolio
            .database
            .tamper("DROP TABLE tags; DROP TABLE documents")
            .await
            .expect("a broken database");
        let answer = portfolio.get("/api/v1/projects").await;
        answer.problem(500);
        assert!(!String::from_utf8_lossy(&answer.body).contains("table"));
    })
    .await;
}
