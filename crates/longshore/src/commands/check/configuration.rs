//! `longshore.toml`, as far as a check needs it.

use std::path::Path;

use audit::{Rule, Suppression};
use fs_err as fs;
use pipeline::{Configuration, FILE_NAME, SuppressTable};
use receipts::{Location, Problem, ProblemCode};

use crate::render::check::page_url;

/// What zizmor's findings begin with; its rules are not ours to list.
const ZIZMOR: &str = "zizmor/";

/// The file and what it suppresses; nothing where there is no file.
pub(super) fn read(root: &Path) -> Result<(Option<Configuration>, Vec<Suppression>), Problem> {
    let file = root.join(FILE_NAME);
    if !file.is_file() {
        return Ok((None, Vec::new()));
    }
    let text = fs::read_to_string(&file).map_err(|error| wrong().caused_by(&error))?;
    let configuration =
        Configuration::parse_for_check(&text).map_err(|error| wrong().caused_by(&error))?;
    let tables = configuration.check.suppress.iter();
    let suppressions: Result<_, _> = tables.map(|table| suppression(table, &text)).collect();
    Ok((Some(configuration), suppressions?))
}

fn wrong() -> Problem {
    Problem::new(
        ProblemCode::BadConfiguration,
        "nothing was checked: longshore.toml is wrong",
    )
    .hint("docs/configuration.md lists every key")
}

fn suppression(table: &SuppressTable, text: &str) -> Result<Suppression, Problem> {
    let rule = table.rule.get_ref();
    let location = place(text, table.rule.span().start);
    if !rule.starts_with(ZIZMOR) && known(rule).is_none() {
        return Err(unknown(
            rule,
            "nothing was checked: longshore.toml suppresses a rule that does not exist",
            format!("longshore.toml:{}: ", location.line),
        ));
    }
    Ok(Suppression {
        rule: rule.clone(),
        subject: table.subject.clone(),
        file: table.file.clone(),
        reason: table.reason.clone(),
        expires: table.expires,
        location: Some(location),
    })
}

/// The page that explains a rule.
pub(super) fn page(rule: &str) -> Result<String, Problem> {
    if rule.starts_with(ZIZMOR) {
        return Ok(page_url(rule));
    }
    let found = known(rule).map(|rule| rule.page().to_owned());
    found.ok_or_else(|| {
        let summary = "nothing was explained: there is no such rule";
        unknown(rule, summary, String::new())
    })
}

fn known(id: &str) -> Option<Rule> {
    Rule::ALL.iter().copied().find(|rule| rule.id() == id)
}

fn unknown(rule: &str, summary: &str, place: String) -> Problem {
    Problem::new(ProblemCode::BadConfiguration, summary)
        .fact("unknown", format!("{place}there is no rule `{rule}`"))
        .hint(format!(
            "the rule with the nearest name is `{}`",
            nearest(rule)
        ))
        .hint("docs/checks/README.md lists every rule")
}

/// The place of a byte of the file.
fn place(text: &str, offset: usize) -> Location {
    let before = text.get(..offset).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Location {
        file: FILE_NAME.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

/// The rule that takes the fewest changes of letters to arrive at.
fn nearest(id: &str) -> &'static str {
    // Longer than any id that could be meant, and short enough for the product.
    let id: String = id.chars().take(64).collect();
    let rules = Rule::ALL.iter().map(|rule| rule.id());
    rules
        .min_by_key(|rule| distance(&id, rule))
        .unwrap_or_default()
}

/// The Levenshtein distance.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (number, letter) in left.chars().enumerate() {
        let mut diagonal = number;
        let mut last = number + 1;
        for (other, above) in right.iter().zip(row.iter_mut().skip(1)) {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = *above;
            last = replaced.min(*above + 1).min(last + 1);
            *above = last;
        }
        if let Some(first) = row.first_mut() {
            *first = number + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_insertions_deletions_and_replacements() {
        for (left, right, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("trust-name", "trust-names", 1),
        ] {
            assert_eq!(distance(left, right), expected, "{left} {right}");
            assert_eq!(distance(right, left), expected, "{right} {left}");
        }
        assert_eq!(nearest("trust-nameonly"), "trust-name-only");
    }
}
