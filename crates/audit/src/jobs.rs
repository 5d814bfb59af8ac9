//! The jobs that ask AWS for a role, with every kind of run that can start them:
//! what the repository intends.

pub(crate) mod asks;
mod condition;
mod runs;
mod scopes;
pub(crate) mod script;

use std::collections::{BTreeMap, BTreeSet};

use github::{Place, Workflow};
use receipts::Location;

use crate::{Setup, WorkflowFile};

pub(crate) use condition::lets_strangers_through;
pub(crate) use runs::Callers;
pub(crate) use scopes::entries;

/// A job that can ask for an identity and uses it at AWS.
#[derive(Debug, Clone)]
pub(crate) struct IdentityJob<'a> {
    /// The workflow it stands in.
    pub(crate) workflow: &'a WorkflowFile,
    /// Its id.
    pub(crate) id: String,
    /// `publish.yml#publish`.
    pub(crate) subject: String,
    /// Where it stands.
    pub(crate) location: Location,
    /// The role it asks for.
    pub(crate) role: RoleUse,
    /// The audience it asks for; `None` where it depends on an expression.
    pub(crate) audience: Option<String>,
    /// The session it asks for, in seconds, where it says.
    pub(crate) session_seconds: Option<u32>,
    /// The kinds of run that can start it.
    pub(crate) runs: Vec<RunShape>,
}

/// Which role a job asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RoleUse {
    /// This ARN.
    Arn(String),
    /// An expression, such as `${{ vars.ROLE }}`, that only GitHub can evaluate.
    Unknown(String),
}

/// One kind of run: what its subject and its `ref` say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RunShape {
    /// `push`, `pull_request`, ..
    pub(crate) event: String,
    /// The job's environment, which takes the place of everything else in the subject.
    pub(crate) environment: Option<EnvironmentUse>,
    /// The refs it can run on.
    pub(crate) refs: RefShape,
}

/// The environment of a job.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum EnvironmentUse {
    /// This one.
    Named(String),
    /// An expression.
    Unknown(String),
}

/// The refs that a run can be on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RefShape {
    /// `refs/pull/N/merge`, with `pull_request` as subject.
    PullRequest,
    /// Branches that one of the globs of `branches` covers, less those that a
    /// glob with `!` takes out; no glob means every branch.
    Branches(Vec<String>),
    /// Tags, in the same way.
    Tags(Vec<String>),
    /// The default branch, whose name is not in the workflow.
    DefaultBranch,
    /// Any branch or tag (`workflow_dispatch`).
    Any,
}

/// Every job that can ask for an identity and asks AWS for a role with it: one
/// for each role, audience and session.
pub(crate) fn identity_jobs(setup: &Setup) -> Vec<IdentityJob<'_>> {
    let callers = Callers::of(setup);
    let mut jobs = Vec::new();
    for (file, workflow) in readable(setup) {
        for (id, job) in &workflow.jobs {
            if !callers.give_identity(file, workflow, job) {
                continue;
            }
            let mut asked = BTreeMap::new();
            for entry in entries(job) {
                let publisher = setup.publisher_role.as_deref();
                let asks = asks::asks_of(workflow, job, &entry, publisher);
                if !asks.is_empty() {
                    let runs = callers.runs(file, workflow, job, &entry);
                    by_what_they_ask(&mut asked, asks, &runs);
                }
            }
            for ((role, audience, session_seconds), runs) in asked {
                jobs.push(IdentityJob {
                    workflow: file,
                    id: id.clone(),
                    subject: subject(file, id),
                    location: location(file, job.place),
                    role,
                    audience,
                    session_seconds,
                    runs: runs.into_iter().collect(),
                });
            }
        }
    }
    jobs
}

type Asked = (RoleUse, Option<String>, Option<u32>);

/// Several steps of a job that ask for the same are one, with the runs of all.
fn by_what_they_ask(
    asked: &mut BTreeMap<Asked, BTreeSet<RunShape>>,
    asks: Vec<asks::Ask<'_>>,
    runs: &[RunShape],
) {
    for ask in asks {
        let condition = ask.step.condition.as_ref().map(|text| text.as_str());
        asked
            .entry((ask.role, ask.audience, ask.session_seconds))
            .or_default()
            .extend(condition::narrowed(runs.to_vec(), condition));
    }
}

/// The workflows that could be read.
pub(crate) fn readable(setup: &Setup) -> impl Iterator<Item = (&WorkflowFile, &Workflow)> {
    setup
        .workflows
        .iter()
        .filter_map(|file| Some((file, file.workflow.as_ref().ok()?)))
}

/// `publish.yml#job`.
pub(crate) fn subject(file: &WorkflowFile, id: &str) -> String {
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    format!("{name}#{id}")
}

/// A place of a workflow file as a location.
pub(crate) fn location(file: &WorkflowFile, place: Place) -> Location {
    Location {
        file: file.path.clone(),
        line: place.line,
        column: place.column,
    }
}

#[cfg(test)]
mod tests;
