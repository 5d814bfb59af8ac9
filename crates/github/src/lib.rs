//! What GitHub Actions says about a workflow run, as values.
//!
//! Two halves: the identity that GitHub mints for a run ([`Run`], [`Caller`],
//! [`SubjectForm`]), and the workflow file that decides which jobs may ask for
//! it ([`Workflow`]). Nothing here talks to GitHub.

mod caller;
mod claims;
mod run;
mod subject;
mod workflow;

pub use caller::{Caller, CallerKind};
pub use claims::{Minting, claims, times};
pub use run::{Event, Repository, Run, Visibility};
pub use subject::{SubjectForm, subject};
pub use workflow::{
    Access, Concurrency, Job, Matrix, MatrixEntry, Permissions, Place, Placed, Step, Trigger,
    Triggers, Variables, Workflow, WorkflowError,
};

/// The issuer of github.com, as it stands in the `iss` claim.
pub const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// The issuer without its scheme: the name of the IAM provider and the prefix
/// of the condition keys.
pub const ISSUER_HOST: &str = "token.actions.githubusercontent.com";

/// The audience that AWS's own action asks for.
pub const AWS_AUDIENCE: &str = "sts.amazonaws.com";
