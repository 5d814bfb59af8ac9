//! A role with its table of callers and, beside it, what was found about it.

use receipts::{Answer, Finding, RoleAccess, RoleProof, Standing};

use super::findings;
use super::html::{count, escape, list, prose};
use super::proof;
use super::rows::{Outcome, Row, only_by_name, outcome, rows, who, worst};
use super::sessions::{self, cell};

/// How many jobs are named at one caller; the rest is counted.
const MOST_JOBS: usize = 5;

/// One role, its proof, and the findings about it with their numbers.
pub(super) struct Section<'a> {
    pub(super) role: &'a RoleAccess,
    pub(super) proof: Option<&'a RoleProof>,
    pub(super) findings: Vec<(usize, &'a Finding)>,
    /// The number in its anchor.
    pub(super) number: usize,
}

impl Section<'_> {
    /// The last part of the ARN.
    pub(super) fn name(&self) -> &str {
        name(self.role)
    }

    pub(super) fn html(&self) -> String {
        let number = self.number;
        format!(
            "<section class=\"role\" id=\"role-{number}\" aria-labelledby=\"role-{number}-name\">\n\
             <header><h3 id=\"role-{number}-name\">{}</h3>{}<p class=\"arn\"><code>{}</code>{}</p>{}</header>\n\
             <div class=\"beside\"><div class=\"main\">{}{}</div>{}</div></section>\n",
            escape(self.name()),
            self.summary(),
            escape(&self.role.role),
            self.place(),
            sessions::all(self.role),
            self.table(),
            self.proof.map(proof::html).unwrap_or_default(),
            self.aside(),
        )
    }

    /// One phrase on how the role stands.
    pub(super) fn summary(&self) -> String {
        let number = |outcome| who(self.role, outcome).len();
        let (class, glyph, words) = match worst(self.role) {
            Outcome::GetsIn => (
                "bad",
                "●",
                format!("lets in {} who should not get in", number(Outcome::GetsIn)),
            ),
            Outcome::KeptOut => ("bad", "○", "keeps out who should get in".to_owned()),
            Outcome::Unknown => ("open", "?", "not known".to_owned()),
            Outcome::Unclear => ("open", "●", "no job asks for it".to_owned()),
            Outcome::AsIntended if self.role.callers.is_empty() => {
                ("open", "?", "nobody was tried".to_owned())
            }
            Outcome::AsIntended if only_by_name(self.role).is_some() => (
                "open",
                "!",
                "admits one form of the subject only".to_owned(),
            ),
            Outcome::AsIntended => ("good", "✓", "as intended".to_owned()),
        };
        format!("<p class=\"chip {class}\"><span aria-hidden=\"true\">{glyph}</span> {words}</p>")
    }

    /// Whether somebody should look at it without being asked to.
    pub(super) fn is_open(&self) -> bool {
        worst(self.role) != Outcome::AsIntended || !self.findings.is_empty()
    }

    fn place(&self) -> String {
        let place = self.role.location.as_ref();
        let place = place.map(|place| format!(" · {}", findings::place(place)));
        let findings = if self.findings.is_empty() {
            " · no findings about it"
        } else {
            ""
        };
        let tried_on = sessions::tried_on(self.role);
        format!("{}{tried_on}{findings}", place.unwrap_or_default())
    }

    fn table(&self) -> String {
        if let Some(reason) = &self.role.unknown {
            return format!(
                "<p class=\"notknown\"><span aria-hidden=\"true\">?</span> Not known: {}</p>",
                prose(reason)
            );
        }
        if self.role.callers.is_empty() {
            return String::new();
        }
        let groups = groups(&rows(self.role));
        format!(
            "<table class=\"matrix\" role=\"table\"><caption class=\"hidden\">Who may do what by {}</caption>\
             <thead role=\"rowgroup\"><tr role=\"row\">\
             <th scope=\"col\" role=\"columnheader\">Caller</th>\
             <th scope=\"col\" role=\"columnheader\">Assume</th>\
             <th scope=\"col\" role=\"columnheader\">Push</th>\
             <th scope=\"col\" role=\"columnheader\">Pull</th>\
             <th scope=\"col\" role=\"columnheader\">Delete</th>\
             <th scope=\"col\" role=\"columnheader\">Why</th>\
             </tr></thead>\n{groups}</table>\n",
            escape(self.name())
        )
    }

    fn aside(&self) -> String {
        if self.findings.is_empty() {
            return String::new();
        }
        let items: String = self
            .findings
            .iter()
            .map(|(number, finding)| findings::beside(*number, finding))
            .collect();
        format!(
            "<aside><h4>{}</h4><ul class=\"links\">{items}</ul></aside>\n",
            count(self.findings.len(), "finding")
        )
    }
}

/// The last part of a role's ARN.
pub(super) fn name(role: &RoleAccess) -> &str {
    role.role.rsplit('/').next().unwrap_or(&role.role)
}

