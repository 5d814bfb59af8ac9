//! The shape of a lifecycle policy: which properties, of which types. The
//! messages are those of the JSON schema validator that ECR's answers quote.

use serde_json::{Map, Value};

use super::rule::{Criterion, Rule, StorageClass, TagList, Tags};

type Object = Map<String, Value>;

const COUNT_TYPES: [&str; 4] = [
    "imageCountMoreThan",
    "sinceImagePushed",
    "sinceImagePulled",
    "sinceImageTransitioned",
];

/// Most wildcards in one pattern (User Guide, "Lifecycle policy properties").
const MAXIMUM_WILDCARDS: usize = 4;

/// The rules of `policy`, or the message of the first violation.
pub(super) fn rules(policy: &Object, maximum: usize) -> Result<Vec<Rule>, String> {
    allow(policy, &["rules"], &[])?;
    let rules = array(&policy["rules"])?;
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
    Ok(Rule {
        priority: positive(&rule["rulePriority"])?,
        tags: tags(selection)?,
        class: match selection.get("storageClass") {
            Some(class) if choice(class, &["standard", "archive"])? == "archive" => {
                StorageClass::Archive
            }
            _ => StorageClass::Standard,
        },
        criterion: criterion(selection)?,
        transition: is_transition(&rule["action"])?,
    })
}

/// `countType` and `countNumber`, with `countUnit` if and only if days count.
fn criterion(selection: &Object) -> Result<Criterion, String> {
    let count_type = choice(&selection["countType"], &COUNT_TYPES)?;
    let number = positive(&selection["countNumber"])?;
    let unit = selection.get("countUnit");
    if let Some(unit) = unit {
        choice(unit, &["days"])?;
    }
    let criterion = match count_type {
        "imageCountMoreThan" => Criterion::CountMoreThan { images: number },
        "sinceImagePushed" => Criterion::SincePushed { days: number },
        "sinceImagePulled" => Criterion::SincePulled { days: number },
        _ => Criterion::SinceTransitioned { days: number },
    };
    let counts_days = !matches!(criterion, Criterion::CountMoreThan { .. });
    if counts_days == unit.is_some() {
        return Ok(criterion);
    }
    // Inferred sentence.
    Err(format!(
        "countUnit is {} with the countType {count_type}.",
        if counts_days {
            "required"
        } else {
            "not allowed"
        }
    ))
}

/// The two schemas of an action, of which exactly one must match.
fn is_transition(value: &Value) -> Result<bool, String> {
    let action = object(value)?;
    allow(action, &["type"], &["targetStorageClass"])?;
    let kind = choice(&action["type"], &["expire", "transition"])?;
    match (kind, action.get("targetStorageClass")) {
        ("expire", None) => Ok(false),
        ("transition", Some(Value::String(class))) if class == "archive" => Ok(true),
        _ => Err(no_schema()),
    }
}

/// Exactly one list, if and only if the status is `tagged`.
fn tags(selection: &Object) -> Result<Tags, String> {
    let status = choice(&selection["tagStatus"], &["tagged", "untagged", "any"])?;
    let patterns = selection.get("tagPatternList");
    let prefixes = selection.get("tagPrefixList");
    match (status, patterns, prefixes) {
        ("tagged", Some(list), None) => entries(list, true)
            .map(TagList::Patterns)
            .map(Tags::Matching),
        ("tagged", None, Some(list)) => entries(list, false)
            .map(TagList::Prefixes)
            .map(Tags::Matching),
        // Known sentence.
        ("tagged", None, None) => {
            Err("Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.".to_owned())
        }
        ("untagged", None, None) => Ok(Tags::Untagged),
        ("any", None, None) => Ok(Tags::Any),
        _ => Err(no_schema()),
    }
}

fn entries(list: &Value, are_patterns: bool) -> Result<Vec<String>, String> {
    let list = array(list)?;
    if list.is_empty() {
        return Err(no_schema());
    }
    let mut entries = Vec::with_capacity(list.len());
    for entry in list {
        let entry = text(entry)?;
        if are_patterns && entry.matches('*').count() > MAXIMUM_WILDCARDS {
            // Inferred sentence.
            return Err(format!(
                "The pattern {entry} has more than {MAXIMUM_WILDCARDS} wildcards."
            ));
        }
        entries.push(entry.to_owned());
    }
    entries.sort();
    Ok(entries)
}

fn array(value: &Value) -> Result<&[Value], String> {
    let list = value.as_array().ok_or_else(|| wrong_type(value, "array"))?;
    Ok(list)
}

fn object(value: &Value) -> Result<&Object, String> {
    value.as_object().ok_or_else(|| wrong_type(value, "object"))
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| wrong_type(value, "string"))
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

fn choice<'a>(value: &'a Value, allowed: &[&str]) -> Result<&'a str, String> {
    let chosen = text(value)?;
    if allowed.contains(&chosen) {
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
