//! Whatever is sent, the service answers, and never with an error of its own.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Request, Uri};
use proptest::collection::vec;
use proptest::prelude::*;

use tokio::runtime::Handle;

use crate::portfolio::{Portfolio, on_each_database};

fn method() -> impl Strategy<Value = Method> {
    prop_oneof![
        Just(Method::GET),
        Just(Method::POST),
        Just(Method::HEAD),
        "[A-Z!#$%&'*+.^_`|~-]{1,20}".prop_filter_map("a method", |text| text.parse().ok()),
    ]
}

fn uri() -> impl Strategy<Value = Uri> {
    prop_oneof![
        Just("/api/v1/contact".to_owned()),
        "/api/v1/search\\?q=(%[0-9A-F]{2}|[a-z\"'*:()&|!-]){0,30}",
        "/api/v1/(editor/)?posts(/[a-z%0-9]{0,9})?(\\?(page|per_page)=-?[0-9]{0,20})?",
        "/(healthz|readyz|version|openapi.json|api/v1/(profile|projects))[/?#%]?.{0,20}",
        "/api/v1/projects/.{0,300}",
        "/api/v1/projects/(%[0-9A-Fa-f]{2}){0,40}",
        "/.{0,300}",
        "\\PC{0,100}",
    ]
    .prop_filter_map("an address", |text| text.parse().ok())
}

fn header() -> impl Strategy<Value = (HeaderName, HeaderValue)> {
    let name = prop_oneof![
        "(content-type|content-length|x-request-id|accept|host|expect|transfer-encoding)",
        "[a-zA-Z0-9-]{1,40}",
    ];
    let value = prop_oneof![Just(b"application/json".to_vec()), vec(any::<u8>(), 0..100),];
    (name, value).prop_filter_map("a header", |(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        Some((name, HeaderValue::from_bytes(&value).ok()?))
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let message =
        (any::<String>(), any::<String>(), any::<String>()).prop_map(|(name, email, message)| {
            let message = serde_json::json!({"name": name, "email": email, "message": message});
            message.to_string().into_bytes()
        });
    prop_oneof![
        vec(any::<u8>(), 0..2000),
        "[\\[\\]{}\":,0-9a-z\\\\]{0,200}".prop_map(String::into_bytes),
        message,
        (65_000..70_000_usize).prop_map(|length| vec![b' '; length]),
    ]
}

fn request() -> impl Strategy<Value = Request<Body>> {
    (method(), uri(), vec(header(), 0..5), body()).prop_map(|(method, uri, headers, body)| {
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        request.headers_mut().extend(headers);
        request
    })
}

#[test]
fn every_request_is_answered_and_every_error_is_the_clients_and_a_problem() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(on_each_database(async |portfolio| ask(&portfolio)));
}

fn ask(portfolio: &Portfolio) {
    proptest!(ProptestConfig::with_cases(500), |(request in request())| {
        let is_head = request.method() == Method::HEAD;
        let answer = tokio::task::block_in_place(|| Handle::current().block_on(portfolio.send(request)));
        // A panic would be answered 500.
        prop_assert!(!answer.status.is_server_error(), "{}", answer.status);
        prop_assert!(answer.headers.contains_key("x-request-id"));
        prop_assert!(answer.headers.contains_key("x-content-type-options"));
        if answer.status.is_client_error() {
            prop_assert_eq!(answer.header("content-type"), "application/problem+json");
            prop_assert!(is_head || answer.json()["status"] == answer.status.as_u16());
        }
    });
}
