//! Text on its way into the page. Everything foreign passes through here.

/// How much of one foreign text is shown, in characters.
const LONGEST_TEXT: usize = 1_200;

/// `text` as character data or as the value of an attribute in double quotes.
///
/// The page is XML too, so what XML does not admit becomes U+FFFD; so do the
/// characters that turn the direction of writing, which make names look like
/// other names.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (position, char) in text.chars().enumerate() {
        if position == LONGEST_TEXT {
            escaped.push('…');
            break;
        }
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(char),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => {
                escaped.push('\u{fffd}');
            }
            char if char.is_control() => escaped.push('\u{fffd}'),
            char => escaped.push(char),
        }
    }
    escaped
}

/// A sentence in which backticks mark code.
pub(super) fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // An odd backtick marks nothing.
    let marked = parts.len() % 2 == 1;
    let mut prose = String::new();
    for (index, part) in parts.into_iter().enumerate() {
        let part = escape(part);
        match (index % 2 == 1, marked) {
            (true, true) => {
                prose.push_str("<code>");
                prose.push_str(&part);
                prose.push_str("</code>");
            }
            (true, false) => {
                prose.push('`');
                prose.push_str(&part);
            }
            (false, _) => prose.push_str(&part),
        }
    }
    prose
}

/// `1 role`, `2 roles`.
pub(super) fn count(number: usize, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {one}s"),
    }
}

/// `a, b and c`.
pub(super) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_foreign_becomes_markup() {
        assert_eq!(
            escape("<a href=\"x\">&'\u{0}\u{202e}"),
            "&lt;a href=&quot;x&quot;&gt;&amp;&#39;\u{fffd}\u{fffd}"
        );
    }

    #[test]
    fn backticks_become_code_and_what_is_in_them_stays_escaped() {
        assert_eq!(prose("set `<a>`."), "set <code>&lt;a&gt;</code>.");
        assert_eq!(prose("odd ` one"), "odd ` one");
    }

    #[test]
    fn a_long_text_is_cut() {
        let text = "x".repeat(1_000_000);
        assert_eq!(escape(&text).chars().count(), LONGEST_TEXT + 1);
    }

    #[test]
    fn lists_and_counts_read_like_sentences() {
        let items = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(list(&items), "a, b and c");
        assert_eq!(list(&items[..1]), "a");
        assert_eq!(
            (count(1, "role").as_str(), count(2, "role").as_str()),
            ("1 role", "2 roles")
        );
    }
}
