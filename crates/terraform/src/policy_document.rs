//! `data "aws_iam_policy_document"`: statements to the JSON that the provider
//! makes of them.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::functions::escaped;
use crate::merge::{Written, merged, read};
use crate::value::Value;

type Attributes = BTreeMap<String, Value>;

/// The document, or the reason why it is not known.
pub(crate) fn json(given: &Attributes) -> Value {
    match document(given) {
        Ok(document) => Value::String(escaped(&format!("{document:#}"))),
        Err(reason) => Value::Unknown(reason),
    }
}

/// The same on one line.
pub(crate) fn minified_json(given: &Attributes) -> Value {
    match document(given) {
        Ok(document) => Value::String(escaped(&document.to_string())),
        Err(reason) => Value::Unknown(reason),
    }
}

/// The arguments of a statement that hold lists or texts, with the elements that
/// they become.
pub(crate) const ELEMENTS: [(&str, &str); 6] = [
    ("sid", "Sid"),
    ("effect", "Effect"),
    ("actions", "Action"),
    ("not_actions", "NotAction"),
    ("resources", "Resource"),
    ("not_resources", "NotResource"),
];

/// Arguments of versions of the provider before 4.
const REMOVED: [&str; 2] = ["source_json", "override_json"];

fn document(given: &Attributes) -> Result<Json, String> {
    for name in REMOVED {
        if !matches!(given.get(name), None | Some(Value::Null)) {
            return Err(format!("{name} is not evaluated"));
        }
    }
    let version = text(given, "version")?.unwrap_or_else(|| "2012-10-17".to_owned());
    let statements = blocks(given, "statement")?
        .into_iter()
        .map(|block| statement(block, &version))
        .collect::<Result<Vec<_>, _>>()?;
    let own = Written {
        version,
        id: text(given, "policy_id")?,
        statements,
    };
    let sources = documents(given, "source_policy_documents")?;
    let overriding = documents(given, "override_policy_documents")?;
    Ok(merged(sources, own, overriding)?.into_json())
}

fn statement(given: &Attributes, version: &str) -> Result<Json, String> {
    let mut statement = Map::new();
    if let Some(sid) = text(given, "sid")?.filter(|sid| !sid.is_empty()) {
        statement.insert("Sid".to_owned(), sid.into());
    }
    let effect = text(given, "effect")?.unwrap_or_else(|| "Allow".to_owned());
    statement.insert("Effect".to_owned(), effect.into());
    for (argument, element) in [("actions", "Action"), ("not_actions", "NotAction")] {
        insert_list(&mut statement, element, sorted(texts(given, argument)?));
    }
    for (argument, element) in [("resources", "Resource"), ("not_resources", "NotResource")] {
        let resources = texts(given, argument)?
            .iter()
            .map(|text| variables(text, version))
            .collect();
        insert_list(&mut statement, element, sorted(resources));
    }
    for (argument, element) in [
        ("principals", "Principal"),
        ("not_principals", "NotPrincipal"),
    ] {
        if let Some(principals) = principals(&blocks(given, argument)?, version)? {
            statement.insert(element.to_owned(), principals);
        }
    }
    if let Some(conditions) = conditions(&blocks(given, "condition")?, version)? {
        statement.insert("Condition".to_owned(), conditions);
    }
    Ok(statement.into())
}

/// Identifiers by type. Everyone of every type is written as the bare `*`.
fn principals(given: &[&Attributes], version: &str) -> Result<Option<Json>, String> {
    let mut by_type: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for block in given {
        let identifiers = texts(block, "identifiers")?;
        let identifiers = identifiers.iter().map(|text| variables(text, version));
        by_type
            .entry(required(block, "type")?)
            .or_default()
            .extend(identifiers);
    }
    if by_type.is_empty() {
        return Ok(None);
    }
    if by_type.len() == 1
        && by_type
            .get("*")
            .is_some_and(|identifiers| identifiers == &["*"])
    {
        return Ok(Some("*".into()));
    }
    let mut principals = Map::new();
    for (kind, identifiers) in by_type {
        insert_list(&mut principals, &kind, sorted(identifiers));
    }
    Ok(Some(principals.into()))
}

