//! The workflow file: what starts it, which jobs it has, what each may do.
//!
//! Syntax: <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax>.
//! Only what identity and publishing depend on is modelled; all else is
//! accepted and left alone.

mod permissions;
mod triggers;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

pub use permissions::{Access, Permissions};
pub use triggers::{PushTrigger, Triggers};

/// A workflow file.
#[derive(Debug, Clone, Deserialize)]
pub struct Workflow {
    /// The display name; GitHub shows the path where it is missing.
    #[serde(default)]
    pub name: Option<String>,
    /// What starts it.
    #[serde(rename = "on")]
    pub triggers: Triggers,
    /// What every job may do that says nothing of its own; `None` is the
    /// repository's default.
    #[serde(default)]
    pub permissions: Option<Permissions>,
    /// Which runs exclude each other.
    #[serde(default)]
    pub concurrency: Option<Concurrency>,
    /// The jobs by id.
    pub jobs: BTreeMap<String, Job>,
}

/// A group of runs of which one at a time goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concurrency {
    /// The group's name.
    pub group: String,
}

impl<'de> Deserialize<'de> for Concurrency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let group = text_or_field(deserializer, "group")?;
        Ok(Self { group })
    }
}

/// A job of a workflow.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Job {
    /// What its token may do; `None` inherits the workflow's.
    #[serde(default)]
    pub permissions: Option<Permissions>,
    /// The deployment environment, which changes the subject.
    #[serde(default, deserialize_with = "environment")]
    pub environment: Option<String>,
    /// A reusable workflow that this job calls instead of having steps.
    #[serde(default)]
    pub uses: Option<String>,
    /// The steps.
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// A step of a job.
#[derive(Debug, Clone, Deserialize)]
pub struct Step {
    /// The display name.
    #[serde(default)]
    pub name: Option<String>,
    /// The action it uses.
    #[serde(default)]
    pub uses: Option<String>,
    /// The shell script it runs.
    #[serde(default)]
    pub run: Option<String>,
}

/// Why a workflow cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the workflow is not valid: {0}")]
pub struct WorkflowError(String);

impl Workflow {
    /// Parses a workflow file. As in GitHub's own parser, only `true` and
    /// `false` are booleans, and merge keys are not understood.
    pub fn parse(yaml: &str) -> Result<Self, WorkflowError> {
        let options = serde_saphyr::options! {
            strict_booleans: true,
            merge_keys: serde_saphyr::MergeKeyPolicy::Error,
        };
        serde_saphyr::from_str_with_options(yaml, options)
            .map_err(|error| WorkflowError(error.to_string()))
    }

    /// What the token of `job` may do, its own permissions or the workflow's.
    pub fn permissions_of<'a>(&'a self, job: &'a Job) -> Option<&'a Permissions> {
        job.permissions.as_ref().or(self.permissions.as_ref())
    }

    /// The jobs that can ask GitHub for an identity, by id.
    ///
    /// Without any `permissions`, GitHub's default token cannot.
    pub fn jobs_with_identity(&self) -> impl Iterator<Item = (&str, &Job)> {
        self.jobs
            .iter()
            .filter(|(_, job)| {
                self.permissions_of(job)
                    .is_some_and(|permissions| permissions.of("id-token") == Access::Write)
            })
            .map(|(id, job)| (id.as_str(), job))
    }
}

fn environment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    text_or_field(deserializer, "name").map(Some)
}

/// Several keys take either a text or a map in which one field is that text.
fn text_or_field<'de, D: Deserializer<'de>>(
    deserializer: D,
    field: &str,
) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        Value::Object(mut fields) => match fields.remove(field) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(serde::de::Error::custom(format!(
                "`{field}` is missing or is not a text"
            ))),
        },
        _ => Err(serde::de::Error::custom(format!(
            "expected a text or a map with `{field}`"
        ))),
    }
}

#[cfg(test)]
mod tests;
