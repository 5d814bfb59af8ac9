//! Credentials that stand in a line or a diff for another reason are not shown with
//! it.

use std::borrow::Cow;
use std::ops::Range;

/// How credentials begin that are known by it, wherever in a word they stand: ids of
/// AWS keys, tokens of GitHub, JSON web tokens.
const BEGINNINGS: [&str; 10] = [
    "AKIA",
    "ASIA",
    "ghp_",
    "gho_",
    "ghr_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "eyJhbGciOi",
    "eyJ0eXAiOi",
];

/// The shortest word that is taken for a credential because of how it begins.
const SHORTEST: usize = 16;

/// The length of the secret of an AWS key, base64.
const SECRET: usize = 40;

/// The text with every character of a credential as a star, so that columns stay
/// where they are.
pub(crate) fn masked(text: &str) -> Cow<'_, str> {
    let mut masked = Cow::Borrowed(text);
    let mut hide = |range: Range<usize>| {
        let stars = "*".repeat(range.len());
        masked.to_mut().replace_range(range, &stars);
    };
    for word in runs(text, "_.-/+") {
        let start = word.start;
        let word = &text[word];
        let known = word.len() >= SHORTEST && BEGINNINGS.iter().any(|known| word.contains(known));
        if known {
            hide(start..start + word.len());
            continue;
        }
        for part in runs(word, "/+").filter(|part| is_secret(&word[part.clone()])) {
            hide(start + part.start..start + part.end);
        }
    }
    masked
}

/// The runs of ASCII letters, digits and `marks`.
fn runs<'t>(text: &'t str, marks: &str) -> impl Iterator<Item = Range<usize>> + use<'t> {
    let is_part: Vec<bool> = text
        .bytes()
        .chain([b' '])
        .map(|byte| byte.is_ascii_alphanumeric() || marks.as_bytes().contains(&byte))
        .collect();
    let mut start = 0;
    let ends = is_part.into_iter().enumerate();
    ends.filter_map(move |(end, is_part)| {
        if is_part {
            return None;
        }
        let run = start..end;
        start = end + 1;
        (!run.is_empty()).then_some(run)
    })
}

/// Not a commit, which is hexadecimal, nor a path, which has no capitals and digits at
/// once. The sign of a diff's line is no part of it.
fn is_secret(run: &str) -> bool {
    let unsigned = run.strip_prefix('+');
    let run = unsigned.filter(|run| run.len() == SECRET).unwrap_or(run);
    let has = |wanted: fn(&u8) -> bool| run.as_bytes().iter().any(wanted);
    run.len() == SECRET
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_masked_and_commits_are_not() {
        let secret = format!("wJalrXUtnFEMI/K7MDENG+bPxRfiCY{}", "A".repeat(10));
        let id = format!("AKIA{}", "B".repeat(16));
        let line = format!(
            "id = \"{id}\" secret={secret}; uses: a/b@{}",
            "0a".repeat(20)
        );
        let shown = masked(&line);
        assert_eq!(shown.len(), line.len());
        assert!(
            !shown.contains("AKIA") && !shown.contains("wJal"),
            "{shown}"
        );
        assert!(shown.ends_with(&format!("; uses: a/b@{}", "0a".repeat(20))));
        assert_eq!(masked(&secret), "*".repeat(40));
        assert!(!masked(&format!("+{secret}\n")).contains(&secret[..20]));
        for token in ["ghp_0123456789abcdef", "eyJ0eXAiOiJKV1Qi.e30.a-b_c"] {
            let shown = masked(&format!("x: {token}\"")).into_owned();
            assert_eq!(shown, format!("x: {}\"", "*".repeat(token.len())));
        }
    }

    #[test]
    fn other_text_is_left_alone() {
        for text in ["", "ü", "plain text", "AKIA", "é AKIA…"] {
            assert!(matches!(masked(text), Cow::Borrowed(same) if same == text));
        }
    }
}
