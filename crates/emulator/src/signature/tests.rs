use axum::http::{HeaderMap, HeaderValue, Method};

use super::authorization::Authorization;
use super::*;

/// The worked example of AWS General Reference, "Create a canonical request
/// for Signature Version 4" (`GET iam ListUsers`).
fn list_users() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("host", "iam.amazonaws.com"),
        (
            "content-type",
            "application/x-www-form-urlencoded; charset=utf-8",
        ),
        ("x-amz-date", "20150830T123600Z"),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
}

fn received<'a>(headers: &'a HeaderMap, query: &'a str) -> Received<'a> {
    Received {
        method: &Method::GET,
        path: "/",
        query,
        headers,
        body: b"",
    }
}

#[test]
fn the_documented_request_verifies_from_end_to_end() {
    let headers = list_users();
    let received = received(&headers, "Action=ListUsers&Version=2010-05-08");
    let authorization = Authorization::find(&received).unwrap();
    let canonical = canonical::request(&received, &authorization.signed_headers).unwrap();
    let string_to_sign = authorization.string_to_sign(&canonical);
    assert!(
        string_to_sign
            .ends_with("f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59")
    );
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    let signature = key::sign(secret, &authorization, &string_to_sign);
    assert_eq!(signature, authorization.signature);
}

#[test]
fn the_query_is_sorted_whatever_its_order() {
    let headers = list_users();
    let signed = ["host".to_owned(), "x-amz-date".to_owned()];
    let one = canonical::request(&received(&headers, "b=2&a=%7E&a=%20"), &signed).unwrap();
    let other = canonical::request(&received(&headers, "a=%20&b=2&a=~"), &signed).unwrap();
    assert_eq!(one, other);
    assert!(one.contains("\na=%20&a=~&b=2\n"), "{one}");
}

#[test]
fn a_signature_must_cover_the_host_and_every_steering_header() {
    let mut headers = list_users();
    headers.insert(
        "x-amz-target",
        HeaderValue::from_static("Service.Operation"),
    );
    let received = received(&headers, "");
    for (signed, complaint) in [
        ("x-amz-date;x-amz-target", "'Host'"),
        ("host;x-amz-date", "x-amz-target"),
    ] {
        let signed: Vec<String> = signed.split(';').map(str::to_owned).collect();
        let error = canonical::request(&received, &signed).unwrap_err();
        assert!(error.to_string().contains(complaint), "{error}");
    }
}

#[test]
fn unreadable_signatures_are_incomplete_and_none_is_missing() {
    let authorizations = [
        "AWS4-HMAC-SHA512 Credential=a/b/c/d/aws4_request, SignedHeaders=host, Signature=x",
        "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=x",
        "AWS4-HMAC-SHA256 SignedHeaders=host, Signature=x",
        "AWS4-HMAC-SHA256",
        "Bearer x",
    ];
    for text in authorizations {
        let mut headers = list_users();
        headers.insert("authorization", HeaderValue::from_str(text).unwrap());
        let found = Authorization::find(&received(&headers, ""));
        assert!(
            matches!(found, Err(SignatureError::Incomplete(_))),
            "{text}"
        );
    }
    let none = HeaderMap::new();
    let found = Authorization::find(&received(&none, ""));
    assert!(matches!(found, Err(SignatureError::Missing)));
}

#[test]
fn a_second_date_or_a_wrong_one_is_refused() {
    let mut twice = list_users();
    twice.append("x-amz-date", HeaderValue::from_static("20150830T123601Z"));
    let mut wrong = list_users();
    wrong.insert("x-amz-date", HeaderValue::from_static("2015-08-30"));
    for headers in [twice, wrong] {
        let found = Authorization::find(&received(&headers, ""));
        assert!(matches!(found, Err(SignatureError::Incomplete(_))));
    }
}

#[test]
fn five_minutes_of_skew_are_the_limit_both_ways() {
    let headers = list_users();
    let authorization = Authorization::find(&received(&headers, "")).unwrap();
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    for good in ["2015-08-30T12:31:00Z", "2015-08-30T12:41:00Z"] {
        assert!(check_date(&authorization, at(good)).is_ok(), "{good}");
    }
    let early = check_date(&authorization, at("2015-08-30T12:30:59Z")).unwrap_err();
    assert!(
        early
            .to_string()
            .starts_with("Signature not yet current: 20150830T123600Z")
    );
    let late = check_date(&authorization, at("2015-08-30T12:41:01Z")).unwrap_err();
    assert_eq!(
        late.to_string(),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"
    );
}

#[test]
fn the_scope_must_be_of_this_day_and_service_and_some_region() {
    let headers = list_users();
    let authorization = Authorization::find(&received(&headers, "")).unwrap();
    let scope = |service| Scope {
        service,
        home: None,
    };
    assert!(check_scope(&authorization, scope("iam")).is_ok());
    assert!(check_scope(&authorization, scope("sts")).is_err());
    let nowhere = Authorization {
        region: "nowhere".to_owned(),
        ..Authorization::find(&received(&headers, "")).unwrap()
    };
    assert!(check_scope(&nowhere, scope("iam")).is_err());
    let other_day = Authorization {
        scope_day: "20150829".to_owned(),
        ..authorization
    };
    assert!(check_scope(&other_day, scope("iam")).is_err());
}
