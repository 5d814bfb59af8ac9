//! The report as one page that needs nothing but itself: no script, no font, no
//! request. It is HTML and well-formed XML at once.
//!
//! Its size is bounded: at most [`MOST_SECTIONS`] roles have a table of their
//! own, at most [`MOST_ROLES`] a line in the overview, and findings, lists and
//! texts are cut in `findings`, `proof` and `html`.

#[cfg(test)]
mod contrast;
mod excerpt;
mod findings;
mod frame;
mod html;
mod overview;
mod proof;
mod roles;
mod rows;
mod sessions;
#[cfg(test)]
mod tests;
mod verdict;

use std::collections::BTreeMap;

use receipts::{CheckReport, Finding, Matrix, RoleAccess};

use html::{count, escape, prose};
use roles::Section;
use rows::Outcome;
use verdict::verdict;

const STYLE: &str = include_str!("style.css");

/// How many roles are open when the page is.
const MOST_OPEN: usize = 8;
/// Up to how many roles none is folded because it is as intended.
const MOST_UNFOLDED: usize = 2;
/// How many roles have a table of their own.
const MOST_SECTIONS: usize = 60;
/// How many roles have a line in the overview.
const MOST_ROLES: usize = 2_000;
/// How many lines of the overview are shown before it is folded.
const MOST_LINES: usize = 30;

/// Gives a line of a file.
pub(crate) type Lines<'a> = dyn Fn(&str, usize) -> Option<String> + 'a;

/// What the page shows.
pub(crate) struct Page<'a> {
    /// What was found and proved.
    pub(crate) report: &'a CheckReport,
    /// Who may do what.
    pub(crate) matrix: &'a Matrix,
    /// The commit that was checked, where it is known; backticks mark its id.
    pub(crate) commit: Option<&'a str>,
    /// The day of the check, `2026-11-24`; passed in, so that the page does not
    /// depend on a clock.
    pub(crate) date: Option<&'a str>,
    /// A line of a file, counted from 1.
    pub(crate) line: &'a Lines<'a>,
}

