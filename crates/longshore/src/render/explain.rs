//! An explanation as people and GitHub's step summary show it.
//!
//! Claims and policies are foreign text: control characters are shown as escapes,
//! so that nothing in a token can write to a terminal or to the runner.

use owo_colors::OwoColorize as _;
use receipts::{
    Check, CheckResult, ElementMismatch, Explanation, Fix, Location, NearestMiss,
    StatementExplanation,
};

use super::escape::shown;

/// Columns before the texts of seen and wanted.
const INDENT: &str = "  ";

/// The explanation, for a terminal.
pub(crate) fn text(explanation: &Explanation) -> String {
    let verdict = match verdict(explanation) {
        CheckResult::Passed => "admitted".green().bold().to_string(),
        CheckResult::Failed => "refused ".red().bold().to_string(),
        CheckResult::Unknown => "unclear ".yellow().bold().to_string(),
    };
    let mut lines = vec![
        format!("{verdict}  {}", shown(&explanation.caller)),
        format!("role      {}", shown(&explanation.role)),
    ];
    for name in ["sub", "aud"] {
        if let Some((_, value)) = explanation.claims.iter().find(|(claim, _)| claim == name) {
            lines.push(format!("{name}       {}", shown(value)));
        }
    }
    lines.push(String::new());
    lines.extend(checks(&explanation.checks));
    lines.extend(explanation.statements.iter().flat_map(statement));
    if let Some(miss) = &explanation.nearest_miss {
        lines.push(String::new());
        lines.extend(nearest_miss(miss));
    }
    if let Some(fix) = &explanation.fix {
        lines.push(String::new());
        lines.extend(fix_lines(fix));
    }
    lines.join("\n")
}

/// Refused, unless nothing failed: then it hangs on what only the request shows.
fn verdict(explanation: &Explanation) -> CheckResult {
    let failed = |check: &Check| check.result == CheckResult::Failed;
    if explanation.admitted {
        CheckResult::Passed
    } else if explanation.checks.iter().any(failed) {
        CheckResult::Failed
    } else {
        CheckResult::Unknown
    }
}

fn checks(checks: &[Check]) -> Vec<String> {
    let width = checks
        .iter()
        .map(|check| check.name.len())
        .max()
        .unwrap_or(0);
    let line = |check: &Check| {
        let (mark, name) = (mark(check.result), &check.name);
        format!("{INDENT}{mark} {name:width$}  {}", shown(&check.detail))
    };
    checks.iter().map(line).collect()
}

fn mark(result: CheckResult) -> String {
    match result {
        CheckResult::Passed => "✓".green().to_string(),
        CheckResult::Failed => "✗".red().bold().to_string(),
        CheckResult::Unknown => "?".yellow().bold().to_string(),
    }
}

fn statement(statement: &StatementExplanation) -> Vec<String> {
    let name = format!("{} `{}`", statement.effect, shown(&statement.statement));
    let applies = if statement.applies {
        "applies"
    } else {
        "does not apply"
    };
    let mut lines = vec![
        String::new(),
        format!(
            "{INDENT}{} {applies}{}",
            name.bold(),
            place(statement.location.as_ref())
        ),
    ];
    lines.extend(statement.mismatches.iter().flat_map(mismatch));
    lines
}

fn mismatch(mismatch: &ElementMismatch) -> Vec<String> {
    let failed = mark(CheckResult::Failed);
    let mut lines = vec![format!(
        "{INDENT}{INDENT}{failed} {}",
        shown(&mismatch.element)
    )];
    let absent = ["(the token does not carry it)".to_owned()];
    let seen = mismatch.seen.as_deref().unwrap_or(&absent);
    for (title, values) in [("seen", seen), ("wanted", &mismatch.wanted)] {
        for (position, value) in values.iter().enumerate() {
            let title = if position == 0 { title } else { "" };
            lines.push(format!("      {title:6}  {}", shown(value)));
        }
    }
    lines
}

/// The miss, with the two values one above the other and the part that differs
/// marked: by colour, and by carets for those who see none.
fn nearest_miss(miss: &NearestMiss) -> Vec<String> {
    let mut lines = vec![format!(
        "{}: {}{}",
        miss.kind.yellow().bold(),
        shown(&miss.sentence),
        place(miss.location.as_ref())
    )];
    let (Some(seen), Some(wanted)) = (&miss.seen, &miss.wanted) else {
        return lines;
    };
    let (seen, wanted) = (shown(seen), shown(wanted));
    let (prefix, suffix) = common(&seen, &wanted);
    let wanted_parts = parts(&wanted, prefix, suffix);
    let seen_parts = parts(&seen, prefix, suffix);
    let dimmed = |text: &str| match text {
        "" => String::new(),
        text => text.dimmed().to_string(),
    };
    let line = |title: &str, parts: [&str; 3], middle: String| {
        let (head, tail) = (dimmed(parts[0]), dimmed(parts[2]));
        format!("{INDENT}{title:6}  {head}{middle}{tail}")
    };
    let (has, wants) = (seen_parts[1].red(), wanted_parts[1].green());
    lines.push(line("seen", seen_parts, has.bold().to_string()));
    lines.push(line("wanted", wanted_parts, wants.bold().to_string()));
    let width = seen_parts[1]
        .chars()
        .count()
        .max(wanted_parts[1].chars().count());
    if width > 0 {
        let carets = "^".repeat(width);
        lines.push(format!(
            "{INDENT}{:6}  {}{}",
            "",
            " ".repeat(prefix),
            carets.yellow()
        ));
    }
    lines
}

