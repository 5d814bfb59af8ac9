//! One workflow run, before any token is minted for it.

use serde::{Deserialize, Serialize};

/// A repository with the ids that outlive a rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// The account or organisation.
    pub owner: String,
    /// Its id, digits.
    pub owner_id: String,
    /// The repository's name without the owner.
    pub name: String,
    /// Its id, digits.
    pub id: String,
    /// Who can see it.
    pub visibility: Visibility,
}

impl Repository {
    /// `owner/name`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }
}

/// The `repository_visibility` claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Everybody.
    Public,
    /// Invited people.
    Private,
    /// Members of the enterprise.
    Internal,
}

impl Visibility {
    /// The claim's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::Internal => "internal",
        }
    }
}

/// What started the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// A push to a branch or of a tag.
    Push {
        /// `refs/heads/main` or `refs/tags/v1`.
        git_ref: String,
    },
    /// A pull request; the token's `ref` is its merge ref.
    PullRequest {
        /// Its number.
        number: u64,
        /// The branch it comes from.
        head: String,
        /// The branch it wants to change.
        base: String,
        /// Whether it comes from a fork: such runs are given no token.
        from_fork: bool,
    },
    /// Started by hand on a branch or tag.
    WorkflowDispatch {
        /// `refs/heads/main`.
        git_ref: String,
    },
}

impl Event {
    /// The `event_name` claim.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Push { .. } => "push",
            Self::PullRequest { .. } => "pull_request",
            Self::WorkflowDispatch { .. } => "workflow_dispatch",
        }
    }

    /// The `ref` claim.
    pub fn git_ref(&self) -> String {
        match self {
            Self::Push { git_ref } | Self::WorkflowDispatch { git_ref } => git_ref.clone(),
            Self::PullRequest { number, .. } => format!("refs/pull/{number}/merge"),
        }
    }
}

/// One run of one job of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Where it runs.
    pub repository: Repository,
    /// Why it runs.
    #[serde(flatten)]
    pub event: Event,
    /// The job's deployment environment. It replaces branch and pull request in
    /// the subject.
    #[serde(default)]
    pub environment: Option<String>,
    /// The workflow's display name.
    pub workflow: String,
    /// The workflow's path, `.github/workflows/publish.yml`.
    pub workflow_path: String,
    /// Who started it.
    pub actor: String,
    /// The id of the actor, digits.
    pub actor_id: String,
    /// The commit, 40 hexadecimal digits.
    pub sha: String,
    /// The run's id.
    pub run_id: u64,
    /// How often the workflow ran before, plus one.
    pub run_number: u64,
    /// 1, and one more for each re-run.
    pub run_attempt: u64,
}

impl Run {
    /// Whether GitHub gives this run a token at all: runs for the pull request
    /// of a fork get none, whatever their workflow asks for.
    pub fn gets_token(&self) -> bool {
        !matches!(
            self.event,
            Event::PullRequest {
                from_fork: true,
                ..
            }
        )
    }
}
