//! The grammar of lifecycle policies (Amazon ECR User Guide, "Lifecycle policy
//! properties in Amazon ECR").
//!
//! Two passes, as in ECR: the shape of each rule, then the rules together. The
//! shape's messages are those of the JSON schema validator that ECR's answers
//! quote; messages of the second pass are inferred unless marked as known.

mod schema;

use std::collections::HashSet;

use serde_json::Value;

use super::EcrError;

/// ECR's limit (service quotas).
const MAXIMUM_RULES: usize = 50;

/// Largest text, in characters (service model).
const MAXIMUM_TEXT: usize = 30_720;

/// One rule that has passed the schema.
#[derive(Debug)]
struct Rule {
    priority: u64,
    status: String,
    /// Prefixes and patterns, sorted.
    tags: Vec<String>,
    storage_class: String,
    count_type: String,
    count_unit: Option<String>,
    count_number: u64,
    transition: bool,
}

/// Checks the text of a policy as `PutLifecyclePolicy` does.
pub(crate) fn validate(text: &str) -> Result<(), EcrError> {
    if text.chars().count() > MAXIMUM_TEXT {
        return Err(EcrError::parameter(
            "lifecyclePolicyText",
            "must have length less than or equal to 30720",
        ));
    }
    parse(text)
        .and_then(|rules| check(&rules))
        .map_err(|failure| {
            EcrError::parameter(
                "LifecyclePolicyText",
                &format!("Lifecycle policy validation failure: {failure}"),
            )
        })
}

fn parse(text: &str) -> Result<Vec<Rule>, String> {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(policy)) => schema::rules(&policy, MAXIMUM_RULES),
        // Known sentence.
        _ => Err("Could not map policyString into LifecyclePolicy.".to_owned()),
    }
}

fn check(rules: &[Rule]) -> Result<(), String> {
    let mut priorities = HashSet::new();
    for rule in rules {
        if !priorities.insert(rule.priority) {
            return Err(format!(
                "More than one rule has the priority {}.",
                rule.priority
            ));
        }
        check_selection(rule)?;
    }
    check_together(rules)
}

fn check_selection(rule: &Rule) -> Result<(), String> {
    let counts_days = rule.count_type != "imageCountMoreThan";
    if counts_days != rule.count_unit.is_some() {
        return Err(format!(
            "countUnit is {} with the countType {}.",
            if counts_days {
                "required"
            } else {
                "not allowed"
            },
            rule.count_type
        ));
    }
    match rule.count_type.as_str() {
        "sinceImagePulled" if !rule.transition => {
            Err("The countType sinceImagePulled is only allowed with the action transition.".into())
        }
        "sinceImageTransitioned" if rule.transition || rule.storage_class != "archive" => Err(
            "The countType sinceImageTransitioned is only allowed with the storageClass archive \
             and the action expire."
                .into(),
        ),
        "sinceImageTransitioned" if rule.count_number < 90 => {
            Err("The countNumber must be at least 90 with sinceImageTransitioned.".into())
        }
        _ => Ok(()),
    }
}

fn check_together(rules: &[Rule]) -> Result<(), String> {
    let mut untagged = HashSet::new();
    let mut selections = HashSet::new();
    let last = rules.iter().map(|rule| rule.priority).max();
    for rule in rules {
        match rule.status.as_str() {
            "untagged" if !untagged.insert(&rule.storage_class) => {
                // Known sentence.
                return Err("Only one rule can select Untagged images.".into());
            }
            "any" if Some(rule.priority) != last => {
                return Err(
                    "A rule with the tagStatus any must have the highest rulePriority.".into(),
                );
            }
            "tagged" if !selections.insert((&rule.tags, &rule.storage_class)) => {
                return Err(format!(
                    "More than one rule selects the tags {}.",
                    rule.tags.join(", ")
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
