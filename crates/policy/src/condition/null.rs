//! `Null`.

use super::boolean;

/// `"true"` wants the key absent, `"false"` wants it there; any of the values
/// may hold.
pub(super) fn holds(absent: bool, values: &[String]) -> bool {
    values
        .iter()
        .any(|value| boolean::parse(value) == Some(absent))
}
