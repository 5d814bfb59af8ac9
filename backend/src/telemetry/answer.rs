//! What a collector's answer says beside its status: what of a message it refused, when it
//! wants to be asked again, and why.

use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::{DATE, RETRY_AFTER};
use jiff::fmt::rfc2822;

/// How many characters of an explanation are told.
const TOLD: usize = 200;
/// Shorter values of headers are found in any text, and are no secrets.
const SECRET: usize = 4;

/// How many of the spans or points of a message were refused that was taken otherwise, and
/// why: `partial_success` of `Export...ServiceResponse`
/// (<https://opentelemetry.io/docs/specs/otlp/#partial-success-1>). Where none was, or it
/// cannot be read, nothing.
pub(super) fn partial_success(body: &[u8]) -> Option<(usize, String)> {
    let mut partial = body_of(body, 1)?;
    let (mut rejected, mut message) = (0, String::new());
    while !partial.is_empty() {
        match field(&mut partial)? {
            (1, Field::Number(number)) => rejected = number.cast_signed().try_into().ok()?,
            (2, Field::Bytes(bytes)) => message = String::from_utf8_lossy(bytes).into_owned(),
            _ => {}
        }
    }
    (rejected > 0).then_some((rejected, message))
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Fixed,
}

/// The field of this number in a message, if it is one of bytes.
fn body_of(mut message: &[u8], wanted: u64) -> Option<&[u8]> {
    loop {
        match field(&mut message)? {
            (number, Field::Bytes(bytes)) if number == wanted => return Some(bytes),
            _ => {}
        }
    }
}

/// The next field, as `protobuf.rs` writes them.
fn field<'a>(message: &mut &'a [u8]) -> Option<(u64, Field<'a>)> {
    let key = varint(message)?;
    let value = match key & 7 {
        0 => Field::Number(varint(message)?),
        1 => message.split_off(..8).map(|_| Field::Fixed)?,
        2 => {
            let length = usize::try_from(varint(message)?).ok()?;
            Field::Bytes(message.split_off(..length)?)
        }
        5 => message.split_off(..4).map(|_| Field::Fixed)?,
        _ => return None,
    };
    Some((key >> 3, value))
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = message.split_off_first()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// How long the collector wants to be left alone: seconds, or a time, which is measured by
/// the collector's own clock
/// (<https://www.rfc-editor.org/rfc/rfc9110#name-retry-after>).
pub(super) fn pause(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let time = |text: &str| Some(rfc2822::parse(text).ok()?.timestamp());
    let now = time(headers.get(DATE)?.to_str().ok()?)?;
    time(value)?.duration_since(now).try_into().ok()
}

/// The explanation in a body, which is a text or a message with one in it: the longest
/// stretch of characters that can be read. Not one that has a secret of the request in it.
pub(super) fn explanation(body: &[u8], sent: &HeaderMap) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let is_unreadable =
        |character: char| character.is_control() || character == char::REPLACEMENT_CHARACTER;
    let told = text
        .split(is_unreadable)
        .max_by_key(|part| part.len())?
        .trim();
    let is_told = |value: &str| {
        let secret = value.rsplit(' ').next().unwrap_or_default();
        secret.len() >= SECRET && told.contains(secret)
    };
    let mut values = sent.values().filter_map(|value| value.to_str().ok());
    let is_fit = !told.is_empty() && !values.any(is_told);
    is_fit.then(|| told.chars().take(TOLD).collect())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use opentelemetry_proto::tonic::collector::trace::v1::{
        ExportTracePartialSuccess, ExportTraceServiceResponse,
    };
    use proptest::prelude::*;
    use prost::Message;

    use super::*;

    fn response(rejected_spans: i64, error_message: &str) -> Vec<u8> {
        let partial_success = Some(ExportTracePartialSuccess {
            rejected_spans,
            error_message: error_message.to_owned(),
        });
        ExportTraceServiceResponse { partial_success }.encode_to_vec()
    }

    #[test]
    fn what_was_refused_of_a_message_is_read_and_advice_is_no_refusal() {
        let refused = response(300, "too old");
        assert_eq!(partial_success(&refused), Some((300, "too old".to_owned())));
        for nothing in [
            &response(0, "advice")[..],
            &response(-1, ""),
            b"",
            b"nonsense!",
        ] {
            assert_eq!(partial_success(nothing), None);
        }
    }

    #[test]
    fn a_pause_is_seconds_or_the_time_between_two_of_the_collectors_clock() {
        let pause = |retry_after, date| {
            let headers = [
                (RETRY_AFTER, HeaderValue::from_static(retry_after)),
                (DATE, HeaderValue::from_static(date)),
            ];
            pause(&HeaderMap::from_iter(headers)).map(|pause| pause.as_secs())
        };
        let (soon, now) = (
            "Sun, 06 Nov 1994 08:50:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT",
        );
        assert_eq!(pause("120", ""), Some(120));
        assert_eq!(pause(soon, now), Some(60));
        assert_eq!(pause(now, soon), None);
        assert_eq!(pause(soon, ""), None);
        assert_eq!(pause("soon", now), None);
    }

    #[test]
    fn an_explanation_is_short_readable_and_without_what_was_sent() {
        let sent = HeaderMap::from_iter(
            [
                ("authorization", HeaderValue::from_static("Bearer hunter2")),
                ("x-team", HeaderValue::from_static("a")),
            ]
            .map(|(name, value)| (axum::http::HeaderName::from_static(name), value)),
        );
        let explanation = |body: &[u8]| explanation(body, &sent);
        let told = |text: &str| Some(text.to_owned());
        assert_eq!(explanation(b"no such key\r\n\r\nbye"), told("no such key"));
        // A message of Protocol Buffers, `google.rpc.Status`.
        assert_eq!(explanation(b"\x08\x03\x12\x09not today"), told("not today"));
        assert_eq!(explanation(b"no key is hunter2"), None);
        assert_eq!(explanation(b""), None);
        assert_eq!(explanation(&[b'e'; 5000]), Some("e".repeat(TOLD)));
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(body: Vec<u8>) {
            let _ = partial_success(&body);
            let _ = explanation(&body, &HeaderMap::new());
        }
    }
}
