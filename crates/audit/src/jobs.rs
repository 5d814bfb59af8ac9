//! The jobs that ask AWS for a role, with every kind of run that can start them:
//! what the repository intends.

use receipts::Location;

use crate::{Setup, WorkflowFile};

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RoleUse {
    /// This ARN.
    Arn(String),
    /// An expression, such as `${{ vars.ROLE }}`, that only GitHub can evaluate.
    Unknown(String),
}

/// One kind of run: what its subject and its `ref` say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunShape {
    /// `push`, `pull_request`, ..
    pub(crate) event: String,
    /// The job's environment, which takes the place of everything else in the subject.
    pub(crate) environment: Option<EnvironmentUse>,
    /// The refs it can run on.
    pub(crate) refs: RefShape,
}

/// The environment of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EnvironmentUse {
    /// This one.
    Named(String),
    /// An expression.
    Unknown(String),
}

/// The refs that a run can be on.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// Every job that asks AWS for a role.
pub(crate) fn identity_jobs(_setup: &Setup) -> Vec<IdentityJob<'_>> {
    Vec::new()
}