fn conditions(given: &[&Attributes], version: &str) -> Result<Option<Json>, String> {
    let mut by_operator: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for block in given {
        let values: Vec<String> = texts(block, "values")?
            .iter()
            .map(|text| variables(text, version))
            .collect();
        let key = variables(&required(block, "variable")?, version);
        let keys = by_operator.entry(required(block, "test")?).or_default();
        if keys.insert(key.clone(), values).is_some() {
            // The provider joins or replaces the values depending on their
            // number.
            return Err(format!(
                "two conditions of one test on {key} are not evaluated"
            ));
        }
    }
    if by_operator.is_empty() {
        return Ok(None);
    }
    let mut conditions = Map::new();
    for (operator, keys) in by_operator {
        let mut condition = Map::new();
        for (key, values) in keys {
            insert_list(&mut condition, &key, values);
        }
        conditions.insert(operator, condition.into());
    }
    Ok(Some(conditions.into()))
}

/// The provider writes one value as a string, several as a list, none not at all.
fn insert_list(object: &mut Map<String, Json>, name: &str, mut values: Vec<String>) {
    match values.len() {
        0 => {}
        1 => {
            object.insert(name.to_owned(), values.remove(0).into());
        }
        _ => {
            object.insert(name.to_owned(), values.into());
        }
    }
}

/// In the provider's order, which is the reverse.
fn sorted(mut values: Vec<String>) -> Vec<String> {
    values.sort_by(|left, right| right.cmp(left));
    values.dedup();
    values
}

/// `&{..}` is how a document writes IAM's `${..}`, which Terraform would take
/// for its own. Documents of 2008 have no variables.
fn variables(text: &str, version: &str) -> String {
    if version == "2008-10-17" {
        text.to_owned()
    } else {
        text.replace("&{", "${")
    }
}

fn blocks<'a>(given: &'a Attributes, name: &str) -> Result<Vec<&'a Attributes>, String> {
    match given.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::List(items)) => items
            .iter()
            .map(|item| match item {
                Value::Object(attributes) => Ok(attributes),
                Value::Unknown(reason) => Err(reason.clone()),
                other => Err(format!("{name} is {}", other.kind())),
            })
            .collect(),
        Some(Value::Unknown(reason)) => Err(format!("{name}: {reason}")),
        Some(other) => Err(format!("{name} is {}", other.kind())),
    }
}

/// The documents that an argument lists.
fn documents(given: &Attributes, name: &str) -> Result<Vec<Written>, String> {
    let documents = match given.get(name) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::List(documents)) => documents,
        Some(Value::Unknown(reason)) => return Err(format!("{name}: {reason}")),
        Some(other) => return Err(format!("{name} is {}", other.kind())),
    };
    documents
        .iter()
        .map(|document| match document {
            Value::String(text) => read(text).map_err(|reason| format!("{name}: {reason}")),
            Value::Unknown(reason) => Err(format!("{name}: {reason}")),
            other => Err(format!("{name} holds {}", other.kind())),
        })
        .collect()
}

fn text(given: &Attributes, name: &str) -> Result<Option<String>, String> {
    match given.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Unknown(reason)) => Err(format!("{name}: {reason}")),
        Some(value) => match value.to_text() {
            Some(text) => Ok(Some(text)),
            None => Err(format!("{name} is {}", value.kind())),
        },
    }
}

fn required(given: &Attributes, name: &str) -> Result<String, String> {
    text(given, name)?.ok_or_else(|| format!("{name} is not set"))
}

fn texts(given: &Attributes, name: &str) -> Result<Vec<String>, String> {
    match given.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::List(items)) => items
            .iter()
            .map(|item| match (item.to_text(), item) {
                (Some(text), _) => Ok(text),
                (None, Value::Unknown(reason)) => Err(format!("{name}: {reason}")),
                (None, other) => Err(format!("{name} holds {}", other.kind())),
            })
            .collect(),
        Some(Value::Unknown(reason)) => Err(format!("{name}: {reason}")),
        Some(other) => Err(format!("{name} is {}", other.kind())),
    }
}