/// How many characters both begin with, and both end with.
fn common(one: &str, two: &str) -> (usize, usize) {
    let (one, two): (Vec<char>, Vec<char>) = (one.chars().collect(), two.chars().collect());
    let same = |(one, two): &(&char, &char)| one == two;
    let prefix = one.iter().zip(&two).take_while(same).count();
    let rest = one.len().min(two.len()) - prefix;
    let backwards = one.iter().rev().zip(two.iter().rev());
    (prefix, backwards.take(rest).take_while(same).count())
}

/// Head, middle and tail of a text, by characters.
fn parts(text: &str, prefix: usize, suffix: usize) -> [&str; 3] {
    let at = |count: usize| {
        text.char_indices()
            .nth(count)
            .map_or(text.len(), |(index, _)| index)
    };
    let (first, last) = (at(prefix), at(text.chars().count() - suffix));
    [&text[..first], &text[first..last], &text[last..]]
}

fn fix_lines(fix: &Fix) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", "fix".cyan().bold(), shown(&fix.summary))];
    for line in fix.diff.iter().flat_map(|diff| diff.lines()) {
        let line_shown = shown(line);
        lines.push(match line.as_bytes().first() {
            _ if line.starts_with("--- ") || line.starts_with("+++ ") => {
                line_shown.bold().to_string()
            }
            Some(b'@') => line_shown.cyan().to_string(),
            Some(b'+') => line_shown.green().to_string(),
            Some(b'-') => line_shown.red().to_string(),
            _ => line_shown,
        });
    }
    lines
}

fn place(location: Option<&Location>) -> String {
    location.map_or_else(String::new, |location| {
        let Location { file, line, column } = location;
        let place = format!("({}:{line}:{column})", shown(file));
        format!(" {}", place.dimmed())
    })
}

/// The explanation, for GitHub's step summary.
pub(crate) fn markdown(explanation: &Explanation) -> String {
    let verdict = match verdict(explanation) {
        CheckResult::Passed => "admits",
        CheckResult::Failed => "refuses",
        CheckResult::Unknown => "may refuse",
    };
    let mut text = vec![
        format!("### AWS {verdict} this identity\n"),
        format!("`{}`\n", explanation.role),
    ];
    if let Some(miss) = &explanation.nearest_miss {
        text.push(format!("**{}**: {}\n", miss.kind, shown(&miss.sentence)));
        if let (Some(seen), Some(wanted)) = (&miss.seen, &miss.wanted) {
            let (seen, wanted) = (fenced(seen), fenced(wanted));
            text.push(format!("```\nseen    {seen}\nwanted  {wanted}\n```\n"));
        }
    }
    text.push("| check | | |\n|---|---|---|".to_owned());
    for check in &explanation.checks {
        let mark = match check.result {
            CheckResult::Passed => "✓",
            CheckResult::Failed => "✗",
            CheckResult::Unknown => "?",
        };
        let detail = shown(&check.detail).replace('|', "\\|");
        text.push(format!("| {} | {mark} | {detail} |", check.name));
    }
    if let Some(fix) = &explanation.fix {
        text.push(format!("\n{}", shown(&fix.summary)));
        if let Some(diff) = &fix.diff {
            let diff = diff.trim_end().replace("```", "` ` `");
            text.push(format!("\n```diff\n{diff}\n```"));
        }
    }
    text.join("\n")
}

fn fenced(text: &str) -> String {
    shown(text).replace("```", "` ` `")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_that_differs_is_between_the_common_ends() {
        let (prefix, suffix) = common("repo:a/b:ref:x", "repo:a/c:ref:x");
        assert_eq!(parts("repo:a/b:ref:x", prefix, suffix)[1], "b");
        let (prefix, suffix) = common("aa", "aaa");
        assert_eq!(parts("aa", prefix, suffix), ["aa", "", ""]);
        assert_eq!(parts("aaa", prefix, suffix), ["aa", "a", ""]);
        assert_eq!(common("é", "è"), (0, 0));
    }

    #[test]
    fn nothing_in_a_claim_reaches_the_terminal_as_a_command() {
        assert_eq!(shown("a\u{1b}[31m\n::set"), "a\\u{1b}[31m\\u{a}::set");
        assert_eq!(shown("\u{202e}x"), "\\u{202e}x");
    }
}
