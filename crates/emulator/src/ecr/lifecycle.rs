//! Lifecycle policies (Amazon ECR User Guide, "Automate the cleanup of images
//! by using lifecycle policies" and "Lifecycle policy properties").
//!
//! A text is read in two passes, as in ECR: the shape of each rule (`schema`),
//! then the rules together (here). `evaluation` says what a policy does to a
//! list of images, `schedule` when, `run` does it. All but `preview` and `run`
//! are pure.

mod evaluation;
mod image;
mod preview;
mod rule;
mod run;
mod schedule;
mod schema;
#[cfg(test)]
mod testing;

use std::collections::HashSet;

use serde_json::Value;

use super::EcrError;
pub(super) use preview::{PREVIEWS, get as get_preview, start as start_preview};
use rule::{Criterion, Rule, StorageClass, Tags};
pub(crate) use run::{LifecycleClock, catch_up, is_due, run};

/// ECR's limit (service quotas).
const MAXIMUM_RULES: usize = 50;

/// How long an image stays in the archive at least before a rule may expire it.
const MINIMUM_ARCHIVE_DAYS: u64 = 90;

/// A policy that ECR accepts.
#[derive(Debug)]
pub(super) struct Policy {
    /// In the order in which they are applied: the lowest priority first.
    rules: Vec<Rule>,
}

impl Policy {
    /// Reads the text of a policy and refuses what `PutLifecyclePolicy`
    /// refuses. The text's length is the caller's to check.
    pub(super) fn parse(text: &str) -> Result<Self, EcrError> {
        let checked = parse(text).and_then(|mut rules| {
            check(&rules)?;
            rules.sort_by_key(|rule| rule.priority);
            Ok(Self { rules })
        });
        checked.map_err(|failure| {
            EcrError::parameter(
                "LifecyclePolicyText",
                &format!("Lifecycle policy validation failure: {failure}"),
            )
        })
    }
}

/// Checks the text of a policy as `PutLifecyclePolicy` does.
pub(super) fn validate(text: &str) -> Result<(), EcrError> {
    Policy::parse(text).map(drop)
}

fn parse(text: &str) -> Result<Vec<Rule>, String> {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(policy)) => schema::rules(&policy, MAXIMUM_RULES),
        // Known sentence.
        _ => Err("Could not map policyString into LifecyclePolicy.".to_owned()),
    }
}

/// What one rule alone, and all rules together, must keep. Sentences are
/// inferred unless marked as known.
fn check(rules: &[Rule]) -> Result<(), String> {
    let mut priorities = HashSet::new();
    for rule in rules {
        if !priorities.insert(rule.priority) {
            return Err(format!(
                "More than one rule has the priority {}.",
                rule.priority
            ));
        }
        check_criterion(rule)?;
    }
    check_together(rules)
}

fn check_criterion(rule: &Rule) -> Result<(), String> {
    let archive = rule.class == StorageClass::Archive;
    match rule.criterion {
        Criterion::SinceTransitioned { .. } if !archive || rule.transition => Err(
            "The countType sinceImageTransitioned is only allowed with the storageClass archive \
             and the action expire."
                .to_owned(),
        ),
        Criterion::SinceTransitioned { days } if days < MINIMUM_ARCHIVE_DAYS => Err(format!(
            "The countNumber must be at least {MINIMUM_ARCHIVE_DAYS} with sinceImageTransitioned."
        )),
        Criterion::SinceTransitioned { .. } => Ok(()),
        _ if archive => Err(
            "The storageClass archive is only allowed with the countType sinceImageTransitioned."
                .to_owned(),
        ),
        Criterion::SincePulled { .. } if !rule.transition => Err(
            "The countType sinceImagePulled is only allowed with the action transition.".to_owned(),
        ),
        _ => Ok(()),
    }
}

fn check_together(rules: &[Rule]) -> Result<(), String> {
    let mut untagged = HashSet::new();
    let mut selections = HashSet::new();
    for rule in rules {
        let is_last = || {
            let of_class = rules.iter().filter(|other| other.class == rule.class);
            of_class.map(|other| other.priority).max() == Some(rule.priority)
        };
        match &rule.tags {
            Tags::Untagged if !untagged.insert(rule.class) => {
                // Known sentence.
                return Err("Only one rule can select Untagged images per storage class.".into());
            }
            Tags::Any if !is_last() => {
                // Known sentence.
                return Err(
                    "Rule for tagStatus=ANY must have the lowest priority per storage class".into(),
                );
            }
            Tags::Matching(list) if !selections.insert((list, rule.class)) => {
                return Err(format!(
                    "More than one rule selects the tags {}.",
                    list.patterns().join(", ")
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
