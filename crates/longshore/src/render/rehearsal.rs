//! A rehearsal as people read it.

use owo_colors::OwoColorize as _;
use receipts::{Attempt, RehearsalReceipt, Verdict};

use super::quantity::{bytes, duration};

/// The table of callers and the conclusion.
pub(crate) fn text(receipt: &RehearsalReceipt) -> String {
    let mut lines = vec![
        format!("workflow   {} (job `{}`)", receipt.workflow, receipt.job),
        format!("role       {}", receipt.role),
    ];
    for (name, image) in &receipt.images {
        let build = &image.build;
        lines.push(format!(
            "image      {name} {}, {} compressed, built in {}",
            build.digest,
            bytes(build.size_bytes),
            duration(build.compile_milliseconds + build.assemble_milliseconds)
        ));
        let Some(publish) = &image.publish else {
            continue;
        };
        let tags: Vec<_> = publish.tags.iter().map(|tag| tag.tag.as_str()).collect();
        lines.push(format!(
            "published  {}, tags {}, {} in {}",
            publish.repository,
            tags.join(", "),
            bytes(publish.sent_bytes),
            duration(publish.milliseconds)
        ));
    }
    lines.push(String::new());
    lines.extend(table(&receipt.attempts));
    for unknown in &receipt.unknowns {
        lines.push(format!("{}: not rehearsed: {unknown}", "unknown".yellow()));
    }
    lines.push(String::new());
    lines.push(conclusion(receipt));
    lines.join("\n")
}

fn table(attempts: &[Attempt]) -> Vec<String> {
    let width = attempts
        .iter()
        .map(|attempt| attempt.caller.len())
        .max()
        .unwrap_or(0);
    let mut lines = vec![
        format!("   {:width$}  role  push  subject, and why", "caller")
            .bold()
            .to_string(),
    ];
    for attempt in attempts {
        let mark = match attempt.verdict {
            Verdict::AsIntended => "ok".green().to_string(),
            Verdict::GotIn | Verdict::KeptOut => "!!".red().bold().to_string(),
        };
        let role = yes_or_no(Some(attempt.may_assume));
        let push = yes_or_no(attempt.may_push);
        lines.push(format!(
            "{mark} {:width$}  {role:4}  {push:4}  {}",
            attempt.caller, attempt.subject
        ));
        lines.push(format!(
            "   {:width$}              {}",
            "",
            attempt.reason.dimmed()
        ));
    }
    lines
}

fn yes_or_no(answer: Option<bool>) -> &'static str {
    match answer {
        Some(true) => "yes",
        Some(false) => "no",
        None => "-",
    }
}

fn conclusion(receipt: &RehearsalReceipt) -> String {
    let count = |verdict| {
        receipt
            .attempts
            .iter()
            .filter(|attempt| attempt.verdict == verdict)
            .count()
    };
    let refused = receipt
        .attempts
        .iter()
        .filter(|attempt| !attempt.may_assume)
        .count();
    if receipt.passed {
        return format!(
            "{}: the publisher gets in, and {refused} others do not",
            "passed".green().bold()
        );
    }
    let mut failures = Vec::new();
    match count(Verdict::GotIn) {
        0 => {}
        count => failures.push(format!("{count} got in who should not")),
    }
    if count(Verdict::KeptOut) > 0 || receipt.problem.is_some() {
        failures.push("the publisher did not get through".to_owned());
    }
    format!("{}: {}", "failed".red().bold(), failures.join(", and "))
}

/// The table for GitHub's step summary.
pub(crate) fn markdown(receipt: &RehearsalReceipt) -> String {
    let verdict = if receipt.passed { "passed" } else { "failed" };
    let rows = receipt.attempts.iter().map(|attempt| {
        format!(
            "| {} | `{}` | {} | {} | {} |\n",
            attempt.caller,
            attempt.subject,
            yes_or_no(Some(attempt.may_assume)),
            yes_or_no(attempt.may_push),
            attempt.reason.replace('|', "\\|")
        )
    });
    let rows: String = rows.collect();
    format!(
        "### Rehearsal {verdict}\n\n| caller | subject | role | push | why |\n|---|---|---|---|---|\n{rows}"
    )
}
