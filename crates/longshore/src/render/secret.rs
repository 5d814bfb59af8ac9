//! Keys that stand in a line or a diff for another reason are not shown with it.

use std::borrow::Cow;

/// The length of a key's id: `AKIA` or `ASIA` and 16 characters.
const ID: usize = 20;

/// The length of a key's secret, base64.
const SECRET: usize = 40;

/// The text with every character of an AWS key as a star, so that columns stay
/// where they are.
pub(crate) fn masked(text: &str) -> Cow<'_, str> {
    let mut masked = String::new();
    let mut copied = 0;
    let mut start = 0;
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+');
    for (end, byte) in text.bytes().chain([b' ']).enumerate() {
        if is_part(byte) {
            continue;
        }
        let run = text.get(start..end).unwrap_or_default();
        if is_key(run) {
            masked += &text[copied..start];
            masked += &"*".repeat(run.len());
            copied = end;
        }
        start = end + 1;
    }
    if copied == 0 {
        return text.into();
    }
    masked += &text[copied..];
    masked.into()
}

fn is_key(run: &str) -> bool {
    let has = |wanted: fn(&u8) -> bool| run.as_bytes().iter().any(wanted);
    match run.len() {
        ID => run.starts_with("AKIA") || run.starts_with("ASIA"),
        // Not a commit, which is hexadecimal, nor a path, which has no capitals
        // and digits at once.
        SECRET => {
            has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit)
        }
        _ => false,
    }
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
    }

    #[test]
    fn other_text_is_left_alone() {
        for text in ["", "ü", "plain text", "AKIA", "é AKIA…"] {
            assert!(matches!(masked(text), Cow::Borrowed(same) if same == text));
        }
    }
}
