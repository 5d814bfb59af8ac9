//! Any first line as a document, and the text after it as a query. SQLite takes both,
//! and finds the document if each word of the query begins a word of it. Nothing in
//! the query means anything to PostgreSQL.
#![no_main]

use std::sync::LazyLock;

use backend::fuzzing::{Searched, postgres_expression};
use libfuzzer_sys::fuzz_target;

static SEARCHED: LazyLock<Searched> = LazyLock::new(Searched::open);

fuzz_target!(|text: &str| {
    let (document, query) = text.split_once('\n').unwrap_or((text, text));
    let (written, mut asked) = (words(document), words(query));
    asked.truncate(16);
    let is_found = !asked.is_empty()
        && asked
            .iter()
            .all(|asked| written.iter().any(|written| written.starts_with(asked)));
    assert_eq!(
        SEARCHED.finds(document, query),
        is_found,
        "{written:?} {asked:?}"
    );

    let expression = postgres_expression(query).unwrap_or_default();
    let terms: Vec<_> = expression
        .split(" & ")
        .filter(|term| !term.is_empty())
        .collect();
    let expected: Vec<_> = asked.iter().map(|word| format!("{word}:*")).collect();
    assert_eq!(terms, expected);
    for word in asked {
        let is_plain = |character: char| character.is_ascii_alphanumeric() || !character.is_ascii();
        assert!(word.chars().all(is_plain) && !word.contains(char::is_whitespace));
    }
});

/// Runs of letters and digits in lower case, of which 64 characters count. A sigma at
/// the end of a word is one like others.
fn words(text: &str) -> Vec<String> {
    let runs = text.split(|character: char| !character.is_alphanumeric());
    runs.filter(|run| !run.is_empty())
        .map(|run| run.chars().take(64).collect::<String>())
        .map(|run| run.chars().flat_map(char::to_lowercase).collect::<String>())
        .map(|word| word.replace('ς', "σ"))
        .collect()
}
