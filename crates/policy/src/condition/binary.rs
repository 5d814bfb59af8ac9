//! `BinaryEquals`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The same bytes; both sides are base64, and a text that is not equals nothing.
pub(super) fn equals(seen: &str, wanted: &str) -> bool {
    match (STANDARD.decode(seen), STANDARD.decode(wanted)) {
        (Ok(seen), Ok(wanted)) => seen == wanted,
        _ => false,
    }
}
