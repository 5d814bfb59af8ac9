//! The wildcards of IAM.

/// Whether a value with wildcards matches a text: `*` any run, `?` one character.
/// Takes at most as many steps as the product of both lengths.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut seen) = (0, 0);
    // The last star, and how far its run reaches.
    let mut star: Option<(usize, usize)> = None;
    while let Some(char) = text.get(seen) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || wanted == char => {
                at += 1;
                seen += 1;
            }
            _ => match &mut star {
                Some((position, reach)) => {
                    *reach += 1;
                    at = *position + 1;
                    seen = *reach;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == '*')
}

/// Whether a value has a wildcard.
pub(crate) fn has_wildcard(value: &str) -> bool {
    value.contains(['*', '?'])
}

/// Whether a value is nothing but wildcards.
pub(crate) fn only_wildcards(value: &str) -> bool {
    value.contains('*') && value.chars().all(|char| matches!(char, '*' | '?'))
}
