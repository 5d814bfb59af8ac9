mod malformed;

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign as real_signature,
};
use aws_sigv4::sign::v4::SigningParams;
use axum::http::HeaderValue;
use proptest::prelude::*;

use super::*;
use crate::sts::sessions::{Identity, Secret};
use crate::trail::Origin;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const STS: Scope<'_> = Scope {
    service: "sts",
    home: None,
};

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

fn key() -> AccessKey {
    AccessKey {
        secret: Secret::new(SECRET.to_owned()),
        identity: Identity::Root {
            account: "123456789012".to_owned(),
        },
        session: None,
        long_term: None,
    }
}

/// Everything but the look-up of the key.
fn check(received: &Received<'_>, scope: Scope<'_>, now: Timestamp) -> Result<(), SignatureError> {
    let authorization = Authorization::find(received)?;
    let credential = check_form(&authorization, scope, now)?;
    let note = Note::new(Origin::default());
    check_signature(&authorization, &credential, received, &key(), &note)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn the_documented_request_verifies_from_end_to_end() {
    let headers = list_users();
    let received = received(&headers, "Action=ListUsers&Version=2010-05-08");
    let scope = Scope {
        service: "iam",
        home: None,
    };
    check(&received, scope, at("2015-08-30T12:36:00Z")).unwrap();
}

/// A request of the AWS SDK for Rust, signed by its own signer.
#[derive(Debug, Clone)]
struct Sent {
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Sent {
    fn signed(mut self, location: SignatureLocation) -> Self {
        let identity = Credentials::new("AKIDEXAMPLE", SECRET, None, None, "test").into();
        let mut settings = SigningSettings::default();
        settings.signature_location = location;
        if location == SignatureLocation::QueryParams {
            settings.expires_in = Some(Duration::from_mins(1));
        }
        let time = SystemTime::UNIX_EPOCH + Duration::from_mins(24_015_636);
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name("sts")
            .time(time)
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let uri = format!("http://sts.localhost/?{}", self.query);
        let headers = self.headers.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        let body = SignableBody::Bytes(&self.body);
        let signable = SignableRequest::new("POST", &uri, headers, body).unwrap();
        let (instructions, _) = real_signature(signable, &parameters).unwrap().into_parts();
        let mut request = http::Request::post(&uri).body(()).unwrap();
        instructions.apply_to_request_http1x(&mut request);
        for (name, value) in request.headers() {
            let value = value.to_str().unwrap().to_owned();
            self.headers.push((name.to_string(), value));
        }
        self.headers
            .push(("host".to_owned(), "sts.localhost".to_owned()));
        self.query = request.uri().query().unwrap_or_default().to_owned();
        self
    }

    fn check(&self) -> Result<(), SignatureError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name: http::HeaderName = name.parse().unwrap();
            headers.append(name, value.parse().unwrap());
        }
        let received = Received {
            method: &Method::POST,
            path: "/",
            query: &self.query,
            headers: &headers,
            body: &self.body,
        };
        check(&received, STS, at("2015-08-30T12:36:00Z"))
    }
}

fn sent() -> impl Strategy<Value = Sent> {
    let pair = "[a-zA-Z0-9._~-]{1,6}=([a-zA-Z0-9._~-]|%[2-7][0-9A-F]|%C3%A9){0,8}";
    let query = prop::collection::vec(pair, 0..5).prop_map(|pairs| pairs.join("&"));
    let header = ("x-amz-meta-[a-z]{1,6}", "[!-~]([ -~]{0,20}[!-~])?");
    let headers = prop::collection::btree_map(header.0, header.1, 0..4);
    let body = prop::collection::vec(any::<u8>(), 0..50);
    (query, headers, body).prop_map(|(query, headers, body)| Sent {
        query,
        headers: headers.into_iter().collect(),
        body,
    })
}

proptest! {
    #[test]
    fn what_the_sdk_signs_verifies_in_the_header_and_in_the_query(sent in sent()) {
        for location in [SignatureLocation::Headers, SignatureLocation::QueryParams] {
            let checked = sent.clone().signed(location).check();
            prop_assert!(checked.is_ok(), "{location:?}: {checked:?}");
        }
    }

    #[test]
    fn what_was_altered_on_its_way_does_not(sent in sent(), at in any::<prop::sample::Index>()) {
        let good = sent.signed(SignatureLocation::Headers);
        let mut longer = good.clone();
        longer.body.push(b'x');
        let mut asked_more = good.clone();
        asked_more.query.push_str("&Action=DeleteRole");
        let mut another_value = good.clone();
        let index = at.index(another_value.headers.len());
        another_value.headers[index].1.push('x');
        for altered in [longer, asked_more, another_value] {
            prop_assert!(altered.check().is_err(), "{altered:?}");
        }
    }

    #[test]
    fn nothing_that_a_header_can_hold_makes_the_reader_panic(
        authorization in "(AWS4-HMAC-SHA256 )?[ -~]{0,80}",
        query in "(X-Amz-Algorithm=)?[ -~]{0,80}",
        date in "[ -~]{0,30}",
    ) {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", authorization.parse().unwrap());
        headers.insert("date", date.parse().unwrap());
        let _ = check(&received(&headers, &query), STS, Timestamp::UNIX_EPOCH);
    }
}

