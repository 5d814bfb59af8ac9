//! Who may do what: every caller that was tried against every role that GitHub's
//! runs can assume.

use schemars::JsonSchema;
use serde::Serialize;

use crate::Location;

/// The roles that GitHub's runs can assume, each with every caller that was tried.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Matrix {
    /// The repository whose runs were tried, `owner/name`.
    pub repository: Option<String>,
    /// The roles, in the order of their ARNs.
    pub roles: Vec<RoleAccess>,
    /// What keeps the matrix from being whole, one sentence each.
    pub unknowns: Vec<String>,
}

/// One role and what each caller may do by it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RoleAccess {
    /// Its ARN; the Terraform address where the ARN is not known.
    pub role: String,
    /// Where its block begins.
    pub location: Option<Location>,
    /// What findings about this role may name as their subject: Terraform
    /// addresses, and the jobs that ask for it.
    pub subjects: Vec<String>,
    /// ARNs of the ECR repositories that push, pull and delete were tried on.
    pub ecr_repositories: Vec<String>,
    /// The callers: those that are meant to get in first.
    pub callers: Vec<CallerAccess>,
    /// Why nothing can be told of this role, if nothing can.
    pub unknown: Option<String>,
}

/// One caller with one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CallerAccess {
    /// The kind of run, in words.
    pub caller: String,
    /// The jobs that start such a run and ask for the role.
    pub jobs: Vec<String>,
    /// The `sub` claim of its token, or the one it would have.
    pub subject: String,
    /// The form of that subject: `immutable` or `name`.
    pub form: String,
    /// Whether it should get in.
    pub standing: Standing,
    /// Whether it may assume the role.
    pub assume: Access,
    /// What it may do then: once for all repositories with the same answers; nothing
    /// where it does not get in.
    pub sessions: Vec<SessionAccess>,
}

/// What the session of an admitted caller may do with some repositories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SessionAccess {
    /// ARNs of the repositories; none where none is known. The reasons speak of the first.
    pub repositories: Vec<String>,
    /// All that a push takes.
    pub push: Access,
    /// All that a pull takes.
    pub pull: Access,
    /// Deleting images, or the repository.
    pub delete: Access,
}

impl SessionAccess {
    /// Push, pull and delete, without their reasons.
    pub fn answers(&self) -> [Answer; 3] {
        [&self.push, &self.pull, &self.delete].map(|access| access.answer)
    }
}

/// Whether a caller should get in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// A job asks for the role in such a run.
    Intended,
    /// No job is known that needs it, and it is the repository's own main branch.
    Unclear,
    /// It should be refused.
    Intruder,
}

/// An answer with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Access {
    /// The answer.
    pub answer: Answer,
    /// Why, in one sentence.
    pub reason: String,
}

/// Whether something is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It is not.
    No,
    /// The files do not decide it.
    Unknown,
    /// It is.
    Yes,
}
