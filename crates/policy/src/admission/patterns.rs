//! The values of a condition as patterns.

use crate::condition::Family;
use crate::language::{Characters, Pattern, Repeat, Token};
use crate::matching::{self, Expanded};

/// What a value matches.
pub(super) enum Matched {
    /// Nothing.
    Nothing,
    /// What this matches.
    Pattern(Pattern),
    /// Something that no pattern says.
    Unsayable,
}

impl From<Option<Pattern>> for Matched {
    fn from(pattern: Option<Pattern>) -> Self {
        pattern.map_or(Self::Nothing, Self::Pattern)
    }
}

/// What the value matches under the family's comparison.
pub(super) fn pattern(family: Family, value: &Expanded) -> Matched {
    match family {
        Family::StringEquals { ignore_case: false } => {
            Matched::Pattern(Pattern::literal(&value.text))
        }
        Family::StringEquals { ignore_case: true } => {
            Pattern::ignoring_case(&value.text).map_or(Matched::Unsayable, Matched::Pattern)
        }
        Family::StringLike => Matched::Pattern(Pattern::new(tokens(&value.pattern.tokens, None))),
        Family::Arn => arn(&value.pattern).into(),
        Family::Bool => {
            let lower = value.text.to_ascii_lowercase();
            let is_boolean = matches!(lower.as_str(), "true" | "false");
            Pattern::ignoring_case(&lower).filter(|_| is_boolean).into()
        }
        Family::Numeric(_)
        | Family::Date(_)
        | Family::Binary
        | Family::IpAddress
        | Family::Null => Matched::Unsayable,
    }
}

/// Six parts, of which only the last may have colons; a lone `*` is everything.
fn arn(pattern: &matching::Pattern) -> Option<Pattern> {
    if pattern.tokens == [matching::Token::Any] {
        return Some(Pattern::new([Token::any_run()]));
    }
    let colon = matching::Token::Char(':');
    let parts: Vec<&[matching::Token]> =
        pattern.tokens.splitn(6, |token| *token == colon).collect();
    let [first @ .., last] = &parts[..] else {
        return None;
    };
    if first.len() != 5 {
        return None;
    }
    let mut all = Vec::new();
    for part in first {
        all.extend(tokens(part, Some(':')));
        all.push(Token::char(':'));
    }
    all.extend(tokens(last, None));
    Some(Pattern::new(all))
}

/// The same tokens, with wildcards that take all but one character if so said.
fn tokens(
    tokens: &[matching::Token],
    all_but: Option<char>,
) -> impl Iterator<Item = Token> + use<'_> {
    let wildcard = move |repeat| Token {
        characters: all_but.map_or(Characters::Any, Characters::AllBut),
        repeat,
    };
    tokens.iter().map(move |token| match token {
        matching::Token::Char(char) => Token::char(*char),
        matching::Token::One => wildcard(Repeat::Once),
        matching::Token::Any => wildcard(Repeat::Run),
    })
}
