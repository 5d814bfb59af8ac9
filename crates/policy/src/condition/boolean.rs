//! `Bool`.

/// The same truth value; any other text equals nothing (inferred).
pub(super) fn equals(seen: &str, wanted: &str) -> bool {
    parse(seen).is_some_and(|seen| parse(wanted) == Some(seen))
}

/// `true` or `false`, in any case.
pub(super) fn parse(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}
