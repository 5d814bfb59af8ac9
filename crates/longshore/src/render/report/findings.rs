//! Findings: as links beside a role, and as cards with source and fix.

use receipts::{Finding, Location, Severity, Suppressed};

use super::Lines;
use super::excerpt::{diff, excerpt};
use super::html::{count, escape, prose};
use crate::render::check::page_url;

/// How many cards are shown; the rest is counted.
const MOST_CARDS: usize = 400;

/// A finding beside its role: a link to its card.
pub(super) fn beside(number: usize, finding: &Finding) -> String {
    let link = if number <= MOST_CARDS {
        format!(
            "<a href=\"#finding-{number}\">{}</a>",
            prose(&finding.message)
        )
    } else {
        prose(&finding.message)
    };
    format!(
        "<li class=\"{}\">{} {link}</li>",
        class(finding.severity),
        badge(finding.severity)
    )
}

/// All findings as cards, with a choice of severities that works without a script.
pub(super) fn cards(findings: &[Finding], line: &Lines<'_>) -> String {
    if findings.is_empty() {
        return "<p class=\"empty\"><span aria-hidden=\"true\">✓</span> Nothing was found.</p>\n"
            .to_owned();
    }
    let cards: String = findings
        .iter()
        .take(MOST_CARDS)
        .enumerate()
        .map(|(index, finding)| card(index + 1, finding, line))
        .collect();
    let rest = match findings.len().saturating_sub(MOST_CARDS) {
        0 => String::new(),
        rest => format!(
            "<p class=\"quiet\">And {}, which `--format json` lists.</p>\n",
            count(rest, "more finding")
        ),
    };
    format!(
        "{}<div class=\"cards\">\n{cards}</div>\n{rest}",
        choice(findings)
    )
}

fn choice(findings: &[Finding]) -> String {
    let number = |severity| {
        findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let severities = [Severity::Error, Severity::Warning, Severity::Note];
    let kinds = severities.iter().filter(|severity| number(**severity) > 0);
    if kinds.clone().count() < 2 {
        return String::new();
    }
    let options = kinds
        .map(|severity| {
            let class = class(*severity);
            format!(
                "<label><input type=\"radio\" name=\"show\" id=\"show-{class}\"/> {}</label>",
                count(number(*severity), class)
            )
        })
        .collect::<Vec<_>>()
        .concat();
    format!(
        "<fieldset class=\"choice\"><legend>Show</legend>\
         <label><input type=\"radio\" name=\"show\" id=\"show-all\" checked=\"checked\"/> all</label>{options}</fieldset>\n"
    )
}

fn card(number: usize, finding: &Finding, line: &Lines<'_>) -> String {
    let location = finding.location.as_ref();
    let place = location.map(place).unwrap_or_default();
    let source = location
        .map(|location| excerpt(&finding.rule, location, line))
        .unwrap_or_default();
    let fix = finding.fix.as_ref().map(|fix| {
        let diff = fix.diff.as_deref().map(diff).unwrap_or_default();
        format!(
            "<div class=\"fix\"><p><strong>Change</strong> {}</p>{diff}</div>",
            prose(&fix.summary)
        )
    });
    format!(
        "<article class=\"card {}\" id=\"finding-{number}\" aria-labelledby=\"finding-{number}-message\">\
         <p class=\"head\">{} {} <span class=\"place\">{place}</span></p>\
         <h3 id=\"finding-{number}-message\">{}</h3>\
         <p class=\"about\">about <code>{}</code></p>{source}{}</article>\n",
        class(finding.severity),
        badge(finding.severity),
        rule(&finding.rule),
        prose(&finding.message),
        escape(&finding.subject),
        fix.unwrap_or_default(),
    )
}

/// What was accepted, folded.
pub(super) fn suppressed(list: &[Suppressed]) -> String {
    if list.is_empty() {
        return String::new();
    }
    let items = list
        .iter()
        .take(MOST_CARDS)
        .map(|suppressed| {
            let finding = &suppressed.finding;
            let place = finding.location.as_ref().map(place).unwrap_or_default();
            format!(
                "<li>{} {} <span class=\"place\">{place}</span><br/>{}<br/>\
                 <span class=\"quiet\">Accepted until {}: {}</span></li>",
                badge(finding.severity),
                rule(&finding.rule),
                prose(&finding.message),
                escape(&suppressed.expires),
                prose(&suppressed.reason)
            )
        })
        .collect::<Vec<_>>()
        .concat();
    format!(
        "<details class=\"fold\"><summary>{}, accepted with a reason</summary><ul class=\"plain\">{items}</ul></details>\n",
        count(list.len(), "suppressed finding")
    )
}

/// `file:line:column`.
pub(super) fn place(location: &Location) -> String {
    format!(
        "<code>{}:{}:{}</code>",
        escape(&location.file),
        location.line,
        location.column
    )
}

/// The rule's id, linked to its page. Ids are ours or zizmor's; what does not
/// look like an id links nowhere.
fn rule(id: &str) -> String {
    let is_id = |id: &str| {
        !id.is_empty()
            && id
                .chars()
                .all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-')
    };
    let text = escape(id);
    match id.strip_prefix("zizmor/") {
        Some(audit) if is_id(audit) => format!(
            "<a class=\"rule\" rel=\"noreferrer\" href=\"https://docs.zizmor.sh/audits/#{audit}\">{text}</a>"
        ),
        None if is_id(id) => format!(
            "<a class=\"rule\" rel=\"noreferrer\" href=\"{}\">{text}</a>",
            page_url(id)
        ),
        _ => format!("<span class=\"rule\">{text}</span>"),
    }
}

/// The severity as shape and word.
fn badge(severity: Severity) -> String {
    let glyph = match severity {
        Severity::Error => "✕",
        Severity::Warning => "!",
        Severity::Note => "i",
    };
    let class = class(severity);
    format!(
        "<span class=\"badge {class}\"><span aria-hidden=\"true\">{glyph}</span> {class}</span>"
    )
}

fn class(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}
