//! What is wrong with a policy, and where.

use std::collections::HashSet;

use serde::Serialize;

use crate::document::{Document, Place, Places, Statement, Step};

/// Something for which AWS refuses to store a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// AWS's error code, mostly `MalformedPolicyDocument`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// `Sid`, or `Statement[0]` by position; `policy` for the whole document.
    pub statement: String,
    /// Where in the document.
    pub path: Vec<Step>,
    /// Where in the text, when that is known: see [`Finding::located`].
    pub place: Option<Place>,
}

impl Finding {
    /// The finding with its place in the text that the document was read from:
    /// that of the innermost part of its path which is there.
    #[must_use]
    pub fn located(mut self, places: &Places) -> Self {
        self.place = (0..=self.path.len())
            .rev()
            .find_map(|length| places.at(&self.path[..length]));
        self
    }
}

pub(super) const MALFORMED: &str = "MalformedPolicyDocument";

/// A complaint about one statement, with the path from there.
pub(super) struct Complaint {
    path: Vec<Step>,
    message: String,
}

impl Complaint {
    pub(super) fn new<const N: usize>(path: [Step; N], message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
        }
    }
}

/// The complaints of one check about every statement.
pub(super) fn findings(
    document: &Document,
    check: fn(&Statement) -> Vec<Complaint>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, statement) in document.statements.iter().enumerate() {
        findings.extend(check(statement).into_iter().map(|complaint| {
            let mut path = vec!["Statement".into(), index.into()];
            path.extend(complaint.path);
            Finding {
                code: MALFORMED,
                message: complaint.message,
                statement: statement.label(index),
                path,
                place: None,
            }
        }));
    }
    findings
}

/// A finding about the whole document.
pub(super) fn about_document(code: &'static str, path: Vec<Step>, message: String) -> Finding {
    Finding {
        code,
        message,
        statement: "policy".to_owned(),
        path,
        place: None,
    }
}

/// The rules for `Sid` in IAM's own policies (IAM User Guide, "Grammar of the
/// IAM JSON policy language"): letters and digits, and each only once.
pub(super) fn statement_ids(document: &Document) -> Vec<Finding> {
    let mut seen = HashSet::new();
    let mut findings = findings(document, |statement| {
        let plain = |sid: &String| sid.chars().all(|char| char.is_ascii_alphanumeric());
        if statement.sid.as_ref().is_none_or(plain) {
            return Vec::new();
        }
        let message = "Statement IDs (SID) must be alpha-numeric. Check that your input \
                       satisfies the regular expression [0-9A-Za-z]*";
        vec![Complaint::new(["Sid".into()], message)]
    });
    for (index, statement) in document.statements.iter().enumerate() {
        let Some(sid) = &statement.sid else { continue };
        if !sid.is_empty() && !seen.insert(sid) {
            let message = "Statement IDs (SID) in a single policy must be unique.".to_owned();
            let path = vec!["Statement".into(), index.into(), "Sid".into()];
            findings.push(Finding {
                statement: sid.clone(),
                ..about_document(MALFORMED, path, message)
            });
        }
    }
    findings
}
