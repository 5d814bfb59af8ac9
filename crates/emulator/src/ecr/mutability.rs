//! Which tags of a repository may be moved (Amazon ECR User Guide, "Preventing
//! image tags from being overwritten").

use oci::Tag;
use serde::{Deserialize, Serialize};

use super::EcrError;

/// `imageTagMutability`, with the filters that turn it around for some tags.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mutability {
    pub(crate) setting: MutabilitySetting,
    /// Wildcard patterns; one to five with the two `_WITH_EXCLUSION` settings,
    /// none with the others.
    pub(crate) exclusions: Vec<String>,
}

/// The values of `imageTagMutability`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum MutabilitySetting {
    #[default]
    Mutable,
    Immutable,
    MutableWithExclusion,
    ImmutableWithExclusion,
}

impl MutabilitySetting {
    /// The value that AWS writes as `text`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "MUTABLE" => Self::Mutable,
            "IMMUTABLE" => Self::Immutable,
            "MUTABLE_WITH_EXCLUSION" => Self::MutableWithExclusion,
            "IMMUTABLE_WITH_EXCLUSION" => Self::ImmutableWithExclusion,
            _ => return None,
        })
    }

    /// As AWS writes it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Mutable => "MUTABLE",
            Self::Immutable => "IMMUTABLE",
            Self::MutableWithExclusion => "MUTABLE_WITH_EXCLUSION",
            Self::ImmutableWithExclusion => "IMMUTABLE_WITH_EXCLUSION",
        }
    }

    fn takes_exclusions(self) -> bool {
        matches!(
            self,
            Self::MutableWithExclusion | Self::ImmutableWithExclusion
        )
    }
}

impl Mutability {
    /// Checks a setting and its filters as `CreateRepository` and
    /// `PutImageTagMutability` do.
    pub(crate) fn new(setting: &str, exclusions: Option<Vec<String>>) -> Result<Self, EcrError> {
        let parameter = "imageTagMutability";
        let parsed = MutabilitySetting::parse(setting).ok_or_else(|| {
            EcrError::parameter(
                parameter,
                "Member must satisfy enum value set: [IMMUTABLE, MUTABLE, MUTABLE_WITH_EXCLUSION, \
                 IMMUTABLE_WITH_EXCLUSION]",
            )
        })?;
        let filters = "imageTagMutabilityExclusionFilters";
        let exclusions = exclusions.unwrap_or_default();
        if parsed.takes_exclusions() == exclusions.is_empty() {
            let expected = if parsed.takes_exclusions() {
                format!(
                    "ImageTagMutabilityExclusionFilters can't be null when imageTagMutability is \
                     set as {setting}"
                )
            } else {
                // Inferred: the counterpart of the sentence above.
                format!(
                    "ImageTagMutabilityExclusionFilters must be null when imageTagMutability is \
                     set as {setting}"
                )
            };
            return Err(EcrError::parameter(filters, &expected));
        }
        if exclusions.len() > 5 {
            return Err(EcrError::parameter(
                filters,
                "must have length less than or equal to 5",
            ));
        }
        if let Some(wrong) = exclusions.iter().find(|filter| !is_filter(filter)) {
            return Err(EcrError::parameter(
                filters,
                &format!("'{wrong}' must satisfy regular expression '^[0-9a-zA-Z._*-]{{1,128}}$'"),
            ));
        }
        Ok(Self {
            setting: parsed,
            exclusions,
        })
    }

    /// Whether a tag that exists may not be given to another image, nor to the
    /// same one again.
    pub(crate) fn locks(&self, tag: &Tag) -> bool {
        let excluded = || {
            self.exclusions
                .iter()
                .any(|filter| matches_wildcard(filter, tag.as_str()))
        };
        match self.setting {
            MutabilitySetting::Mutable => false,
            MutabilitySetting::Immutable => true,
            MutabilitySetting::MutableWithExclusion => excluded(),
            MutabilitySetting::ImmutableWithExclusion => !excluded(),
        }
    }
}

fn is_filter(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._*-".contains(&byte))
}

/// Whether the whole of `text` matches `pattern`, in which `*` stands for any
/// number of characters, none included.
pub(crate) fn matches_wildcard(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else {
        return rest.is_empty();
    };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tag(text: &str) -> Tag {
        text.parse().unwrap()
    }

    fn mutability(setting: &str, exclusions: &[&str]) -> Mutability {
        let exclusions = exclusions.iter().map(|text| (*text).to_owned()).collect();
        Mutability::new(setting, Some(exclusions)).unwrap()
    }

    #[test]
    fn exclusions_turn_the_setting_around() {
        let immutable = mutability("IMMUTABLE_WITH_EXCLUSION", &["latest", "dev-*"]);
        assert!(!immutable.locks(&tag("latest")));
        assert!(!immutable.locks(&tag("dev-1")));
        assert!(immutable.locks(&tag("latest2")));
        let mutable = mutability("MUTABLE_WITH_EXCLUSION", &["v*"]);
        assert!(mutable.locks(&tag("v1")));
        assert!(!mutable.locks(&tag("latest")));
        assert!(mutability("IMMUTABLE", &[]).locks(&tag("latest")));
        assert!(!Mutability::default().locks(&tag("latest")));
    }

    #[test]
    fn filters_belong_to_the_settings_with_exclusion_and_follow_the_grammar() {
        for (setting, filters) in [
            ("IMMUTABLE_WITH_EXCLUSION", vec![]),
            ("IMMUTABLE", vec!["latest"]),
            ("IMMUTABLE_WITH_EXCLUSION", vec!["a/b"]),
            ("IMMUTABLE_WITH_EXCLUSION", vec![""]),
            ("MUTABLE_WITH_EXCLUSION", vec!["1", "2", "3", "4", "5", "6"]),
            ("SOMETIMES", vec![]),
        ] {
            let filters = filters.into_iter().map(str::to_owned).collect();
            let error = Mutability::new(setting, Some(filters)).unwrap_err();
            assert_eq!(error.code, "InvalidParameterException");
            assert!(error.message.starts_with("Invalid parameter at 'imageTag"));
        }
    }

    #[test]
    fn wildcards_match_whole_texts_only() {
        for (pattern, text, expected) in [
            ("latest", "latest", true),
            ("latest", "latest1", false),
            ("*", "", true),
            ("a*b", "ab", true),
            ("a*b", "aXbXb", true),
            ("a*b", "aXbX", false),
            ("a*a", "a", false),
            ("*-rc*", "v1-rc2", true),
            ("**", "x", true),
        ] {
            assert_eq!(
                matches_wildcard(pattern, text),
                expected,
                "{pattern} {text}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_text_matches_the_pattern_made_by_cutting_a_hole_in_it(
            head in "[a-c]{0,5}", hole in "[a-c]{0,5}", tail in "[a-c]{0,5}",
        ) {
            let text = format!("{head}{hole}{tail}");
            let pattern = format!("{head}*{tail}");
            prop_assert!(matches_wildcard(&pattern, &text));
        }
    }
}
