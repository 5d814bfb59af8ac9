//! What `longshore explain` answers.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{Fix, Location};

/// Why STS admits a caller to a role, or does not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Explanation {
    /// Whether the caller is admitted.
    pub admitted: bool,
    /// ARN of the role that was asked for.
    pub role: String,
    /// Who asks, in words.
    pub caller: String,
    /// The claims that AWS looks at, by name.
    pub claims: Vec<(String, String)>,
    /// What STS checks, in its order. The first that fails decides; those after
    /// it are shown too, because they may fail next.
    pub checks: Vec<Check>,
    /// How each statement of the trust policy compares.
    pub statements: Vec<StatementExplanation>,
    /// The smallest difference that stands in the way.
    pub nearest_miss: Option<NearestMiss>,
    /// The change that would admit the caller, if that is wanted.
    pub fix: Option<Fix>,
}

/// One step of STS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// What is checked: `provider`, `audience`, `signature`, `time`, `role`,
    /// `trust policy`.
    pub name: String,
    /// How it went.
    pub result: CheckResult,
    /// What was seen and what was wanted, one sentence.
    pub detail: String,
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckResult {
    /// As AWS wants it.
    Passed,
    /// AWS refuses here.
    Failed,
    /// It cannot be told from what was given.
    Unknown,
}

/// One statement of the trust policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StatementExplanation {
    /// Its `Sid`, or `Statement[0]` by position.
    pub statement: String,
    /// `Allow` or `Deny`.
    pub effect: String,
    /// Whether it applies to the caller.
    pub applies: bool,
    /// Every element that does not match.
    pub mismatches: Vec<ElementMismatch>,
    /// Where it stands.
    pub location: Option<Location>,
}

/// One element of a statement that does not match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ElementMismatch {
    /// `Principal`, `Action`, or `StringEquals token.actions...:sub`.
    pub element: String,
    /// The values of the caller; `None` where it carries no such key.
    pub seen: Option<Vec<String>>,
    /// The values wanted, as written.
    pub wanted: Vec<String>,
}

/// The smallest difference that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NearestMiss {
    /// The kind, such as `name-against-immutable`, for machines.
    pub kind: String,
    /// In words.
    pub sentence: String,
    /// The value the caller has.
    pub seen: Option<String>,
    /// The value that comes nearest.
    pub wanted: Option<String>,
    /// The statement it stands in.
    pub statement: String,
    /// Where.
    pub location: Option<Location>,
}