impl Page<'_> {
    /// The page.
    pub(crate) fn html(&self) -> String {
        let name = self
            .matrix
            .repository
            .as_deref()
            .unwrap_or("This repository");
        let verdict = verdict(self.report, self.matrix);
        format!(
            "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n\
             <meta charset=\"utf-8\"/>\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <meta name=\"color-scheme\" content=\"light dark\"/>\n\
             <meta name=\"referrer\" content=\"no-referrer\"/>\n\
             <title>{name}: who gets in</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#matrix\">Skip to the matrix</a>\n\
             <header class=\"top\">{}</header>\n<main>\n{}{}{}{}{}</main>\n{}</body>\n</html>\n",
            self.header(),
            frame::banner(&verdict),
            self.roles(),
            self.findings(),
            findings::suppressed(&self.report.suppressed),
            self.skipped(),
            frame::footer(),
            name = escape(name),
        )
    }

    /// The roles: those that somebody should look at first.
    fn roles(&self) -> String {
        let sections = self.sections();
        let mut parts = vec![
            "<section id=\"matrix\" aria-labelledby=\"matrix-title\">\n\
             <div class=\"heading\"><h2 id=\"matrix-title\">Who may do what</h2>\
             <p class=\"legend\"><span class=\"good\"><span aria-hidden=\"true\">●</span> may</span> \
             <span class=\"no\"><span aria-hidden=\"true\">○</span> may not</span> \
             <span class=\"bad\"><span aria-hidden=\"true\">●</span> gets in, and should not</span> \
             <span class=\"open\"><span aria-hidden=\"true\">?</span> not known</span></p></div>\n"
                .to_owned(),
        ];
        if !self.matrix.unknowns.is_empty() {
            let items = self
                .matrix
                .unknowns
                .iter()
                .map(|reason| format!("<li>{}</li>", prose(reason)))
                .collect::<Vec<_>>()
                .concat();
            parts.push(format!("<ul class=\"notes\">{items}</ul>\n"));
        }
        if sections.len() > 1 {
            parts.push(overview(&sections));
        }
        for (index, section) in sections.iter().enumerate().take(MOST_SECTIONS) {
            let few = sections.len() <= MOST_UNFOLDED;
            if index < MOST_OPEN && (few || section.is_open()) {
                parts.push(section.html());
            } else {
                parts.push(format!(
                    "<details class=\"fold\"><summary>{} {}</summary>{}</details>\n",
                    escape(section.name()),
                    section
                        .summary()
                        .replace("<p ", "<span ")
                        .replace("</p>", "</span>"),
                    section.html()
                ));
            }
        }
        parts.push("</section>\n".to_owned());
        parts.concat()
    }

    fn sections(&self) -> Vec<Section<'_>> {
        let roles = &self.matrix.roles;
        let owners = Owners::new(roles);
        let mut findings: Vec<Vec<(usize, &Finding)>> = vec![Vec::new(); roles.len()];
        for (index, finding) in self.report.findings.iter().enumerate() {
            for role in owners.of(finding) {
                findings[role].push((index + 1, finding));
            }
        }
        let proofs: BTreeMap<_, _> = self
            .report
            .proofs
            .iter()
            .map(|proof| (proof.role.as_str(), proof))
            .collect();
        let mut sections: Vec<Section<'_>> = roles
            .iter()
            .zip(findings)
            .enumerate()
            .map(|(index, (role, findings))| Section {
                role,
                proof: proofs.get(role.role.as_str()).copied(),
                findings,
                number: index + 1,
            })
            .collect();
        sections.sort_by_key(|section| {
            let worst_finding = section
                .findings
                .iter()
                .map(|(_, finding)| finding.severity)
                .max();
            std::cmp::Reverse((rows::worst(section.role), worst_finding))
        });
        sections
    }

    fn findings(&self) -> String {
        format!(
            "<section id=\"findings\" aria-labelledby=\"findings-title\">\n\
             <h2 id=\"findings-title\">Findings</h2>\n{}</section>\n",
            findings::cards(&self.report.findings, self.line)
        )
    }

    fn skipped(&self) -> String {
        if self.report.skipped.is_empty() {
            return String::new();
        }
        let items = self
            .report
            .skipped
            .iter()
            .take(MOST_ROLES)
            .map(|reason| format!("<li>{}</li>", prose(reason)))
            .collect::<Vec<_>>()
            .concat();
        format!(
            "<section aria-labelledby=\"skipped-title\"><h2 id=\"skipped-title\">Not looked at</h2>\
             <ul class=\"notes\">{items}</ul></section>\n"
        )
    }
}

/// Which roles a finding is about.
struct Owners<'a> {
    by_subject: BTreeMap<&'a str, Vec<usize>>,
    /// The only role there is: everything is about it.
    only: bool,
}

impl<'a> Owners<'a> {
    fn new(roles: &'a [RoleAccess]) -> Self {
        let mut by_subject: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, role) in roles.iter().enumerate() {
            for subject in role.subjects.iter().chain([&role.role]) {
                by_subject.entry(subject).or_default().push(index);
            }
        }
        Self {
            by_subject,
            only: roles.len() == 1,
        }
    }

    fn of(&self, finding: &Finding) -> Vec<usize> {
        if self.only {
            return vec![0];
        }
        let found = self.by_subject.get(finding.subject.as_str());
        found.cloned().unwrap_or_default()
    }
}

fn overview(sections: &[Section<'_>]) -> String {
    let shown = &sections[..sections.len().min(MOST_ROLES)];
    let detailed: std::collections::BTreeSet<usize> = sections
        .iter()
        .take(MOST_SECTIONS)
        .map(|section| section.number)
        .collect();
    let linked = |section: &Section<'_>| detailed.contains(&section.number);
    let rest = match sections.len() - shown.len() {
        0 => String::new(),
        rest => format!(
            "<p class=\"quiet\">And {}, not shown.</p>\n",
            count(rest, "more role")
        ),
    };
    if shown.len() <= MOST_LINES {
        return overview::table(shown, linked);
    }
    let wrong = shown
        .iter()
        .filter(|section| rows::worst(section.role) != Outcome::AsIntended)
        .count();
    let (first, others) = shown.split_at(wrong.clamp(1, MOST_LINES));
    format!(
        "{}<details class=\"fold\"><summary>The other {}</summary>{}{rest}</details>\n",
        overview::table(first, linked),
        count(others.len(), "role"),
        overview::table(others, linked),
    )
}
