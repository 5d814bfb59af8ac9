//! The shape of a lifecycle policy: which properties, of which types.

use serde_json::{Map, Value};

use super::Rule;

type Object = Map<String, Value>;

const COUNT_TYPES: [&str; 4] = [
    "imageCountMoreThan",
    "sinceImagePushed",
    "sinceImagePulled",
    "sinceImageTransitioned",
];

/// The rules of `policy`, or the message of the first violation.
pub(super) fn rules(policy: &Object, maximum: usize) -> Result<Vec<Rule>, String> {
    allow(policy, &["rules"], &[])?;
    let rules = match &policy["rules"] {
        Value::Array(rules) => rules,
        other => return Err(wrong_type(other, "array")),
    };
    if rules.is_empty() {
        return Err(
            "array is too short: must have at least 1 elements but instance has 0 elements"
                .to_owned(),
        );
    }
    if rules.len() > maximum {
        return Err(format!(
            "array is too long: must have at most {maximum} elements but instance has {} elements",
            rules.len()
        ));
    }
    rules.iter().map(rule).collect()
}

fn rule(value: &Value) -> Result<Rule, String> {
    let rule = object(value)?;
    allow(
        rule,
        &["rulePriority", "selection", "action"],
        &["description"],
    )?;
    if let Some(description) = rule.get("description") {
        text(description)?;
    }
    let selection = object(&rule["selection"])?;
    allow(
        selection,
        &["tagStatus", "countType", "countNumber"],
        &[
            "tagPatternList",
            "tagPrefixList",
            "storageClass",
            "countUnit",
        ],
    )?;
    let status = choice(&selection["tagStatus"], &["tagged", "untagged", "any"])?;
    Ok(Rule {
        priority: positive(&rule["rulePriority"])?,
        tags: tags(selection, &status)?,
        status,
        storage_class: match selection.get("storageClass") {
            Some(class) => choice(class, &["standard", "archive"])?,
            None => "standard".to_owned(),
        },
        count_type: choice(&selection["countType"], &COUNT_TYPES)?,
        count_unit: match selection.get("countUnit") {
            Some(unit) => Some(choice(unit, &["days"])?),
            None => None,
        },
        count_number: positive(&selection["countNumber"])?,
        transition: is_transition(&rule["action"])?,
    })
}

/// The two schemas of an action, of which exactly one must match.
fn is_transition(value: &Value) -> Result<bool, String> {
    let action = object(value)?;
    allow(action, &["type"], &["targetStorageClass"])?;
    let kind = choice(&action["type"], &["expire", "transition"])?;
    match (kind.as_str(), action.get("targetStorageClass")) {
        ("expire", None) => Ok(false),
        ("transition", Some(Value::String(class))) if class == "archive" => Ok(true),
        _ => Err(no_schema()),
    }
}

/// Exactly one list, if and only if the status is `tagged`.
fn tags(selection: &Object, status: &str) -> Result<Vec<String>, String> {
    let lists = (
        selection.get("tagPatternList"),
        selection.get("tagPrefixList"),
    );
    let (list, is_pattern) = match (status, lists) {
        ("tagged", (Some(list), None)) => (list, true),
        ("tagged", (None, Some(list))) => (list, false),
        ("untagged" | "any", (None, None)) => return Ok(Vec::new()),
        _ => return Err(no_schema()),
    };
    let Value::Array(list) = list else {
        return Err(wrong_type(list, "array"));
    };
    if list.is_empty() {
        return Err(no_schema());
    }
    let mut tags = Vec::with_capacity(list.len());
    for entry in list {
        let entry = text(entry)?;
        if is_pattern && entry.matches('*').count() > 4 {
            return Err(format!("The pattern {entry} has more than 4 wildcards."));
        }
        tags.push(entry);
    }
    tags.sort();
    Ok(tags)
}

fn object(value: &Value) -> Result<&Object, String> {
    value.as_object().ok_or_else(|| wrong_type(value, "object"))
}

fn text(value: &Value) -> Result<String, String> {
    value
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| wrong_type(value, "string"))
}

fn positive(value: &Value) -> Result<u64, String> {
    match (value.as_u64(), value.as_i64()) {
        (Some(number), _) if number >= 1 => Ok(number),
        (None, None) => Err(wrong_type(value, "integer")),
        _ => Err(format!(
            "numeric instance is lower than the required minimum (minimum: 1, found: {value})"
        )),
    }
}

fn choice(value: &Value, allowed: &[&str]) -> Result<String, String> {
    let chosen = text(value)?;
    if allowed.contains(&chosen.as_str()) {
        Ok(chosen)
    } else {
        Err(format!(
            "instance value ({value}) not found in enum (possible values: {})",
            list(allowed)
        ))
    }
}

fn allow(object: &Object, required: &[&str], optional: &[&str]) -> Result<(), String> {
    let mut missing: Vec<&str> = required
        .iter()
        .copied()
        .filter(|name| !object.contains_key(*name))
        .collect();
    if !missing.is_empty() {
        missing.sort_unstable();
        return Err(format!(
            "object has missing required properties ({})",
            list(&missing)
        ));
    }
    let mut unknown: Vec<&str> = object
        .keys()
        .map(String::as_str)
        .filter(|name| !required.contains(name) && !optional.contains(name))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    unknown.sort_unstable();
    Err(format!(
        "object instance has properties which are not allowed by the schema: {}",
        list(&unknown)
    ))
}

fn wrong_type(value: &Value, allowed: &str) -> String {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    format!(
        "instance type ({found}) does not match any allowed primitive type (allowed: [\"{allowed}\"])"
    )
}

/// Known sentence, for a `null` or surplus property of an action.
fn no_schema() -> String {
    "instance failed to match exactly one schema (matched 0 out of 2)".to_owned()
}

fn list(names: &[&str]) -> String {
    Value::from(names).to_string()
}
