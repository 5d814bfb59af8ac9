//! The description of the API (`/openapi.json`).
//!
//! utoipa makes it from the handlers and types in a test, which fails when the
//! committed `openapi.json` differs. The service serves that file: it has nothing
//! to compute, and its release build does not compile the generator.

use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;

const DOCUMENT: &str = include_str!("../openapi.json");

/// The description of this API (OpenAPI 3.1).
#[cfg_attr(test, utoipa::path(get, operation_id = "openapi", path = "/openapi.json", tag = "service",
    responses((status = 200, description = "This document", content_type = "application/json"))))]
pub(crate) async fn document() -> ([(HeaderName, &'static str); 1], &'static str) {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT)
}

#[cfg(test)]
mod patterns;
#[cfg(test)]
mod tests;
