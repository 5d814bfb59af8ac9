//! The canonical form of a request, which is what both sides sign.

use axum::http::HeaderMap;
use percent_encoding::{
    AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode, utf8_percent_encode,
};
use sha2::{Digest as _, Sha256};

use super::{Received, SignatureError};

/// Everything but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The canonical request. The payload's hash is always of the body that came:
/// none of the services here takes an unsigned or a chunked payload, whatever
/// `X-Amz-Content-SHA256` says.
pub(super) fn request(
    received: &Received<'_>,
    signed_headers: &[String],
) -> Result<String, SignatureError> {
    check_signed(received.headers, signed_headers)?;
    let mut headers = String::new();
    for name in signed_headers {
        headers.push_str(name);
        headers.push(':');
        headers.push_str(&header_value(received.headers, name)?);
        headers.push('\n');
    }
    Ok(format!(
        "{}\n{}\n{}\n{headers}\n{}\n{}",
        received.method,
        path(received.path),
        query(received.query),
        signed_headers.join(";"),
        hex::encode(Sha256::digest(received.body))
    ))
}

/// Every header that steers AWS must be signed: otherwise somebody in between
/// could add one.
fn check_signed(headers: &HeaderMap, signed: &[String]) -> Result<(), SignatureError> {
    let steering = |name: &&str| name.starts_with("x-amz-") && !signed.iter().any(|s| s == *name);
    match headers.keys().map(http::HeaderName::as_str).find(steering) {
        Some(name) => Err(SignatureError::Mismatch(format!(
            "There were headers present in the request which were not signed: {name}"
        ))),
        None => Ok(()),
    }
}

/// Values of one name joined by commas, each trimmed, with runs of spaces made
/// one.
fn header_value(headers: &HeaderMap, name: &str) -> Result<String, SignatureError> {
    let mut values = Vec::new();
    for value in headers.get_all(name) {
        let text = String::from_utf8_lossy(value.as_bytes());
        let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
        values.push(words.join(" "));
    }
    if values.is_empty() {
        return Err(SignatureError::Mismatch(format!(
            "'{name}' is a 'SignedHeader' in the AWS Authorization, but is not in the request."
        )));
    }
    Ok(values.join(","))
}

/// The path is encoded once more than it came, segment by segment.
fn path(path: &str) -> String {
    if path.is_empty() {
        return "/".to_owned();
    }
    let encoded = |segment| utf8_percent_encode(segment, ENCODED).to_string();
    let segments: Vec<String> = path.split('/').map(encoded).collect();
    segments.join("/")
}

/// The query sorted by encoded name and value, without the signature itself.
fn query(query: &str) -> String {
    let encoded = |bytes: &[u8]| percent_encode(bytes, ENCODED).to_string();
    let mut pairs: Vec<(String, String)> = pairs(query)
        .into_iter()
        .filter(|(name, _)| name != b"X-Amz-Signature")
        .map(|(name, value)| (encoded(&name), encoded(&value)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

/// The pairs of a query, decoded. Unlike in a form, `+` is itself.
pub(super) fn pairs(query: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let decode = |text: &str| percent_decode_str(text).collect();
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}