/// The rows under what should become of them.
fn groups(rows: &[Row<'_>]) -> String {
    let titles = [
        (Standing::Intended, "Should get in"),
        (Standing::Unclear, "No job is known that needs it"),
        (Standing::Intruder, "Should not get in"),
    ];
    let group = |(standing, title)| {
        let mut of_group = rows
            .iter()
            .filter(|row| row.access.standing == standing)
            .peekable();
        of_group.peek()?;
        let rows: String = of_group.map(row).collect();
        Some(format!(
            "<tbody role=\"rowgroup\"><tr role=\"row\" class=\"group\">\
             <th scope=\"rowgroup\" role=\"rowheader\" colspan=\"6\">{title}</th></tr>\n{rows}</tbody>\n"
        ))
    };
    titles.into_iter().filter_map(group).collect()
}

fn row(row: &Row<'_>) -> String {
    let access = row.access;
    let is_wrong = match outcome(access) {
        Outcome::GetsIn => true,
        Outcome::KeptOut => !row.other_form_gets_in,
        _ => false,
    };
    let class = if is_wrong { " class=\"wrong\"" } else { "" };
    format!(
        "<tr role=\"row\"{class}><th scope=\"row\" role=\"rowheader\">{}</th>{}{}{}{}\
         <td role=\"cell\" class=\"why\">{}</td></tr>\n",
        caller(row),
        assume(row),
        cell("Push", access, |session| &session.push, false),
        cell("Pull", access, |session| &session.pull, false),
        cell("Delete", access, |session| &session.delete, true),
        why(row),
    )
}

fn caller(row: &Row<'_>) -> String {
    let access = row.access;
    let mut parts = vec![format!(
        "<span class=\"caller\">{}</span>",
        escape(&access.caller)
    )];
    if let Some(form) = row.only_form {
        parts.push(format!(
            " <span class=\"form\">with the {} form of its subject</span>",
            escape(form)
        ));
    }
    if !access.jobs.is_empty() {
        let mut jobs: Vec<String> = access
            .jobs
            .iter()
            .take(MOST_JOBS)
            .map(|job| format!("<code>{}</code>", escape(job)))
            .collect();
        let rest = access.jobs.len() - jobs.len();
        if rest > 0 {
            jobs.push(count(rest, "other"));
        }
        parts.push(format!(
            "<span class=\"jobs\">asked for by {}</span>",
            list(&jobs)
        ));
    }
    // The other form of somebody who stays out as he should is among the reasons.
    let shown = if is_quiet(row) { 1 } else { row.subjects.len() };
    parts.extend(row.subjects.iter().take(shown).map(|subject| code(subject)));
    parts.concat()
}

fn code(subject: &str) -> String {
    format!("<code class=\"subject\">{}</code>", escape(subject))
}

fn is_quiet(row: &Row<'_>) -> bool {
    row.access.standing == Standing::Intruder && outcome(row.access) == Outcome::AsIntended
}

fn assume(row: &Row<'_>) -> String {
    let access = row.access;
    let (class, glyph, word) = match outcome(access) {
        Outcome::GetsIn => ("bad", "●", "gets in"),
        Outcome::KeptOut if row.other_form_gets_in => ("open", "○", "kept out"),
        Outcome::KeptOut => ("bad", "○", "kept out"),
        Outcome::Unknown => ("open", "?", "not known"),
        Outcome::Unclear => ("open", "●", "may"),
        Outcome::AsIntended if access.assume.answer == Answer::Yes => ("good", "●", "may"),
        Outcome::AsIntended => ("no", "○", "may not"),
    };
    td("Assume", class, glyph, word)
}

pub(super) fn td(label: &str, class: &str, glyph: &str, word: &str) -> String {
    format!(
        "<td role=\"cell\" class=\"cell {class}\" data-label=\"{label}\">\
         <span class=\"glyph\" aria-hidden=\"true\">{glyph}</span> {word}</td>"
    )
}

/// The reason of the first answer where it is not as it should be, and all
/// reasons on request.
fn why(row: &Row<'_>) -> String {
    let access = row.access;
    let reasons = sessions::reasons(&access.sessions);
    if outcome(access) == Outcome::AsIntended {
        let tried: String = row.subjects.iter().map(|subject| code(subject)).collect();
        return format!(
            "<details><summary>why<span class=\"hidden\">: {}</span></summary><dl>{}{reasons}<dt>Tried</dt><dd>{tried}</dd></dl></details>",
            escape(&access.caller),
            sessions::reason("Assume", &access.assume),
        );
    }
    let reasons = if access.sessions.is_empty() {
        String::new()
    } else {
        format!("<details><summary>push, pull and delete</summary><dl>{reasons}</dl></details>")
    };
    format!("{}{reasons}", prose(&access.assume.reason))
}
