//! All roles at a glance: one line each, one column for each kind of caller.

use std::collections::BTreeSet;

use receipts::{Answer, RoleAccess, Standing};

use super::html::escape;
use super::roles::Section;
use super::rows::{Outcome, outcome};

/// The column of the callers that are meant to get in.
const INTENDED: &str = "who should get in";

/// The table; `linked` says whether a role has a section of its own.
pub(super) fn table(sections: &[Section<'_>], linked: impl Fn(&Section<'_>) -> bool) -> String {
    let columns = columns(sections);
    let head = columns
        .iter()
        .map(|column| format!("<th scope=\"col\"><span>{}</span></th>", escape(column)))
        .collect::<Vec<_>>()
        .concat();
    let rows = sections
        .iter()
        .map(|section| {
            let name = escape(section.name());
            let name = if linked(section) {
                format!("<a href=\"#role-{}\">{name}</a>", section.number)
            } else {
                name
            };
            format!(
                "<tr><th scope=\"row\">{name}</th>{}</tr>\n",
                cells(section.role, &columns)
            )
        })
        .collect::<Vec<_>>()
        .concat();
    format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"All roles\" tabindex=\"0\">\
         <table class=\"overview\"><caption class=\"hidden\">Which kinds of caller each role lets in</caption>\
         <thead><tr><th scope=\"col\">Role</th>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
    )
}

/// The kinds of caller, in the order in which they are first met.
fn columns<'a>(sections: &[Section<'a>]) -> Vec<&'a str> {
    let mut columns = vec![INTENDED];
    let mut known = BTreeSet::new();
    for access in sections.iter().flat_map(|section| &section.role.callers) {
        if access.standing == Standing::Intruder && known.insert(access.caller.as_str()) {
            columns.push(&access.caller);
        }
    }
    columns
}

fn cells(role: &RoleAccess, columns: &[&str]) -> String {
    columns
        .iter()
        .map(|column| {
            let of_column = role.callers.iter().filter(|access| {
                if *column == INTENDED {
                    access.standing != Standing::Intruder
                } else {
                    access.standing == Standing::Intruder && access.caller == *column
                }
            });
            // Who is meant to get in is in with one form; who is not must be out
            // with both.
            let worst = if *column == INTENDED {
                of_column.min_by_key(|access| outcome(access))
            } else {
                of_column.max_by_key(|access| outcome(access))
            };
            match worst.map(|access| (outcome(access), access.assume.answer)) {
                _ if role.unknown.is_some() => cell("open", "?", "not known"),
                Some((Outcome::GetsIn, _)) => cell("bad", "●", "gets in"),
                Some((Outcome::KeptOut, _)) => cell("bad", "○", "kept out"),
                Some((Outcome::Unknown, _)) => cell("open", "?", "not known"),
                Some((Outcome::Unclear, _)) => cell("open", "●", "may"),
                Some((Outcome::AsIntended, Answer::Yes)) => cell("good", "●", "may"),
                Some((Outcome::AsIntended, _)) => cell("no", "○", "may not"),
                None => cell("none", "–", "not tried"),
            }
        })
        .collect()
}

fn cell(class: &str, glyph: &str, word: &str) -> String {
    format!("<td class=\"{class}\"><i aria-hidden=\"true\">{glyph}</i><b>{word}</b></td>")
}
