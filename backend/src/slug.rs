//! Names in addresses.

use crate::problem::Problem;

/// The name of the one profile.
pub(crate) const PROFILE: &str = "profile";

const LONGEST: usize = 100;

/// Whether it is one: lower-case letters and digits of ASCII, with single hyphens
/// between.
pub(crate) fn is_slug(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && text.split('-').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
}

/// Nothing has a name that is none: such a name never reaches the database.
pub(crate) fn judge(text: &str) -> Result<(), Problem> {
    if is_slug(text) {
        Ok(())
    } else {
        Err(Problem::not_found("there is nothing of this name"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_letters_and_digits_with_single_hyphens_between() {
        for name in ["a", "slow-mail", "2026-01-31", &"a".repeat(100)] {
            assert!(is_slug(name), "{name}");
        }
        for text in [
            "",
            "-",
            "a-",
            "-a",
            "a--b",
            "A",
            "ä",
            "a b",
            "a\0",
            &"a".repeat(101),
        ] {
            assert!(!is_slug(text), "{text}");
        }
    }
}
