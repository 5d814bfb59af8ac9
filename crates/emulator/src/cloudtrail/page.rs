//! The token of the next page: where it begins, and which question it belongs to.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::trail::Position;

/// The token of the records before `position`, for `question`.
pub(super) fn token((second, place): Position, question: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{second}.{place}.{:x}", mark(question)))
}

/// The place in `token`, if it belongs to `question`.
pub(super) fn position(token: &str, question: &str) -> Option<Position> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let mut parts = text.split('.');
    let position = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let is_its_own = parts.next()? == format!("{:x}", mark(question));
    (is_its_own && parts.next().is_none()).then_some(position)
}

fn mark(question: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    question.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_gives_its_place_back_to_its_own_question_only(
            second in any::<i64>(), place in any::<u64>()
        ) {
            let token = token((second, place), "a");
            prop_assert_eq!(position(&token, "a"), Some((second, place)));
            prop_assert_eq!(position(&token, "b"), None);
        }

        #[test]
        fn any_text_is_a_token_or_not(text in any::<String>()) {
            prop_assert_eq!(position(&text, "a"), None);
        }
    }
}
