//! The lines around a finding, without anything that looks like a secret.

use receipts::Location;

use super::Lines;
use super::html::escape;

/// How many lines are shown before and after the one that is meant.
const AROUND: usize = 2;
/// How much of a line is shown, in characters.
const LONGEST_LINE: usize = 160;
/// A finding of this rule points at a secret: its lines are not shown at all.
const ABOUT_SECRETS: &str = "stored-aws-key";
/// How long AWS's secret access keys are, in characters.
const SECRET_KEY_LENGTH: usize = 40;
/// How credentials begin that are recognised so, wherever in a word they stand.
const PREFIXES: [&str; 8] = [
    "AKIA",
    "ASIA",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "eyJhbGciOi",
];
/// The shortest word that is taken for a credential because of its prefix.
const SHORTEST_CREDENTIAL: usize = 16;

/// The lines around `location`, for a finding of `rule`.
pub(super) fn excerpt(rule: &str, location: &Location, line: &Lines<'_>) -> String {
    if rule == ABOUT_SECRETS || line(&location.file, location.line).is_none() {
        return String::new();
    }
    let first = location.line.saturating_sub(AROUND).max(1);
    let lines = (first..=location.line.saturating_add(AROUND))
        .filter_map(|number| Some((number, line(&location.file, number)?)))
        .map(|(number, text)| {
            let (class, mark) = if number == location.line {
                ("line here", "▸")
            } else {
                ("line", " ")
            };
            format!(
                "<span class=\"{class}\"><span class=\"number\">{mark}{number:>4}</span> {}\n</span>",
                escape(&redacted(&cut(&text)))
            )
        })
        .collect::<Vec<_>>().concat();
    format!("<pre class=\"source\" tabindex=\"0\" aria-label=\"Source\">{lines}</pre>")
}

/// A unified diff with its lines marked by sign and by colour.
pub(super) fn diff(diff: &str) -> String {
    const MOST_LINES: usize = 60;
    let lines = diff
        .lines()
        .take(MOST_LINES)
        .map(|line| {
            let class = match line.as_bytes() {
                [b'-', b'-', b'-', ..] | [b'+', b'+', b'+', ..] | [b'@', ..] => "meta",
                [b'-', ..] => "minus",
                [b'+', ..] => "plus",
                _ => "same",
            };
            let line = cut(line);
            // The sign is no part of the word behind it.
            let (sign, rest) = line.split_at(line.ceil_char_boundary(1));
            format!(
                "<span class=\"line {class}\">{}{}\n</span>",
                escape(sign),
                escape(&redacted(rest))
            )
        })
        .collect::<Vec<_>>()
        .concat();
    format!("<pre class=\"diff\" tabindex=\"0\" aria-label=\"Change\">{lines}</pre>")
}

fn cut(line: &str) -> String {
    let mut cut: String = line.chars().take(LONGEST_LINE).collect();
    if cut.len() < line.len() {
        cut.push('…');
    }
    cut
}

/// The line with every word that may be a credential hidden.
fn redacted(line: &str) -> String {
    let mut redacted = String::with_capacity(line.len());
    let mut word = String::new();
    for char in line.chars() {
        if char.is_ascii_alphanumeric() || "_/+.-".contains(char) {
            word.push(char);
        } else {
            finish(&mut word, &mut redacted);
            redacted.push(char);
        }
    }
    finish(&mut word, &mut redacted);
    redacted
}

fn finish(word: &mut String, redacted: &mut String) {
    if is_credential(word) {
        redacted.push_str("[hidden]");
    } else {
        redacted.push_str(word);
    }
    word.clear();
}

fn is_credential(word: &str) -> bool {
    let by_prefix =
        word.len() >= SHORTEST_CREDENTIAL && PREFIXES.iter().any(|prefix| word.contains(prefix));
    // A commit has as many characters, and no capital letter.
    let by_shape = word.len() == SECRET_KEY_LENGTH
        && word.contains(|char: char| char.is_ascii_uppercase())
        && word.contains(|char: char| char.is_ascii_lowercase())
        && word.contains(|char: char| char.is_ascii_digit())
        && !word.contains(['.', '_', '-']);
    by_prefix || by_shape
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(rule: &str, text: &str, line: usize) -> String {
        let location = Location {
            file: "main.tf".to_owned(),
            line,
            column: 1,
        };
        excerpt(rule, &location, &|_, line| {
            let line = text.lines().nth(line.checked_sub(1)?)?;
            Some(line.to_owned())
        })
    }

    #[test]
    fn the_line_that_is_meant_is_marked_by_more_than_colour() {
        let text = shown("x", "one\ntwo\nthree\nfour\nfive\nsix", 3);
        assert!(text.contains("▸   3</span> three"), "{text}");
        assert!(text.contains("one") && text.contains("five") && !text.contains("six"));
    }

    #[test]
    fn a_place_outside_of_the_file_shows_nothing() {
        assert_eq!(shown("x", "one", 9), "");
        assert_eq!(shown("x", "one", 0), "");
    }

    #[test]
    fn credentials_are_never_shown_and_commits_are() {
        let secret = "abcdEFGH0123/abcdEFGH0123+abcdEFGH012345";
        let commit = "08c6903cd8c0fde910a37f88322edcfb5dd907a8";
        let text = format!("key: AKIAIOSFODNN7EXAMPLE\nsecret: {secret}\nuses: a/b@{commit}");
        let page = shown("zizmor/x", &text, 1);
        assert!(!page.contains("AKIA") && !page.contains(secret), "{page}");
        assert!(page.contains(commit), "{page}");
        assert_eq!(shown("stored-aws-key", &text, 1), "");
        assert!(!diff(&format!("-{secret}\n-x")).contains(secret));
    }
}
