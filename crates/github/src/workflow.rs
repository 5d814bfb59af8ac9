//! The workflow file: what starts it, which jobs it has, what each may do.
//!
//! Syntax: <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax>.
//! Only what identity and publishing depend on is modelled; all else is
//! accepted and left alone.

mod job;
mod matrix;
mod node;
mod permissions;
mod place;
mod triggers;

use std::collections::BTreeMap;

use node::Node;

pub use job::{Concurrency, Job, Step, Variables};
pub use matrix::{Matrix, MatrixEntry};
pub use permissions::{Access, Permissions};
pub use place::{Place, Placed};
pub use triggers::{Trigger, Triggers};

/// A workflow file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    /// The display name; GitHub shows the path where it is missing.
    pub name: Option<String>,
    /// What starts it.
    pub triggers: Triggers,
    /// What every job may do that says nothing of its own; `None` is the
    /// repository's default.
    pub permissions: Option<Placed<Permissions>>,
    /// Which runs exclude each other.
    pub concurrency: Option<Placed<Concurrency>>,
    /// The environment variables of every job.
    pub env: Variables,
    /// The jobs by id.
    pub jobs: BTreeMap<String, Job>,
    /// Where the key `jobs` stands.
    pub jobs_place: Place,
}

/// Why a workflow cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the workflow is not valid, line {}, column {}: {message}", place.line, place.column)]
pub struct WorkflowError {
    place: Place,
    message: String,
}

impl WorkflowError {
    fn new(place: Place, message: String) -> Self {
        Self { place, message }
    }

    /// A mistake of the file as a whole: it cannot be read as text.
    pub fn of_the_file(message: impl Into<String>) -> Self {
        Self::new(Place::START, message.into())
    }

    /// Where the mistake is.
    pub fn place(&self) -> Place {
        self.place
    }

    /// What the mistake is, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl Workflow {
    /// Parses a workflow file. As in GitHub's own parser, only `true` and
    /// `false` are booleans, and merge keys are not understood.
    pub fn parse(yaml: &str) -> Result<Self, WorkflowError> {
        let document = Node::parse(yaml)?;
        let (mut triggers, mut jobs) = (None, None);
        let (mut name, mut permissions, mut concurrency) = (None, None, None);
        let mut env = Variables::new();
        for (key, value) in document.fields("a workflow")? {
            match key.as_str() {
                "name" => name = value.scalar(),
                "on" => triggers = Some(Triggers::read(value)?),
                "permissions" => permissions = job::placed(key, Permissions::read(value)?),
                "concurrency" => concurrency = job::placed(key, Concurrency::read(value)?),
                "env" => env = job::variables(value, str::to_owned),
                "jobs" => jobs = Some((read_jobs(value)?, key.place)),
                _ => {}
            }
        }
        let missing = |key: &str| document.wrong(format!("`{key}` is missing"));
        let (jobs, jobs_place) = jobs.ok_or_else(|| missing("jobs"))?;
        Ok(Self {
            name,
            triggers: triggers.ok_or_else(|| missing("on"))?,
            permissions,
            concurrency,
            env,
            jobs,
            jobs_place,
        })
    }

    /// What the token of `job` may do, its own permissions or the workflow's.
    pub fn permissions_of<'a>(&'a self, job: &'a Job) -> Option<&'a Permissions> {
        let permissions = job.permissions.as_ref().or(self.permissions.as_ref());
        permissions.map(|permissions| &permissions.value)
    }

    /// The jobs that can ask GitHub for an identity, by id.
    ///
    /// Without any `permissions`, GitHub's default token cannot.
    pub fn jobs_with_identity(&self) -> impl Iterator<Item = (&str, &Job)> {
        self.jobs
            .iter()
            .filter(|(_, job)| {
                self.permissions_of(job)
                    .is_some_and(Permissions::give_identity)
            })
            .map(|(id, job)| (id.as_str(), job))
    }
}

fn read_jobs(node: &Node) -> Result<BTreeMap<String, Job>, WorkflowError> {
    node.fields("`jobs`")?
        .iter()
        .map(|(id, job)| Ok((id.value.clone(), Job::read(id, job)?)))
        .collect()
}

#[cfg(test)]
mod tests;
