//! Wildcards, and how far a text is from one.

use crate::wildcards::matches;

/// Longest text that is compared character by character. STS's own limit for a
/// subject is 255 characters.
const LONGEST: usize = 1024;

/// Whether `pattern` with `*` and `?` covers the whole text, both cut to
/// [`LONGEST`]: neither the token nor the policy need be one that AWS takes.
pub(super) fn covers(pattern: &str, text: &str) -> bool {
    let cut = |text: &str| text.chars().take(LONGEST).collect::<String>();
    matches(&cut(pattern), &cut(text))
}

/// How many characters of the longer text are left when what both begin with and
/// what both end with is taken away: a measure that is cheap, symmetric and 0 for
/// equal texts only.
pub(super) fn difference(seen: &str, wanted: &str) -> usize {
    let seen: Vec<char> = seen.chars().take(LONGEST).collect();
    let wanted: Vec<char> = wanted.chars().take(LONGEST).collect();
    let shorter = seen.len().min(wanted.len());
    let prefix = seen
        .iter()
        .zip(&wanted)
        .take_while(|(one, two)| one == two)
        .count();
    let suffix = seen
        .iter()
        .rev()
        .zip(wanted.iter().rev())
        .take(shorter - prefix)
        .take_while(|(one, two)| one == two)
        .count();
    seen.len().max(wanted.len()) - prefix - suffix
}

/// The name among `known` that `name` was probably meant to be: at most two
/// letters away, case and the marks `_` and `-` left aside.
pub(super) fn meant<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    const FARTHEST: usize = 2;
    let plain = |text: &str| -> Vec<char> {
        text.chars()
            .take(64)
            .filter(|char| !matches!(char, '_' | '-'))
            .map(|char| char.to_ascii_lowercase())
            .collect()
    };
    let name = plain(name);
    known
        .map(|candidate| (edits(&name, &plain(candidate)), candidate))
        // A short name is not a typo of another short one.
        .filter(|(edits, candidate)| *edits <= FARTHEST.min(candidate.len() / 3))
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// Insertions, removals, replacements and swaps of neighbours between two texts.
fn edits(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (row, one) in from.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, two) in to.iter().enumerate() {
            let replaced = above[column] + usize::from(one != two);
            let mut least = replaced.min(above[column + 1] + 1).min(current[column] + 1);
            let swapped = row > 0 && column > 0 && *one == to[column - 1] && from[row - 1] == *two;
            if swapped {
                least = least.min(before[column - 1] + 1);
            }
            current.push(least);
        }
        before = std::mem::replace(&mut above, current);
    }
    above[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_cover_what_they_should() {
        for (pattern, text, wanted) in [
            ("repo:acme/*", "repo:acme/api:pull_request", true),
            ("repo:acme/???:*", "repo:acme/api:x", true),
            ("repo:acme/api", "repo:acme/api:x", false),
            ("*b*c", "abbbcbc", true),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(covers(pattern, text), wanted, "{pattern}");
        }
        assert!(!covers(
            &format!("{}b", "*a".repeat(400)),
            &"a".repeat(5_000)
        ));
    }

    #[test]
    fn the_difference_is_what_stands_between_the_common_ends() {
        assert_eq!(difference("abXcd", "abcd"), 1);
        assert_eq!(difference("aa", "aaa"), 1);
        assert_eq!(difference("same", "same"), 0);
        assert_eq!(difference("", "four"), 4);
    }

    #[test]
    fn a_typo_is_recognised_and_another_word_is_not() {
        let keys = ["aud", "sub", "repository_id", "environment", "repository"];
        let find = |name| meant(name, keys.into_iter());
        assert_eq!(find("enviroment"), Some("environment"));
        assert_eq!(find("repositroy"), Some("repository"));
        assert_eq!(find("repositoryId"), Some("repository_id"));
        assert_eq!(find("sbu"), Some("sub"));
        assert_eq!(find("event_name"), None);
        assert_eq!(find("iss"), None);
    }
}
