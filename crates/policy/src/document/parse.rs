//! JSON to document and statements.

use super::error::Failure;
use super::json::{Entry, Json, Node};
use super::{
    ActionElement, Document, Effect, Fault, Place, PrincipalElement, ResourceElement, Statement,
    Version, parse_condition, parse_principal,
};

/// Reads the top of a document.
pub(super) fn document(node: &Node) -> Result<Document, Failure> {
    let mut version = Version::V2008;
    let mut id = None;
    let mut statements = None;
    for entry in object(node, "an object")? {
        match entry.name.as_str() {
            "Version" => version = parse_version(&entry.value)?,
            "Id" => id = Some(text(&entry.value)?.to_owned()),
            "Statement" => statements = Some(parse_statements(&entry.value)?),
            _ => return Err(fault(entry.name_place, Fault::UnknownElement)),
        }
    }
    Ok(Document {
        version,
        id,
        statements: statements.ok_or(missing(node, "Statement"))?,
    })
}

fn parse_version(node: &Node) -> Result<Version, Failure> {
    match text(node)? {
        "2008-10-17" => Ok(Version::V2008),
        "2012-10-17" => Ok(Version::V2012),
        other => Err(wrong_value(node, other, "`2012-10-17` or `2008-10-17`")),
    }
}

fn parse_statements(node: &Node) -> Result<Vec<Statement>, Failure> {
    match &node.value {
        Json::List(items) if items.is_empty() => Err(fault(node.place, Fault::Empty)),
        Json::List(items) => items.iter().map(parse_statement).collect(),
        _ => Ok(vec![parse_statement(node)?]),
    }
}

/// Elements as they are met, before it is known whether they fit together.
#[derive(Default)]
struct Draft {
    sid: Option<String>,
    effect: Option<Effect>,
    principal: Option<PrincipalElement>,
    action: Option<ActionElement>,
    resource: Option<ResourceElement>,
    conditions: Vec<super::Condition>,
}

fn parse_statement(node: &Node) -> Result<Statement, Failure> {
    let mut draft = Draft::default();
    for entry in object(node, "an object")? {
        read_element(&mut draft, entry, node.place)?;
    }
    Ok(Statement {
        effect: draft.effect.ok_or(missing(node, "Effect"))?,
        action: draft.action.ok_or(missing(node, "Action or NotAction"))?,
        sid: draft.sid,
        principal: draft.principal,
        resource: draft.resource,
        conditions: draft.conditions,
    })
}

fn read_element(draft: &mut Draft, entry: &Entry, statement: Place) -> Result<(), Failure> {
    let Entry { name, value, .. } = entry;
    let once = |absent: bool, first, second| {
        if absent {
            Ok(())
        } else {
            Err(fault(statement, Fault::BothElements(first, second)))
        }
    };
    match name.as_str() {
        "Sid" => draft.sid = Some(text(value)?.to_owned()),
        "Effect" => draft.effect = Some(parse_effect(value)?),
        "Principal" | "NotPrincipal" => {
            once(draft.principal.is_none(), "Principal", "NotPrincipal")?;
            let set = parse_principal::set(value)?;
            draft.principal = Some(match name.as_str() {
                "Principal" => PrincipalElement::Principal(set),
                _ => PrincipalElement::NotPrincipal(set),
            });
        }
        "Action" | "NotAction" => {
            once(draft.action.is_none(), "Action", "NotAction")?;
            let list = texts(value)?;
            draft.action = Some(match name.as_str() {
                "Action" => ActionElement::Action(list),
                _ => ActionElement::NotAction(list),
            });
        }
        "Resource" | "NotResource" => {
            once(draft.resource.is_none(), "Resource", "NotResource")?;
            let list = texts(value)?;
            draft.resource = Some(match name.as_str() {
                "Resource" => ResourceElement::Resource(list),
                _ => ResourceElement::NotResource(list),
            });
        }
        "Condition" => draft.conditions = parse_condition::conditions(value)?,
        _ => return Err(fault(entry.name_place, Fault::UnknownElement)),
    }
    Ok(())
}

fn parse_effect(node: &Node) -> Result<Effect, Failure> {
    match text(node)? {
        "Allow" => Ok(Effect::Allow),
        "Deny" => Ok(Effect::Deny),
        other => Err(wrong_value(node, other, "`Allow` or `Deny`")),
    }
}

/// The entries of an object.
pub(super) fn object<'a>(node: &'a Node, wanted: &'static str) -> Result<&'a [Entry], Failure> {
    match &node.value {
        Json::Object(entries) => Ok(entries),
        _ => Err(wrong_type(node, wanted)),
    }
}

/// A string or a list of at least one string.
pub(super) fn texts(node: &Node) -> Result<Vec<String>, Failure> {
    match &node.value {
        Json::Text(value) => Ok(vec![value.clone()]),
        Json::List(items) if items.is_empty() => Err(fault(node.place, Fault::Empty)),
        Json::List(items) => items
            .iter()
            .map(|item| text(item).map(str::to_owned))
            .collect(),
        _ => Err(wrong_type(node, "a string or a list of strings")),
    }
}

fn text(node: &Node) -> Result<&str, Failure> {
    match &node.value {
        Json::Text(value) => Ok(value),
        _ => Err(wrong_type(node, "a string")),
    }
}

pub(super) fn fault(place: Place, fault: Fault) -> Failure {
    Failure { place, fault }
}

pub(super) fn wrong_type(node: &Node, wanted: &'static str) -> Failure {
    let found = node.type_name();
    fault(node.place, Fault::WrongType { wanted, found })
}

pub(super) fn wrong_value(node: &Node, value: &str, wanted: &'static str) -> Failure {
    let value = value.to_owned();
    fault(node.place, Fault::WrongValue { value, wanted })
}

fn missing(node: &Node, element: &'static str) -> Failure {
    fault(node.place, Fault::MissingElement(element))
}
