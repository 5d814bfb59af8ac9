use std::sync::Arc;

use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::sync::Notify;
use tower::ServiceExt;

use super::*;
use crate::config::Limits;

async fn get_from(router: Router) -> Response {
    let request = Request::builder()
        .uri("/")
        .body(Body::empty())
        .expect("a request");
    protect(router, &Operations::new(&Limits::default()), &[])
        .oneshot(request)
        .await
        .expect("a response")
}

async fn assert_problem(response: Response, status: StatusCode, code: &str) {
    assert_eq!(response.status(), status);
    assert_eq!(response.headers()[CONTENT_TYPE], PROBLEM_JSON);
    assert!(response.headers().contains_key("x-request-id"));
    assert_eq!(response.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
    let body = axum::body::to_bytes(response.into_body(), 10_000)
        .await
        .expect("a body");
    let problem: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(problem["status"], status.as_u16());
    assert_eq!(problem["code"], code);
    assert!(!body.windows(6).any(|bytes| bytes == b"secret"));
}

#[tokio::test]
async fn a_panic_is_answered_as_an_internal_problem_that_tells_nothing() {
    #[expect(clippy::panic, reason = "what is tested")]
    async fn panics() -> StatusCode {
        panic!("a secret")
    }
    let response = get_from(Router::new().route("/", get(panics))).await;
    assert_problem(response, StatusCode::INTERNAL_SERVER_ERROR, "internal").await;
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_answer_takes_too_long_is_told_to_come_again() {
    let response =
        get_from(Router::new().route("/", get(std::future::pending::<StatusCode>))).await;
    assert_eq!(response.headers()[RETRY_AFTER], "1");
    assert_problem(response, StatusCode::SERVICE_UNAVAILABLE, "overloaded").await;
}

#[tokio::test]
async fn a_failure_of_the_database_is_answered_as_a_problem_that_tells_nothing() {
    async fn fails() -> Problem {
        Problem::from(sqlx::Error::Protocol("a secret".to_owned()))
    }
    let response = get_from(Router::new().route("/", get(fails))).await;
    assert_problem(response, StatusCode::INTERNAL_SERVER_ERROR, "internal").await;
}

#[tokio::test]
async fn an_error_without_a_document_gets_one_and_keeps_its_headers() {
    async fn refuses() -> Response {
        (StatusCode::IM_A_TEAPOT, [("retry-after", "7")], "a secret").into_response()
    }
    let response = get_from(Router::new().route("/", get(refuses))).await;
    assert_eq!(response.headers()["retry-after"], "7");
    assert_problem(response, StatusCode::IM_A_TEAPOT, "bad_request").await;
}

#[tokio::test]
async fn a_header_that_a_handler_set_is_kept() {
    async fn keeps() -> Response {
        ([(CACHE_CONTROL, "max-age=60")], "ok").into_response()
    }
    let response = get_from(Router::new().route("/", get(keeps))).await;
    assert_eq!(response.headers()[CACHE_CONTROL], "max-age=60");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_takes_too_long_is_a_timeout_of_the_client() {
    let never = Body::from_stream(futures_util::stream::pending::<
        Result<Vec<u8>, std::io::Error>,
    >());
    let request = Request::builder().uri("/").body(never).expect("a request");
    let router = Router::new().route("/", get(async || "ok"));
    let response = protect(router, &Operations::new(&Limits::default()), &[])
        .oneshot(request)
        .await
        .expect("a response");
    assert_problem(response, StatusCode::REQUEST_TIMEOUT, "timeout").await;
}

#[tokio::test(start_paused = true)]
async fn one_request_more_than_the_limit_is_turned_away_and_probes_are_not() {
    let limits = Limits {
        requests: 1,
        ..Limits::default()
    };
    let begun = Arc::new(Notify::new());
    let told = begun.clone();
    let never = async move || {
        told.notify_one();
        std::future::pending::<StatusCode>().await
    };
    let router = Router::new()
        .route("/", get(never))
        .route("/healthz", get(async || "ok"));
    let operations = Operations::new(&limits);
    let router = protect(router, &operations, &[]);
    let ask = async |path: &str| {
        let request = Request::builder().uri(path).body(Body::empty());
        let answer = router.clone().oneshot(request.expect("a request"));
        answer.await.expect("a response")
    };
    let first = tokio::spawn(router.clone().oneshot(Request::new(Body::empty())));
    begun.notified().await;
    assert_eq!(operations.in_flight(), 1);
    let turned_away = ask("/").await;
    assert_eq!(turned_away.headers()[RETRY_AFTER], "1");
    assert_problem(turned_away, StatusCode::SERVICE_UNAVAILABLE, "overloaded").await;
    assert_eq!(ask("/healthz").await.status(), StatusCode::OK);
    first.abort();
    let _ = first.await;
    assert_eq!(operations.in_flight(), 0);
}

#[tokio::test]
async fn scripts_of_the_configured_sites_may_read_and_no_others() {
    let sites = [HeaderValue::from_static("https://www.example.com")];
    let router = Router::new().route("/", get(async || "ok"));
    let router = protect(router, &Operations::new(&Limits::default()), &sites);
    let ask = async |origin: &str, method: Method| {
        let request = Request::builder()
            .method(method)
            .uri("/")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .body(Body::empty());
        let answer = router.clone().oneshot(request.expect("a request"));
        answer.await.expect("a response")
    };
    for method in [Method::GET, Method::OPTIONS] {
        let allowed = ask("https://www.example.com", method.clone()).await;
        assert_eq!(allowed.status(), StatusCode::OK);
        assert_eq!(
            allowed.headers()["access-control-allow-origin"],
            "https://www.example.com"
        );
        let other = ask("https://evil.example.com", method).await;
        assert!(!other.headers().contains_key("access-control-allow-origin"));
    }
}
