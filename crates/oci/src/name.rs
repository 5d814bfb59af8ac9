//! Repository names, tags and manifest references (distribution-spec,
//! "Pulling manifests").

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Digest, DigestError};

/// Why a text is not a repository name or a tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not a repository name.
    #[error(
        "`{0}` is not a repository name: lower-case letters, digits and single separators \
         (`.`, `_`, `__`, `-`) in parts divided by `/`, 2 to 256 characters"
    )]
    Repository(String),
    /// Not a tag.
    #[error(
        "`{0}` is not a tag: up to 128 letters, digits, `.`, `_` and `-`, not starting with `.` or `-`"
    )]
    Tag(String),
    /// A reference with a colon is a digest, and this one is not well formed.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

macro_rules! text_type {
    ($name:ident, $check:ident, $error:ident, $what:literal) => {
        #[doc = $what]
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::try_from(text.to_owned())
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                if $check(&text) {
                    Ok(Self(text))
                } else {
                    Err(NameError::$error(text.chars().take(300).collect()))
                }
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

text_type!(
    RepositoryName,
    is_repository_name,
    Repository,
    "A repository's name within a registry, such as `portfolio/backend`.\n\n\
     2 to 256 characters, the bounds of ECR, which lie within the specification's grammar."
);
text_type!(
    Tag,
    is_tag,
    Tag,
    "A tag: a name in a repository that can be moved."
);

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*`
fn is_repository_name(text: &str) -> bool {
    (2..=256).contains(&text.len()) && text.split('/').all(is_path_component)
}

fn is_path_component(component: &str) -> bool {
    let alphanumeric =
        |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
    component.starts_with(alphanumeric)
        && component.ends_with(alphanumeric)
        && component.split(alphanumeric).all(|separator| {
            matches!(separator, "" | "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-')
        })
}

/// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`
fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text
            .bytes()
            .all(|byte| word(byte) || byte == b'.' || byte == b'-')
}

/// What names a manifest in a repository: a tag, or the digest itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ManifestReference {
    /// By tag.
    Tag(Tag),
    /// By digest.
    Digest(Digest),
}

impl FromStr for ManifestReference {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.contains(':') {
            Ok(Self::Digest(text.parse()?))
        } else {
            Ok(Self::Tag(text.parse()?))
        }
    }
}

impl fmt::Display for ManifestReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(formatter),
            Self::Digest(digest) => digest.fmt(formatter),
        }
    }
}

impl From<Tag> for ManifestReference {
    fn from(tag: Tag) -> Self {
        Self::Tag(tag)
    }
}

impl From<Digest> for ManifestReference {
    fn from(digest: Digest) -> Self {
        Self::Digest(digest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn repository_names_follow_the_grammar() {
        for right in ["ab", "portfolio/backend", "a__b/c-d--e/f.g", "0/1"] {
            assert!(right.parse::<RepositoryName>().is_ok(), "{right}");
        }
        let long = "a".repeat(257);
        for wrong in [
            "", "a", "A/b", "a//b", "/a", "a/", "a_-b", "a..b", "a___b", "-a", "a-", "../a",
            "a/..", "a b", "a:b", "ä/b", &long,
        ] {
            assert!(wrong.parse::<RepositoryName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn tags_follow_the_grammar() {
        for right in ["latest", "_1.0-rc", "0"] {
            assert!(right.parse::<Tag>().is_ok(), "{right}");
        }
        let long = "a".repeat(129);
        for wrong in ["", ".a", "-a", "a/b", "a:b", "a b", &long] {
            assert!(wrong.parse::<Tag>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_reference_with_a_colon_is_a_digest_or_nothing() {
        assert!("latest:1".parse::<ManifestReference>().is_err());
        assert!(matches!("v1".parse(), Ok(ManifestReference::Tag(_))));
    }

    proptest! {
        #[test]
        fn accepted_names_survive_a_round_trip_and_never_climb(text in "[a-z./_-]{0,20}") {
            if let Ok(name) = text.parse::<RepositoryName>() {
                prop_assert_eq!(name.as_str(), &text);
                prop_assert!(!text.contains(".."));
            }
        }

        #[test]
        fn any_text_is_parsed_without_panic(text: String) {
            let _ = text.parse::<RepositoryName>();
            let _ = text.parse::<ManifestReference>();
        }
    }
}
