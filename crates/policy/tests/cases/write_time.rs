//! Cases about writing a policy: what AWS refuses, and where in the text.

use std::path::Path;

use policy::{Finding, PolicyForm, check_text};
use serde::Deserialize;
use serde_json::Value;

use crate::format::read;

/// A policy that is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    description: String,
    #[expect(dead_code, reason = "read through `About`")]
    source: String,
    /// `trust`, `managed`, `inline`, `session` or `repository`.
    form: String,
    /// The policy as JSON, written on one line; or its text.
    policy: Option<Value>,
    text: Option<Vec<String>>,
    /// Length to which a `Sid` of many letters brings the text.
    padded_to: Option<usize>,
    /// Spaces behind the policy.
    #[serde(default)]
    spaces: usize,
    /// What is refused; nothing when the policy is stored.
    expected: Vec<Expected>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// AWS's error code.
    #[serde(default = "malformed")]
    code: String,
    /// A part of the message.
    message: String,
    /// The text at the place, from its beginning.
    at: String,
    /// Line and column of it, from 1.
    line: Option<usize>,
    column: Option<usize>,
}

fn malformed() -> String {
    "MalformedPolicyDocument".to_owned()
}

/// What differs from the expectation, if anything does.
pub(crate) fn failure(path: &Path) -> Option<String> {
    let case: Case = read(path);
    let text = case.text();
    let found = check_text(&text, case.form());
    let same = found.len() == case.expected.len()
        && case
            .expected
            .iter()
            .zip(&found)
            .all(|(expected, finding)| expected.is_met_by(finding, &text));
    (!same).then(|| {
        let name = path.display();
        format!("{name}\n  {}\n  got {found:#?}", case.description)
    })
}

impl Case {
    fn form(&self) -> PolicyForm {
        match self.form.as_str() {
            "trust" => PolicyForm::Trust,
            "managed" => PolicyForm::Managed,
            "inline" => PolicyForm::Inline,
            "session" => PolicyForm::Session,
            "repository" => PolicyForm::Repository,
            other => panic!("there is no form {other}"),
        }
    }

    fn text(&self) -> String {
        let mut text = match (&self.policy, &self.text) {
            (Some(policy), None) => policy.to_string(),
            (None, Some(lines)) => lines.join("\n"),
            _ => panic!("a case has either a policy or a text"),
        };
        if let Some(length) = self.padded_to {
            let letters = "A".repeat(length - text.len());
            text = text.replacen("\"Sid\":\"", &format!("\"Sid\":\"{letters}"), 1);
        }
        text + &" ".repeat(self.spaces)
    }
}

impl Expected {
    fn is_met_by(&self, finding: &Finding, text: &str) -> bool {
        let place = finding.place;
        finding.code == self.code
            && finding.message.contains(&self.message)
            && place
                .map_or("", |place| &text[place.start..])
                .starts_with(&self.at)
            && self
                .line
                .is_none_or(|line| place.is_some_and(|place| place.line == line))
            && self
                .column
                .is_none_or(|column| place.is_some_and(|place| place.column == column))
    }
}
