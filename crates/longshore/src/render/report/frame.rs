//! What stands around the matrix: the header, the verdict, the footer.

use receipts::Severity;

use super::Page;
use super::html::{escape, prose};
use super::verdict::{Tone, Verdict};

impl Page<'_> {
    pub(super) fn header(&self) -> String {
        let mut facts = Vec::new();
        if let Some(commit) = self.commit {
            facts.push(format!("commit {}", prose(commit)));
        }
        if let Some(date) = self.date {
            facts.push(format!("checked on <time>{}</time>", escape(date)));
        }
        let facts = facts
            .iter()
            .map(|fact| format!("<span>{fact}</span>"))
            .collect::<Vec<_>>()
            .concat();
        let tiles = self
            .counts()
            .into_iter()
            .map(|(number, what, class)| {
                format!("<li class=\"{class}\"><strong>{number}</strong> {what}</li>")
            })
            .collect::<Vec<_>>()
            .concat();
        let name = self
            .matrix
            .repository
            .as_deref()
            .unwrap_or("This repository");
        format!(
            "<div class=\"title\"><p class=\"mark\">longshore check</p><h1>{}</h1>\
             <p class=\"facts\">{facts}</p></div><ul class=\"tiles\">{tiles}</ul>",
            escape(name)
        )
    }

    fn counts(&self) -> Vec<(usize, String, &'static str)> {
        let of = |severity| {
            let findings = self.report.findings.iter();
            findings
                .filter(|finding| finding.severity == severity)
                .count()
        };
        let roles = &self.matrix.roles;
        let tile = |number: usize, one: &str, many: &str, class| {
            let class = if number == 0 { "zero" } else { class };
            (
                number,
                (if number == 1 { one } else { many }).to_owned(),
                class,
            )
        };
        let tried = roles.iter().map(|role| role.callers.len()).sum();
        vec![
            tile(roles.len(), "role", "roles", ""),
            tile(tried, "token tried", "tokens tried", ""),
            tile(of(Severity::Error), "error", "errors", "error"),
            tile(of(Severity::Warning), "warning", "warnings", "warning"),
            tile(of(Severity::Note), "note", "notes", "note"),
        ]
    }
}

pub(super) fn banner(verdict: &Verdict) -> String {
    let (class, glyph, word) = match verdict.tone {
        Tone::Good => ("good", "✓", "As intended"),
        Tone::Caution => ("open", "!", "Nearly"),
        Tone::Unknown => ("open", "?", "Not known"),
        Tone::Bad => ("bad", "✕", "Not as intended"),
    };
    let more = verdict
        .more
        .iter()
        .map(|line| format!("<p>{}</p>", prose(line)))
        .collect::<Vec<_>>()
        .concat();
    format!(
        "<section class=\"verdict {class}\" aria-label=\"Verdict\"><p class=\"seal\"><span aria-hidden=\"true\">{glyph}</span></p>\
         <div><p class=\"word\">{word}</p><p class=\"line\">{}</p>{more}</div></section>\n",
        prose(&verdict.line)
    )
}

pub(super) fn footer() -> String {
    format!(
        "<footer><p>Written by longshore {}. This page loads nothing: no script, no font, no image. \
         The callers are examples that differ from the publisher in one respect each, in both forms of \
         GitHub's subject; <code>longshore check --prove</code> computes the whole set.</p></footer>\n",
        env!("CARGO_PKG_VERSION")
    )
}
