//! `StringEquals` and its kin.

/// Exact text, or text that differs only in case.
pub(super) fn equals(seen: &str, wanted: &str, ignore_case: bool) -> bool {
    seen == wanted || (ignore_case && seen.to_lowercase() == wanted.to_lowercase())
}
