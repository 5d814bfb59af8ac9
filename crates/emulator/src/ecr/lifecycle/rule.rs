//! One rule of a lifecycle policy.

use super::super::mutability::matches_wildcard;

/// A rule that has passed the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    /// Unique in its policy; 1 is applied before 2.
    pub(super) priority: u64,
    pub(super) tags: Tags,
    /// Only images of this class are selected.
    pub(super) class: StorageClass,
    pub(super) criterion: Criterion,
    /// Whether the rule moves images to the archive; otherwise it expires them.
    pub(super) transition: bool,
}

/// Where an image is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum StorageClass {
    Standard,
    Archive,
}

/// `tagStatus` with its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tags {
    Any,
    Untagged,
    /// `tagged`: each entry must match at least one tag of the image.
    Matching(TagList),
}

/// Entries of a list, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum TagList {
    /// `tagPatternList`: `*` stands for any run of characters.
    Patterns(Vec<String>),
    /// `tagPrefixList`.
    Prefixes(Vec<String>),
}

/// `countType` with its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Criterion {
    CountMoreThan { images: u64 },
    SincePushed { days: u64 },
    SincePulled { days: u64 },
    SinceTransitioned { days: u64 },
}

impl Tags {
    /// Whether an image with these tags is selected.
    pub(super) fn select(&self, tags: &[String]) -> bool {
        match self {
            Self::Any => true,
            Self::Untagged => tags.is_empty(),
            Self::Matching(list) => list.select(tags),
        }
    }
}

impl TagList {
    /// The entries as they were written.
    pub(super) fn patterns(&self) -> &[String] {
        match self {
            Self::Patterns(entries) | Self::Prefixes(entries) => entries,
        }
    }

    fn select(&self, tags: &[String]) -> bool {
        self.patterns().iter().all(|entry| {
            tags.iter().any(|tag| match self {
                Self::Patterns(_) => matches_wildcard(entry, tag),
                Self::Prefixes(_) => tag.starts_with(entry),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(tags: &[&str]) -> Vec<String> {
        tags.iter().map(|&tag| tag.to_owned()).collect()
    }

    #[test]
    fn every_entry_of_a_list_must_match_some_tag() {
        let patterns = TagList::Patterns(tags(&["alpha*", "beta*"]));
        assert!(patterns.select(&tags(&["alpha-2", "beta-2", "x"])));
        assert!(!patterns.select(&tags(&["alpha-2"])));
        assert!(!patterns.select(&[]));
        let prefixes = TagList::Prefixes(tags(&["prod"]));
        assert!(prefixes.select(&tags(&["prod1"])));
        assert!(!prefixes.select(&tags(&["preprod"])));
        assert!(TagList::Patterns(tags(&["*prod*"])).select(&tags(&["preprod"])));
    }

    #[test]
    fn a_star_is_no_wildcard_in_a_prefix() {
        assert!(!TagList::Prefixes(tags(&["v*"])).select(&tags(&["v1"])));
    }
}
