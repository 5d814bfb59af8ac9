//! What a request asks for, known before anybody has looked at it.

use axum::http::request::Parts;

use crate::protocol::Protocol;
use crate::{issuer, json_protocol, query_protocol, registry};

/// Service and operation in the words of the trail, and the request's head.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) service: String,
    pub(super) operation: String,
    pub(super) parts: &'a Parts,
}

impl<'a> Asked<'a> {
    /// Reads a request of `protocol`. `body` is empty where it is streamed.
    pub(super) fn read(protocol: Protocol, parts: &'a Parts, body: &[u8]) -> Self {
        let of = |service: &str, operation: &str| Some((service.to_owned(), operation.to_owned()));
        let found = match protocol {
            Protocol::Registry => of("ecr.amazonaws.com", registry::operation(parts)),
            Protocol::Layers => of("s3.amazonaws.com", "GetObject"),
            Protocol::Json => json_protocol::event(&parts.headers),
            Protocol::Query => query_protocol::event(parts, body),
            Protocol::Issuer => issuer::event(parts),
            Protocol::Admin | Protocol::Unknown => None,
        };
        let unknown = || ("unknown".to_owned(), "Unknown".to_owned());
        let (service, operation) = found.unwrap_or_else(unknown);
        Self {
            service,
            operation,
            parts,
        }
    }
}
