//! `DateEquals` and its kin.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::Order;

/// Whether the request's moment stands in that order to the policy's. A text
/// that is not a moment compares with nothing (inferred).
pub(super) fn compares(order: Order, seen: &str, wanted: &str) -> bool {
    match (moment(seen), moment(wanted)) {
        (Some(seen), Some(wanted)) => order.admits(seen.cmp(&wanted)),
        _ => false,
    }
}

/// The W3C forms of ISO 8601 (<https://www.w3.org/TR/NOTE-datetime>), UTC where
/// they have no zone, or seconds since 1970. Four digits are a year (inferred).
fn moment(text: &str) -> Option<Timestamp> {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() == 4 && is_digits(text) {
        return midnight(&format!("{text}-01-01"));
    }
    if let Ok(seconds) = text.parse::<i64>() {
        return Timestamp::from_duration(SignedDuration::from_secs(seconds)).ok();
    }
    if text.len() == 7 && text.as_bytes().get(4) == Some(&b'-') {
        return midnight(&format!("{text}-01"));
    }
    if let Ok(timestamp) = text.parse() {
        return Some(timestamp);
    }
    match text.parse::<DateTime>() {
        Ok(civil) => TimeZone::UTC.to_timestamp(civil).ok(),
        Err(_) => midnight(text),
    }
}

fn midnight(date: &str) -> Option<Timestamp> {
    let civil = date.parse::<Date>().ok()?.to_datetime(Time::midnight());
    TimeZone::UTC.to_timestamp(civil).ok()
}
