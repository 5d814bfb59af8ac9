//! Patterns with `*` (any run of characters) and `?` (one character).

/// One position of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    Char(char),
    One,
    Any,
}

/// A pattern in which escaped and substituted characters are already literal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Pattern {
    pub(crate) tokens: Vec<Token>,
}

impl Pattern {
    /// A pattern in which every `*` and `?` is a wildcard.
    pub(crate) fn new(text: &str) -> Self {
        let mut pattern = Self::default();
        pattern.push_wildcards(text);
        pattern
    }

    pub(super) fn push_wildcards(&mut self, text: &str) {
        self.tokens.extend(text.chars().map(|char| match char {
            '*' => Token::Any,
            '?' => Token::One,
            literal => Token::Char(literal),
        }));
    }

    pub(super) fn push_literal(&mut self, text: &str) {
        self.tokens.extend(text.chars().map(Token::Char));
    }

    /// Puts another pattern behind this one.
    pub(crate) fn append(&mut self, mut tail: Self) {
        self.tokens.append(&mut tail.tokens);
    }

    /// Whether the pattern covers the whole text, case-sensitively.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        tokens_match(&self.tokens, &text)
    }
}

/// Two pointers: after a mismatch only the latest `*` takes one more character,
/// because an earlier one could not reach any text that the latest cannot. Time
/// is at most pattern times text, whatever the number of stars.
pub(super) fn tokens_match(pattern: &[Token], text: &[char]) -> bool {
    let (mut at_pattern, mut at_text) = (0, 0);
    let mut latest_star: Option<(usize, usize)> = None;
    while at_text < text.len() {
        match pattern.get(at_pattern) {
            Some(Token::Any) => {
                latest_star = Some((at_pattern, at_text));
                at_pattern += 1;
                continue;
            }
            Some(Token::One) => {
                at_pattern += 1;
                at_text += 1;
                continue;
            }
            Some(Token::Char(wanted)) if *wanted == text[at_text] => {
                at_pattern += 1;
                at_text += 1;
                continue;
            }
            Some(Token::Char(_)) | None => {}
        }
        let Some((star, taken)) = latest_star else {
            return false;
        };
        latest_star = Some((star, taken + 1));
        at_pattern = star + 1;
        at_text = taken + 1;
    }
    pattern[at_pattern..]
        .iter()
        .all(|token| *token == Token::Any)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Pattern;

    /// The definition, exponential and plainly right.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => {
                naive(rest, text) || (!text.is_empty() && naive(pattern, &text[1..]))
            }
            (Some(('?', rest)), Some((_, text))) => naive(rest, text),
            (Some((wanted, rest)), Some((seen, text))) => wanted == seen && naive(rest, text),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_naive_matcher(pattern in "[ab:é*?]{0,9}", text in "[ab:é]{0,9}") {
            let wanted = naive(
                &pattern.chars().collect::<Vec<_>>(),
                &text.chars().collect::<Vec<_>>(),
            );
            prop_assert_eq!(Pattern::new(&pattern).matches(&text), wanted);
        }
    }

    #[test]
    fn many_stars_do_not_blow_up() {
        let pattern = Pattern::new(&format!("{}b", "*a".repeat(200)));
        assert!(!pattern.matches(&"a".repeat(5_000)));
    }
}
