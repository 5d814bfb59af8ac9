//! JSON to document and statements.

use super::json::Json;
use super::{
    ActionElement, Document, Effect, ParseError, PrincipalElement, ResourceElement, Statement,
    Version, parse_condition, parse_principal,
};

/// Reads the top of a document.
pub(super) fn document(json: Json) -> Result<Document, ParseError> {
    let mut version = Version::V2008;
    let mut id = None;
    let mut statements = None;
    for (name, value) in object(json, "policy")? {
        match name.as_str() {
            "Version" => version = parse_version(value)?,
            "Id" => id = Some(text(value, "Id")?),
            "Statement" => statements = Some(parse_statements(value)?),
            _ => {
                return Err(ParseError::UnknownElement {
                    path: "policy".to_owned(),
                    element: name,
                });
            }
        }
    }
    Ok(Document {
        version,
        id,
        statements: statements.ok_or(ParseError::MissingElement {
            path: "policy".to_owned(),
            element: "Statement",
        })?,
    })
}

fn parse_version(json: Json) -> Result<Version, ParseError> {
    let value = text(json, "Version")?;
    match value.as_str() {
        "2008-10-17" => Ok(Version::V2008),
        "2012-10-17" => Ok(Version::V2012),
        _ => Err(ParseError::WrongValue {
            path: "Version".to_owned(),
            value,
            wanted: "`2012-10-17` or `2008-10-17`",
        }),
    }
}

fn parse_statements(json: Json) -> Result<Vec<Statement>, ParseError> {
    let items = match json {
        Json::List(items) => items,
        single => vec![single],
    };
    if items.is_empty() {
        return Err(ParseError::Empty {
            path: "Statement".to_owned(),
        });
    }
    items
        .into_iter()
        .enumerate()
        .map(|(index, item)| parse_statement(item, &format!("Statement[{index}]")))
        .collect()
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

fn parse_statement(json: Json, path: &str) -> Result<Statement, ParseError> {
    let mut draft = Draft::default();
    for (name, value) in object(json, path)? {
        read_element(&mut draft, &name, value, path)?;
    }
    let missing = |element| ParseError::MissingElement {
        path: path.to_owned(),
        element,
    };
    Ok(Statement {
        effect: draft.effect.ok_or_else(|| missing("Effect"))?,
        action: draft.action.ok_or_else(|| missing("Action or NotAction"))?,
        sid: draft.sid,
        principal: draft.principal,
        resource: draft.resource,
        conditions: draft.conditions,
    })
}

fn read_element(
    draft: &mut Draft,
    name: &str,
    value: Json,
    statement: &str,
) -> Result<(), ParseError> {
    let path = format!("{statement}.{name}");
    let once = |absent: bool, first, second| {
        if absent {
            Ok(())
        } else {
            Err(ParseError::BothElements {
                path: statement.to_owned(),
                first,
                second,
            })
        }
    };
    match name {
        "Sid" => draft.sid = Some(text(value, &path)?),
        "Effect" => draft.effect = Some(parse_effect(value, &path)?),
        "Principal" | "NotPrincipal" => {
            once(draft.principal.is_none(), "Principal", "NotPrincipal")?;
            let set = parse_principal::set(value, &path)?;
            draft.principal = Some(if name == "Principal" {
                PrincipalElement::Principal(set)
            } else {
                PrincipalElement::NotPrincipal(set)
            });
        }
        "Action" | "NotAction" => {
            once(draft.action.is_none(), "Action", "NotAction")?;
            let list = texts(value, &path)?;
            draft.action = Some(if name == "Action" {
                ActionElement::Action(list)
            } else {
                ActionElement::NotAction(list)
            });
        }
        "Resource" | "NotResource" => {
            once(draft.resource.is_none(), "Resource", "NotResource")?;
            let list = texts(value, &path)?;
            draft.resource = Some(if name == "Resource" {
                ResourceElement::Resource(list)
            } else {
                ResourceElement::NotResource(list)
            });
        }
        "Condition" => draft.conditions = parse_condition::conditions(value, &path)?,
        _ => {
            return Err(ParseError::UnknownElement {
                path: statement.to_owned(),
                element: name.to_owned(),
            });
        }
    }
    Ok(())
}

fn parse_effect(json: Json, path: &str) -> Result<Effect, ParseError> {
    let value = text(json, path)?;
    match value.as_str() {
        "Allow" => Ok(Effect::Allow),
        "Deny" => Ok(Effect::Deny),
        _ => Err(ParseError::WrongValue {
            path: path.to_owned(),
            value,
            wanted: "`Allow` or `Deny`",
        }),
    }
}

/// The entries of an object.
pub(super) fn object(json: Json, path: &str) -> Result<Vec<(String, Json)>, ParseError> {
    match json {
        Json::Object(entries) => Ok(entries),
        other => Err(wrong_type(&other, path, "an object")),
    }
}

/// A string or a list of at least one string.
pub(super) fn texts(json: Json, path: &str) -> Result<Vec<String>, ParseError> {
    match json {
        Json::Text(value) => Ok(vec![value]),
        Json::List(items) if items.is_empty() => Err(ParseError::Empty {
            path: path.to_owned(),
        }),
        Json::List(items) => items
            .into_iter()
            .enumerate()
            .map(|(index, item)| text(item, &format!("{path}[{index}]")))
            .collect(),
        other => Err(wrong_type(&other, path, "a string or a list of strings")),
    }
}

fn text(json: Json, path: &str) -> Result<String, ParseError> {
    match json {
        Json::Text(value) => Ok(value),
        other => Err(wrong_type(&other, path, "a string")),
    }
}

pub(super) fn wrong_type(found: &Json, path: &str, wanted: &'static str) -> ParseError {
    ParseError::WrongType {
        path: path.to_owned(),
        wanted,
        found: found.type_name(),
    }
}
