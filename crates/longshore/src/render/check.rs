//! A check as people and GitHub's step summary read it.

mod finding;
mod markdown;
mod proof;
mod sources;

use audit::Setup;
use owo_colors::OwoColorize as _;
use receipts::{CheckReport, Finding, Severity, Suppressed};

use crate::render::escape::shown;

pub(in crate::render) use finding::page;
pub(crate) use finding::page_url;
pub(crate) use markdown::markdown;
pub(crate) use sources::Sources;

/// What is looked at, one line.
pub(crate) fn scope(setup: &Setup) -> String {
    let workflows = counted(setup.workflows.len(), "workflow");
    let roots = counted(setup.roots.len(), "Terraform root");
    let texts = counted(setup.texts.len(), "other file");
    format!("checking {workflows}, {roots} and {texts}")
}

/// Findings by rule, worst first; proofs; what was accepted and what was not
/// looked at; the conclusion.
pub(crate) fn text(report: &CheckReport, sources: &Sources<'_>) -> String {
    let mut blocks = Vec::new();
    for group in by_rule(&report.findings) {
        blocks.push(finding::group(&group, sources));
    }
    blocks.extend(report.proofs.iter().map(proof::text));
    let accepted = report.suppressed.iter().map(accepted);
    let skipped = report.skipped.iter().map(|line| {
        let line = shown(line);
        format!("{}: {line}", "not checked".yellow())
    });
    let lines: Vec<_> = accepted.chain(skipped).collect();
    if !lines.is_empty() {
        blocks.push(lines.join("\n"));
    }
    blocks.push(conclusion(report));
    blocks.join("\n\n")
}

/// The findings of each rule together, in the order in which rules appear.
fn by_rule(findings: &[Finding]) -> Vec<Vec<&Finding>> {
    let mut order = std::collections::BTreeMap::new();
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        let group = *order
            .entry((finding.severity, finding.rule.as_str()))
            .or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
        if let Some(group) = groups.get_mut(group) {
            group.push(finding);
        }
    }
    groups
}

fn accepted(suppressed: &Suppressed) -> String {
    let finding = &suppressed.finding;
    let (subject, reason) = (shown(&finding.subject), shown(&suppressed.reason));
    let (rule, expires) = (shown(&finding.rule), &suppressed.expires);
    let line = format!("suppressed[{rule}]: {subject}: {reason} (until {expires})");
    line.dimmed().to_string()
}

/// `failed: 2 errors, 3 warnings; 1 suppressed`.
fn conclusion(report: &CheckReport) -> String {
    let mut text = if report.passed {
        "passed".green().bold().to_string()
    } else {
        "failed".red().bold().to_string()
    };
    text += ": ";
    text += &counts(report);
    text
}

/// `2 errors, 3 warnings; 1 suppressed; 2 roles proved`.
pub(super) fn counts(report: &CheckReport) -> String {
    let severities = [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Note, "note"),
    ];
    let of = |severity| {
        let findings = report.findings.iter();
        findings
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let found: Vec<_> = severities
        .iter()
        .map(|(severity, word)| (of(*severity), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| counted(count, word))
        .collect();
    let mut parts = vec![if found.is_empty() {
        "no findings".to_owned()
    } else {
        found.join(", ")
    }];
    if !report.suppressed.is_empty() {
        parts.push(format!("{} suppressed", report.suppressed.len()));
    }
    if !report.proofs.is_empty() {
        let all = report.proofs.len();
        let proved = report
            .proofs
            .iter()
            .filter(|proof| proof.prevented_by.is_empty());
        parts.push(format!(
            "{} of {} proved",
            proved.count(),
            counted(all, "role")
        ));
    }
    if !report.skipped.is_empty() {
        parts.push(format!(
            "{} not checked",
            counted(report.skipped.len(), "part")
        ));
    }
    parts.join("; ")
}

fn counted(count: usize, word: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {word}{plural}")
}
