//! Signature Version 4 over a request that is about to be sent.

use aws_credential_types::Credentials as Identity;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use http::header::HOST;
use jiff::Timestamp;
use url::Url;

use crate::transport::Operation;
use crate::{AwsError, Credentials};

/// What a signature is bound to, besides the request.
pub(crate) struct Scope<'a> {
    /// The service's signing name: `sts`, `ecr`.
    pub(crate) service: &'static str,
    pub(crate) region: &'a str,
    pub(crate) time: Timestamp,
}

/// Builds a POST of `body` and signs it with all of its headers.
pub(crate) fn signed_post(
    operation: Operation,
    url: &Url,
    headers: &[(&'static str, &str)],
    body: String,
    credentials: &Credentials,
    scope: &Scope<'_>,
) -> Result<http::Request<Vec<u8>>, AwsError> {
    todo!()
}