#[test]
fn the_query_is_sorted_whatever_its_order_and_kept_byte_by_byte() {
    let headers = list_users();
    let signed = ["host".to_owned(), "x-amz-date".to_owned()];
    let canonical = |query| canonical::request(&received(&headers, query), &signed).unwrap();
    let one = canonical("b=2&a=%7E&a=%20&c=%ff+");
    assert_eq!(one, canonical("a=%20&b=2&c=%FF%2B&a=~"));
    assert!(one.contains("\na=%20&a=~&b=2&c=%FF%2B\n"), "{one}");
}

#[test]
fn a_signature_must_cover_the_host_and_every_steering_header() {
    let mut headers = list_users();
    headers.insert(
        "x-amz-target",
        HeaderValue::from_static("Service.Operation"),
    );
    for (signed, complaint) in [
        ("x-amz-date;x-amz-target", "'Host' or ':authority' must be"),
        ("host;x-amz-date", "which were not signed: x-amz-target"),
        (
            "host;x-amz-date;x-amz-target;x-gone",
            "'x-gone' is a 'SignedHeader'",
        ),
    ] {
        let text = format!(
            "AWS4-HMAC-SHA256 Credential=A/20150830/us-east-1/sts/aws4_request,SignedHeaders={signed},Signature=x"
        );
        headers.insert("authorization", text.parse().unwrap());
        let error = check(&received(&headers, ""), STS, at("2015-08-30T12:36:00Z")).unwrap_err();
        assert!(error.to_string().contains(complaint), "{error}");
    }
}

#[test]
fn a_second_date_or_a_wrong_one_is_refused() {
    let mut twice = list_users();
    twice.append("x-amz-date", HeaderValue::from_static("20150830T123601Z"));
    let mut wrong = list_users();
    wrong.insert("x-amz-date", HeaderValue::from_static("2015-08-30"));
    let mut none = list_users();
    none.remove("x-amz-date");
    for headers in [twice, wrong, none] {
        let found = Authorization::find(&received(&headers, ""));
        assert!(matches!(found, Err(SignatureError::Incomplete(_))));
    }
}

#[test]
fn the_header_date_stands_in_for_x_amz_date() {
    let mut headers = list_users();
    headers.remove("x-amz-date");
    for date in ["Sun, 30 Aug 2015 12:36:00 GMT", "20150830T123600Z"] {
        headers.insert("date", date.parse().unwrap());
        let found = Authorization::find(&received(&headers, "")).unwrap();
        assert_eq!(found.date, "20150830T123600Z");
    }
    headers.insert("x-amz-date", HeaderValue::from_static("20150830T123601Z"));
    let found = Authorization::find(&received(&headers, "")).unwrap();
    assert_eq!(found.date, "20150830T123601Z");
}

#[test]
fn fifteen_minutes_of_skew_are_the_limit_both_ways() {
    let headers = list_users();
    let authorization = Authorization::find(&received(&headers, "")).unwrap();
    for good in ["2015-08-30T12:21:00Z", "2015-08-30T12:51:00Z"] {
        assert!(check_date(&authorization, at(good)).is_ok(), "{good}");
    }
    let early = check_date(&authorization, at("2015-08-30T12:20:59Z")).unwrap_err();
    assert_eq!(
        early.to_string(),
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T122059Z + 15 min.)"
    );
    let late = check_date(&authorization, at("2015-08-30T12:51:01Z")).unwrap_err();
    assert_eq!(
        late.to_string(),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T125101Z - 15 min.)"
    );
}

#[test]
fn headers_that_are_signed_out_of_order_or_twice_are_signed_in_order_and_once() {
    let mut headers = list_users();
    let text = "AWS4-HMAC-SHA256 Credential=A/20150830/us-east-1/sts/aws4_request, SignedHeaders=X-Amz-Date;Host;host, Signature=x";
    headers.insert("authorization", HeaderValue::from_static(text));
    let found = Authorization::find(&received(&headers, "")).unwrap();
    assert_eq!(found.signed_headers, ["host", "x-amz-date"]);
}
