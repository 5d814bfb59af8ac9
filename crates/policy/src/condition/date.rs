//! `DateEquals` and its kin.

use jiff::civil::{Date, DateTime};
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

/// ISO 8601 with or without time and zone (UTC then), or seconds since 1970.
fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Timestamp::from_duration(SignedDuration::from_secs(seconds)).ok();
    }
    if let Ok(timestamp) = text.parse() {
        return Some(timestamp);
    }
    let civil = match text.parse::<DateTime>() {
        Ok(civil) => civil,
        Err(_) => text
            .parse::<Date>()
            .ok()?
            .to_datetime(jiff::civil::Time::midnight()),
    };
    TimeZone::UTC.to_timestamp(civil).ok()
}
