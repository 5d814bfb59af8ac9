//! One finding in the manner of a compiler: what, where, the line, and the way
//! out.

use owo_colors::OwoColorize as _;
use receipts::{Finding, Fix, Severity};

use super::sources::Sources;
use crate::render::escape::shown;

/// The findings of one rule, and where it is explained.
pub(super) fn group(findings: &[&Finding], sources: &Sources<'_>) -> String {
    let mut blocks: Vec<_> = findings
        .iter()
        .map(|finding| text(finding, sources))
        .collect();
    if let (Some(first), Some(last)) = (findings.first(), blocks.last_mut()) {
        last.push('\n');
        last.push_str(&line("see", &page(&first.rule)));
    }
    blocks.join("\n\n")
}

/// Where a rule is explained to somebody with this program at hand.
pub(in crate::render) fn page(rule: &str) -> String {
    match rule.strip_prefix("zizmor/") {
        Some(_) => page_url(rule),
        None => format!("longshore check --explain {rule}"),
    }
}

/// The page that explains a rule. zizmor's rules have their own.
pub(crate) fn page_url(rule: &str) -> String {
    match rule.strip_prefix("zizmor/") {
        Some(rule) => format!("https://docs.zizmor.sh/audits/#{}", shown(rule)),
        None => format!(
            "{}/blob/HEAD/docs/checks/{rule}.md",
            env!("CARGO_PKG_REPOSITORY")
        ),
    }
}

fn text(finding: &Finding, sources: &Sources<'_>) -> String {
    let rule = shown(&finding.rule);
    let label = match finding.severity {
        Severity::Error => format!("error[{rule}]").red().bold().to_string(),
        Severity::Warning => format!("warning[{rule}]").yellow().bold().to_string(),
        Severity::Note => format!("note[{rule}]").cyan().bold().to_string(),
    };
    let message: Vec<_> = finding.message.lines().map(shown).collect();
    let message = message.join("\n  ");
    let mut lines = vec![format!("{label}: {}", message.bold())];
    lines.extend(place(finding, sources));
    if !finding.subject.is_empty() {
        lines.push(line("in", &shown(&finding.subject)));
    }
    if let Some(fix) = &finding.fix {
        lines.extend(fixed(fix));
    }
    lines.join("\n")
}

fn place(finding: &Finding, sources: &Sources<'_>) -> Vec<String> {
    let Some(location) = &finding.location else {
        return Vec::new();
    };
    let (file, number, column) = (&location.file, location.line, location.column);
    let arrow = "-->".blue().bold().to_string();
    let mut lines = vec![format!("  {arrow} {}:{number}:{column}", shown(file))];
    if let Some(excerpt) = sources.excerpt(file, number, column) {
        let number = number.to_string();
        let (bar, blank) = ("|".blue().bold().to_string(), " ".repeat(number.len()));
        let caret = match finding.severity {
            Severity::Error => "^".red().bold().to_string(),
            Severity::Warning => "^".yellow().bold().to_string(),
            Severity::Note => "^".cyan().bold().to_string(),
        };
        lines.push(format!(" {} {bar} {}", number.blue().bold(), excerpt.text));
        lines.push(format!(
            " {blank} {bar} {}{caret}",
            " ".repeat(excerpt.before)
        ));
    }
    lines
}

fn fixed(fix: &Fix) -> Vec<String> {
    let mut lines = vec![line("fix", &shown(&fix.summary))];
    let diff = fix.diff.as_deref().unwrap_or_default();
    lines.extend(diff.lines().map(|changed| {
        let text = shown(changed);
        match changed.chars().next() {
            Some('+') => format!("      {}", text.green()),
            Some('-') => format!("      {}", text.red()),
            Some('@') => format!("      {}", text.cyan()),
            _ => format!("      {text}").trim_end().to_owned(),
        }
    }));
    lines
}

fn line(name: &str, value: &str) -> String {
    format!("  {} {name}: {value}", "=".blue().bold())
}
