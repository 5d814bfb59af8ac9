//! `NumericEquals` and its kin.

use std::cmp::Ordering;

use super::Order;

/// Whether the request's number stands in that order to the policy's. A text
/// that is not a number compares with nothing (inferred).
pub(super) fn compares(order: Order, seen: &str, wanted: &str) -> bool {
    compare(seen, wanted).is_some_and(|ordering| order.admits(ordering))
}

fn compare(seen: &str, wanted: &str) -> Option<Ordering> {
    // Integers first: ids and epochs in milliseconds must not be rounded.
    if let (Ok(seen), Ok(wanted)) = (seen.parse::<i128>(), wanted.parse::<i128>()) {
        return Some(seen.cmp(&wanted));
    }
    decimal(seen)?.partial_cmp(&decimal(wanted)?)
}

/// A finite decimal; words that Rust reads as floats (`inf`, `nan`) are not.
fn decimal(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    value.is_finite().then_some(value)
}
