//! The patterns of branch and tag filters.
//!
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet>

/// What may stand at one place of a name, and how often.
#[derive(Clone)]
struct Part {
    class: Class,
    times: Times,
}

#[derive(Clone)]
enum Class {
    One(char),
    /// `[a-z]`, as ranges.
    Set(Vec<(char, char)>),
    /// `*`: anything but a slash.
    WithinSegment,
    /// `**`.
    Anything,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Times {
    Once,
    AtMostOnce,
    Any,
}

/// Whether `patterns`, of which the last one that matches decides, cover `name`.
/// No pattern covers everything. Letter case is not told apart, because the
/// expressions whose names are looked up here do not tell it apart either.
pub(crate) fn cover(patterns: &[String], name: &str) -> bool {
    let name = name.to_lowercase();
    let mut covered = patterns.is_empty();
    for pattern in patterns {
        let (pattern, takes_in) = match pattern.strip_prefix('!') {
            Some(pattern) => (pattern, false),
            None => (pattern.as_str(), true),
        };
        if matches(&pattern.to_lowercase(), &name) {
            covered = takes_in;
        }
    }
    covered
}

/// `name` as a pattern that covers it and nothing else.
pub(super) fn literal(name: &str) -> String {
    let mut pattern = String::new();
    for char in name.chars() {
        if "*?+[]!\\".contains(char) {
            pattern.push('\\');
        }
        pattern.push(char);
    }
    pattern
}

/// Follows all ways through the pattern at once: the time is the product of the
/// two lengths, whatever the pattern.
fn matches(pattern: &str, name: &str) -> bool {
    let parts = parts(pattern);
    // `reached[n]`: the name so far is covered by the first n parts.
    let mut reached = vec![false; parts.len() + 1];
    reached[0] = true;
    skip(&parts, &mut reached);
    for char in name.chars() {
        let mut next = vec![false; reached.len()];
        for (at, part) in parts.iter().enumerate() {
            if reached[at] && part.class.takes(char) {
                next[if part.times == Times::Any { at } else { at + 1 }] = true;
            }
        }
        skip(&parts, &mut next);
        reached = next;
    }
    reached[parts.len()]
}

/// Parts that need not be there are passed over.
fn skip(parts: &[Part], reached: &mut [bool]) {
    for (at, part) in parts.iter().enumerate() {
        if reached[at] && part.times != Times::Once {
            reached[at + 1] = true;
        }
    }
}

fn parts(pattern: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(char) = chars.next() {
        let (class, times) = match char {
            '*' if chars.next_if_eq(&'*').is_some() => (Class::Anything, Times::Any),
            '*' => (Class::WithinSegment, Times::Any),
            '[' => (Class::Set(set(&mut chars)), Times::Once),
            '\\' => (Class::One(chars.next().unwrap_or('\\')), Times::Once),
            '?' if !parts.is_empty() => {
                if let Some(last) = parts.last_mut() {
                    last.times = Times::AtMostOnce;
                }
                continue;
            }
            '+' if !parts.is_empty() => {
                let repeated = parts.last().cloned();
                parts.extend(repeated.map(|part| Part {
                    times: Times::Any,
                    ..part
                }));
                continue;
            }
            char => (Class::One(char), Times::Once),
        };
        parts.push(Part { class, times });
    }
    parts
}

/// What stands between `[` and `]`.
fn set(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Vec<(char, char)> {
    let mut ranges = Vec::new();
    while let Some(first) = chars.next().filter(|char| *char != ']') {
        let last = match chars.next_if_eq(&'-') {
            Some(_) => chars.next().unwrap_or(first),
            None => first,
        };
        ranges.push((first, last));
    }
    ranges
}

impl Class {
    fn takes(&self, char: char) -> bool {
        match self {
            Self::One(one) => *one == char,
            Self::Set(ranges) => ranges.iter().any(|(a, z)| (*a..=*z).contains(&char)),
            Self::WithinSegment => char != '/',
            Self::Anything => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The examples of GitHub's own page.
    #[test]
    fn patterns_cover_what_githubs_page_says() {
        for (pattern, covers, leaves) in [
            ("feature/*", "feature/my-branch", "feature/beta-a/my-branch"),
            ("feature/**", "feature/beta-a/my-branch", "features/x"),
            ("*", "main", "all/the/branches"),
            ("**", "all/the/branches", ""),
            ("*feature", "mona-feature", "ver-10-feature/x"),
            ("v2*", "v2.9", "v1"),
            ("v[12].[0-9]+.[0-9]+", "v1.10.1", "v3.0.0"),
            ("v[12].[0-9]+.[0-9]+", "v2.0.0", "v2..0"),
            ("*.jsx?", "page.js", "page.jsxx"),
            (
                "releases/mona-the-octocat",
                "releases/mona-the-octocat",
                "releases/x",
            ),
        ] {
            assert!(matches(pattern, covers), "{pattern} {covers}");
            assert!(
                leaves.is_empty() || !matches(pattern, leaves),
                "{pattern} {leaves}"
            );
        }
    }

    #[test]
    fn the_last_pattern_that_matches_decides() {
        let patterns = ["releases/**", "!releases/**-alpha", "releases/x-alpha"].map(str::to_owned);
        assert!(cover(&patterns, "releases/10"));
        assert!(!cover(&patterns, "releases/beta/3-alpha"));
        assert!(cover(&patterns, "releases/x-alpha"));
        assert!(cover(&[], "anything"));
    }

    #[test]
    fn many_stars_do_not_take_long() {
        assert!(!matches(&"*a".repeat(2_000), &"a".repeat(1_999)));
    }

    proptest! {
        #[test]
        fn a_literal_covers_its_name(name in "[a-z*?+!\\[\\]\\\\/-]{1,12}", other in "[a-z]{1,3}") {
            prop_assert!(matches(&literal(&name), &name));
            prop_assert_eq!(matches(&literal(&name), &other), name == other);
        }

        #[test]
        fn any_pattern_is_matched_without_panic(pattern in "\\PC{0,20}", name in "\\PC{0,20}") {
            let _ = cover(&[pattern], &name);
        }
    }
}
