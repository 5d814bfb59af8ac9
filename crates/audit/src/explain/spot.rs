//! Where a part of the trust policy is written, whatever it is written in.

use std::ops::Range;
use std::path::Path;

use policy::{ActionElement, Places, PrincipalElement, PrincipalSet, Statement, Step};
use receipts::Location;
use terraform::{PolicyPart, Role};

use super::question::{Source, Trust};
use super::scene::Scene;

/// A part of a policy: statements by position, everything else as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Statement,
    Element(&'a str),
    Action(&'a str),
    Principal(&'a str),
    Key(&'a str, &'a str),
    Values(&'a str, &'a str),
    Value(&'a str, &'a str, &'a str),
}

/// A range of a file in which the part is written as itself.
pub(super) struct Spot<'a> {
    pub(super) file: String,
    pub(super) file_text: &'a str,
    pub(super) range: Range<usize>,
    write: Writer,
}

/// How a text is written at a spot.
enum Writer {
    Json,
    Terraform(Box<terraform::Spot>),
}

impl Spot<'_> {
    /// The text as it would be written here.
    pub(super) fn written(&self, text: &str) -> Option<String> {
        match &self.write {
            Writer::Json => Some(serde_json::Value::from(text).to_string()),
            Writer::Terraform(spot) => spot.replaced_by(text),
        }
    }

    /// What is written here now.
    pub(super) fn text(&self) -> &str {
        self.file_text.get(self.range.clone()).unwrap_or_default()
    }
}

/// Where to point at: the part itself, or what comes nearest to it.
pub(super) fn location(scene: &Scene, statement: usize, part: Part) -> Option<Location> {
    let Trust::Policy { source, .. } = &scene.question.trust else {
        return None;
    };
    match source {
        Source::Live => None,
        Source::Terraform {
            role, directory, ..
        } => {
            let spot = in_terraform(role, statement, part);
            Some(Location {
                file: below(directory, &spot.file),
                line: spot.line,
                column: spot.column,
            })
        }
        Source::File { path } => {
            let place = place(scene, statement, part)?;
            Some(Location {
                file: path.clone(),
                line: place.line,
                column: place.column,
            })
        }
    }
}

/// Where to change it; `None` where it is not written as itself.
pub(super) fn spot<'a>(scene: &'a Scene, statement: usize, part: Part) -> Option<Spot<'a>> {
    let Trust::Policy { text, source } = &scene.question.trust else {
        return None;
    };
    match source {
        Source::Live => None,
        Source::Terraform {
            root,
            role,
            directory,
        } => {
            let spot = in_terraform(role, statement, part);
            let file_text = root.text(&spot.file)?;
            spot.literal.then(|| Spot {
                file: below(directory, &spot.file),
                file_text,
                range: spot.range.clone(),
                write: Writer::Terraform(Box::new(spot)),
            })
        }
        Source::File { path } => {
            let place = place(scene, statement, part)?;
            Some(Spot {
                file: path.clone(),
                file_text: text,
                range: place.start..place.end,
                write: Writer::Json,
            })
        }
    }
}

/// Where a part is written in Terraform, or what comes nearest.
fn in_terraform(role: &Role, statement: usize, part: Part) -> terraform::Spot {
    let part = match part {
        Part::Statement => PolicyPart::Statement(statement),
        Part::Element(name) => PolicyPart::Element(statement, name),
        Part::Action(value) => PolicyPart::ElementValue(statement, "Action", value),
        Part::Principal(value) => PolicyPart::ElementValue(statement, "Principal", value),
        Part::Key(operator, key) => PolicyPart::Key(statement, operator, key),
        Part::Values(operator, key) => PolicyPart::Values(statement, operator, key),
        Part::Value(operator, key, value) => PolicyPart::Value(statement, operator, key, value),
    };
    role.trust_origin.policy_part(part)
}

/// A path as the repository sees it.
fn below(directory: &Path, file: &Path) -> String {
    let file = file.strip_prefix(directory).unwrap_or(file);
    file.to_string_lossy().replace('\\', "/")
}

/// Where a part stands in the policy's own text.
fn place(scene: &Scene, index: usize, part: Part) -> Option<policy::Place> {
    let judged = scene.judged()?;
    let statement = judged.document.statements.get(index)?;
    let places = &judged.places;
    match part {
        Part::Statement => places.statement(index),
        Part::Element(name) => places.element(index, name),
        Part::Action(value) => {
            let (ActionElement::Action(listed) | ActionElement::NotAction(listed)) =
                &statement.action;
            let position = listed.iter().position(|action| action == value)?;
            places.at(&[
                "Statement".into(),
                index.into(),
                "Action".into(),
                position.into(),
            ])
        }
        Part::Principal(value) => principal(places, index, statement, value),
        Part::Key(operator, key) => places.key(index, operator, key),
        Part::Values(operator, key) => places.at(&[
            "Statement".into(),
            index.into(),
            "Condition".into(),
            operator.into(),
            key.into(),
        ]),
        Part::Value(operator, key, value) => {
            let condition = statement
                .conditions
                .iter()
                .find(|condition| condition.operator_name == operator && condition.key == key)?;
            let position = condition.values.iter().position(|one| one == value)?;
            places.value_position(index, operator, key, position)
        }
    }
}

fn principal(
    places: &Places,
    index: usize,
    statement: &Statement,
    value: &str,
) -> Option<policy::Place> {
    let Some(PrincipalElement::Principal(PrincipalSet::Listed(entries))) = &statement.principal
    else {
        return None;
    };
    let mut path: Vec<Step> = vec!["Statement".into(), index.into(), "Principal".into()];
    let entry = entries.iter().find(|entry| entry.value == value)?;
    let federated = |other: &&policy::PrincipalEntry| other.kind == entry.kind;
    let position = entries
        .iter()
        .filter(federated)
        .position(|other| other.value == value)?;
    path.extend(["Federated".into(), position.into()]);
    places.at(&path)
}
