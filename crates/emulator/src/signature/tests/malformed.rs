//! Signatures that cannot be read, each with what AWS says of it.

use super::*;

const MISSING: &str = "MissingAuthenticationToken";
const INCOMPLETE: &str = "IncompleteSignature";
const MISMATCH: &str = "SignatureDoesNotMatch";

/// Headers with their code and a part of their sentence. `{good}` and `{rest}`
/// stand for a credential and the other fields.
const HEADERS: &[(&str, &str, &str)] = &[
    ("", MISSING, "Request is missing Authentication Token"),
    ("Bearer x", MISSING, "Request is missing"),
    ("AWS AKIDEXAMPLE:c2ln", MISSING, "Request is missing"),
    (
        "AWS4-HMAC-SHA256=x",
        INCOMPLETE,
        "which cannot include an equal-sign",
    ),
    (
        "AWS4-HMAC-SHA256 {good}, x, {rest}",
        INCOMPLETE,
        "Invalid key=value pair (missing equal-sign)",
    ),
    (
        "AWS4-HMAC-SHA256",
        INCOMPLETE,
        "requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. (Hashed with SHA-256",
    ),
    (
        "AWS4-HMAC-SHA256 {rest}",
        INCOMPLETE,
        "Authorization header requires 'Credential' parameter. (Hashed",
    ),
    (
        "AWS4-HMAC-SHA256 {good}, {good}, {rest}",
        INCOMPLETE,
        "more than one 'Credential'",
    ),
    (
        "AWS4-HMAC-SHA512 {good}, {rest}",
        INCOMPLETE,
        "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512'",
    ),
    (
        "AWS4-HMAC-SHA256 Credential=a/b/c, {rest}",
        INCOMPLETE,
        "exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b/c'",
    ),
    (
        "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, {rest}",
        MISMATCH,
        "Credential should be scoped to a valid region, not 'c'. Credential should be scoped to correct service: 'sts'. Credential should be scoped with a valid terminator: 'aws4_request', not 'e'. Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: 'b' != '20150830', from '20150830T123600Z'.",
    ),
    (
        "AWS4-HMAC-SHA256 {good}, {rest}",
        MISMATCH,
        "The request signature we calculated does not match",
    ),
];

#[test]
fn each_malformed_header_has_its_code_and_sentence() {
    let good = "Credential=A/20150830/us-east-1/sts/aws4_request";
    let rest = "SignedHeaders=host;x-amz-date, Signature=x";
    for (text, code, sentence) in HEADERS {
        let text = text.replace("{good}", good).replace("{rest}", rest);
        let mut headers = list_users();
        headers.insert("authorization", HeaderValue::from_str(&text).unwrap());
        if text.is_empty() {
            headers.remove("authorization");
        }
        let error = check(&received(&headers, ""), STS, at("2015-08-30T12:36:00Z")).unwrap_err();
        assert_eq!(error.in_query().code, *code, "{text}");
        assert!(error.to_string().contains(sentence), "{text}: {error}");
    }
}

#[test]
fn each_malformed_presigned_address_has_its_code_and_sentence() {
    let headers = HeaderMap::new();
    for (query, sentence) in [
        (
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=x",
            "must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. Re-examine the query-string parameters.",
        ),
        (
            "X-Amz-Algorithm&X-Amz-Date=x&X-Amz-Credential=x&X-Amz-Signature=x&X-Amz-SignedHeaders=x",
            "must include 'X-Amz-Algorithm'. Re-examine",
        ),
        (
            "X-Amz-Algorithm=x&X-Amz-Date=x&X-Amz-Date=y&X-Amz-Credential=x&X-Amz-Signature=x&X-Amz-SignedHeaders=x",
            "must include 'X-Amz-Date'. Re-examine",
        ),
        (
            "X-Amz-Algorithm=x&X-Amz-Date=201&X-Amz-Credential=x&X-Amz-Signature=x&X-Amz-SignedHeaders=x",
            "Date must be in ISO-8601 'basic format'. Got '201'.",
        ),
    ] {
        let error = check(&received(&headers, query), STS, Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(error.in_query().code, "IncompleteSignature", "{query}");
        assert!(error.to_string().contains(sentence), "{query}: {error}");
    }
    let both = list_users();
    let both = check(
        &received(&both, "X-Amz-Algorithm=x"),
        STS,
        Timestamp::UNIX_EPOCH,
    );
    assert!(matches!(both, Err(SignatureError::Mismatch(text)) if text.starts_with("Found both")));
}
