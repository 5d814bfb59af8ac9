//! Signature Version 4 over a request that is about to be sent.

use std::time::SystemTime;

use aws_credential_types::Credentials as SigningKeys;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign as signature};
use aws_sigv4::sign::v4::SigningParams;
use jiff::Timestamp;

use crate::{AwsError, Credentials};

/// What a signature is bound to, besides the request and the keys.
pub(crate) struct Scope<'a> {
    /// The service's signing name: `sts`, `ecr`.
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) time: Timestamp,
}

/// Adds the headers that prove who sends `request`. The host is signed as it will
/// be sent: with its port, unless that is the scheme's own.
pub(crate) fn sign(
    request: &mut http::Request<Vec<u8>>,
    credentials: &Credentials,
    scope: &Scope<'_>,
) -> Result<(), AwsError> {
    let keys = SigningKeys::new(
        credentials.access_key_id.as_str(),
        credentials.secret_access_key.expose(),
        credentials
            .session_token
            .as_ref()
            .map(|token| token.expose().to_owned()),
        None,
        "longshore",
    )
    .into();
    let time = SystemTime::try_from(scope.time).map_err(|error| cannot_sign(&error))?;
    let parameters = SigningParams::builder()
        .identity(&keys)
        .region(scope.region)
        .name(scope.service)
        .time(time)
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| cannot_sign(&error))?
        .into();
    let mut headers = Vec::new();
    for (name, value) in request.headers() {
        headers.push((
            name.as_str(),
            value.to_str().map_err(|error| cannot_sign(&error))?,
        ));
    }
    let signable = SignableRequest::new(
        request.method().as_str(),
        request.uri().to_string(),
        headers.into_iter(),
        SignableBody::Bytes(request.body()),
    )
    .map_err(|error| cannot_sign(&error))?;
    let (instructions, _) = signature(signable, &parameters)
        .map_err(|error| cannot_sign(&error))?
        .into_parts();
    instructions.apply_to_request_http1x(request);
    Ok(())
}

/// The keys are the only part of a request that we do not write ourselves.
fn cannot_sign(error: &dyn std::error::Error) -> AwsError {
    AwsError::Setting {
        what: "AWS credentials",
        reason: format!("they cannot sign a request: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_part_of_the_signed_host() {
        let signed = |uri: &str| {
            let mut request = http::Request::post(uri).body(Vec::new()).unwrap();
            let scope = Scope {
                service: "sts",
                region: "eu-west-1",
                time: "2026-01-02T03:04:05Z".parse().unwrap(),
            };
            let keys = Credentials::new("AKIAEXAMPLE", "secret", Some("session".to_owned()));
            sign(&mut request, &keys, &scope).unwrap();
            let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
            assert_eq!(header("x-amz-date"), "20260102T030405Z");
            assert_eq!(header("x-amz-security-token"), "session");
            header("authorization")
        };
        let with_port = signed("http://127.0.0.1:4566/");
        assert!(with_port.starts_with(
            "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260102/eu-west-1/sts/aws4_request, \
             SignedHeaders=host;x-amz-date;x-amz-security-token, Signature="
        ));
        assert_ne!(with_port, signed("http://127.0.0.1:4567/"));
        assert_eq!(with_port, signed("http://127.0.0.1:4566/"));
    }
}
