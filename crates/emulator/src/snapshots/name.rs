//! What a snapshot may be called.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest name, in bytes.
const LIMIT: usize = 64;

/// The name of a snapshot, which is that of its directory too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SnapshotName(String);

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of a snapshot has 1 to {LIMIT} letters, digits, `.`, `_` and `-`, and begins with a letter or a digit"
)]
pub struct BadSnapshotName;

impl TryFrom<String> for SnapshotName {
    type Error = BadSnapshotName;

    fn try_from(text: String) -> Result<Self, BadSnapshotName> {
        let begins = text.starts_with(|first: char| first.is_ascii_alphanumeric());
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if begins && text.len() <= LIMIT && text.bytes().all(fits) {
            Ok(Self(text))
        } else {
            Err(BadSnapshotName)
        }
    }
}

impl From<SnapshotName> for String {
    fn from(name: SnapshotName) -> Self {
        name.0
    }
}

impl fmt::Display for SnapshotName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_harmless_part_of_a_path() {
        let is_name = |text: &str| SnapshotName::try_from(text.to_owned()).is_ok();
        for name in ["a", "0", "before-v1.2_3", "A..b", &"x".repeat(64)] {
            assert!(is_name(name), "{name}");
        }
        for other in [
            "",
            ".",
            "..",
            ".hidden",
            "-x",
            "a/b",
            "a\\b",
            "a b",
            "a%2Fb",
            "ä",
            "a\0",
            "a\n",
            &"x".repeat(65),
        ] {
            assert!(!is_name(other), "{other:?}");
        }
    }
}
