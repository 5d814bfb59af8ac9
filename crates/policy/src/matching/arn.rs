//! Patterns over Amazon Resource Names, compared part by part.

use super::pattern::{Pattern, Token, tokens_match};

/// `ArnEquals` and `ArnLike`: six colon-separated parts, each compared on its
/// own; the sixth keeps its own colons. A value that has fewer parts is not an
/// ARN and matches nothing but a lone `*` (inferred).
pub(crate) fn arn_matches(pattern: &Pattern, arn: &str) -> bool {
    if pattern.tokens == [Token::Any] {
        return true;
    }
    let arn: Vec<char> = arn.chars().collect();
    parts_match(&pattern.tokens, &arn)
}

/// The `Resource` element. A `*` at the end of one of the first five parts may
/// run over the colons that follow, a wildcard elsewhere stays in its part (IAM
/// User Guide, "IAM JSON policy elements: Resource"). Once one star has run
/// over, all are taken to (inferred).
pub(crate) fn resource_matches(pattern: &Pattern, resource: &str) -> bool {
    let resource: Vec<char> = resource.chars().collect();
    let parts = split(&pattern.tokens, &Token::Char(':'));
    let last_kept_whole = if parts.len() == 6 { 5 } else { parts.len() };
    let runs_over = parts[..last_kept_whole]
        .iter()
        .any(|part| part.last() == Some(&Token::Any));
    if runs_over {
        tokens_match(&pattern.tokens, &resource)
    } else {
        parts_match(&pattern.tokens, &resource)
    }
}

fn parts_match(pattern: &[Token], text: &[char]) -> bool {
    let wanted = split(pattern, &Token::Char(':'));
    let seen = split(text, &':');
    wanted.len() == 6
        && seen.len() == 6
        && wanted
            .iter()
            .zip(&seen)
            .all(|(wanted, seen)| tokens_match(wanted, seen))
}

fn split<'a, T: PartialEq>(text: &'a [T], colon: &T) -> Vec<&'a [T]> {
    text.splitn(6, |char| char == colon).collect()
}

#[cfg(test)]
mod tests {
    use super::{Pattern, arn_matches, resource_matches};

    const REPOSITORY: &str = "arn:aws:ecr:us-east-1:123456789012:repository/team/api:x";

    #[test]
    fn arn_operators_keep_wildcards_inside_their_part() {
        for (pattern, wanted) in [
            ("arn:aws:ecr:*:*:repository/*", true),
            (
                "arn:aws:ecr:us-*-1:123456789012:repository/team/ap?:x",
                true,
            ),
            ("arn:*:repository/*", false),
            ("arn:aws:ecr:*:repository/*", false),
            ("*", true),
            ("arn:aws:ecr:*:*:REPOSITORY/*", false),
        ] {
            assert_eq!(
                arn_matches(&Pattern::new(pattern), REPOSITORY),
                wanted,
                "{pattern}"
            );
        }
        assert!(!arn_matches(&Pattern::new("arn:*:*:*:*:*"), "not-an-arn"));
    }

    #[test]
    fn resource_star_runs_over_colons_only_at_the_end_of_a_part() {
        for (pattern, wanted) in [
            ("*", true),
            ("arn:aws:ecr:*", true),
            ("arn:aws:ecr:*:repository/team/api:x", true),
            ("arn:aws:ecr:us-east-1:123456789012:repository/*:x", true),
            ("arn:aws:ecr:us*1:123456789012:repository/team/api:x", true),
            ("arn:aws:ecr:us*9012:repository/team/api:x", false),
            (
                "arn:aws:ecr:us-east-1:123456789012:repository/Team/*",
                false,
            ),
        ] {
            assert_eq!(
                resource_matches(&Pattern::new(pattern), REPOSITORY),
                wanted,
                "{pattern}"
            );
        }
    }
}
