use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::get;
use tower::ServiceExt;

use super::*;

async fn get_from(router: Router) -> Response {
    let request = Request::builder()
        .uri("/")
        .body(Body::empty())
        .expect("a request");
    protect(router, Duration::from_secs(10))
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
async fn a_request_that_takes_too_long_is_answered_as_a_timeout() {
    let response =
        get_from(Router::new().route("/", get(std::future::pending::<StatusCode>))).await;
    assert_problem(response, StatusCode::REQUEST_TIMEOUT, "timeout").await;
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
