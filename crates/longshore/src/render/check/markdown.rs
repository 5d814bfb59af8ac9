//! A check as GitHub's step summary shows it.

use receipts::{CheckReport, Finding};

use super::counts;
use super::finding::page;

/// More rows than this nobody reads, and a summary may have a megabyte.
const MOST_ROWS: usize = 200;

/// The table of findings.
pub(crate) fn markdown(report: &CheckReport) -> String {
    let verdict = if report.passed { "passed" } else { "failed" };
    let mut text = format!("### Check {verdict}\n\n{}\n", counts(report));
    if !report.findings.is_empty() {
        text += "\n| severity | rule | where | what |\n|---|---|---|---|\n";
        let rows = report.findings.iter().take(MOST_ROWS).map(row);
        text.extend(rows);
    }
    match report.findings.len().saturating_sub(MOST_ROWS) {
        0 => text,
        rest => format!("{text}\n{rest} more in the log.\n"),
    }
}

fn row(finding: &Finding) -> String {
    let severity = match finding.severity {
        receipts::Severity::Error => "error",
        receipts::Severity::Warning => "warning",
        receipts::Severity::Note => "note",
    };
    let place = finding.location.as_ref().map_or_else(
        || finding.subject.clone(),
        |location| format!("{}:{}", location.file, location.line),
    );
    let rule = match page(&finding.rule) {
        page if page.starts_with("https:") => format!("[{}]({})", cell(&finding.rule), cell(&page)),
        _ => cell(&finding.rule),
    };
    format!(
        "| {severity} | {rule} | {} | {} |\n",
        cell(&place),
        cell(&finding.message)
    )
}

/// Text that stays in its cell and makes no markup of its own.
fn cell(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '|' | '*' | '_' | '[' | ']' | '\\' => escaped.extend(['\\', char]),
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '&' => escaped += "&amp;",
            char if char.is_control() => escaped.push(' '),
            char => escaped.push(char),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_cell_makes_no_markup() {
        let text = super::cell("a|b\n<img src=x> [x](y) *");
        assert_eq!(text, "a\\|b &lt;img src=x&gt; \\[x\\](y) \\*");
    }
}
