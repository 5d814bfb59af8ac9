//! What `longshore check` found.

use schemars::JsonSchema;
use serde::Serialize;

/// The findings of one check, and what was proved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckReport {
    /// Whether nothing was found at or above the severity that fails a check.
    pub passed: bool,
    /// What was found, worst first, then by place.
    pub findings: Vec<Finding>,
    /// What was found and suppressed, with the reason that was given.
    pub suppressed: Vec<Suppressed>,
    /// One proof for each role that GitHub's identity provider can assume;
    /// empty unless asked for.
    pub proofs: Vec<RoleProof>,
    /// What was not looked at, and why: a tool that is missing, a file that
    /// cannot be read.
    pub skipped: Vec<String>,
}

/// How much a finding matters. The names are those of SARIF and of GitHub's
/// annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Weaker than it should be.
    Warning,
    /// Lets someone in, or keeps out who should come in.
    Error,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// The stable id, such as `trust-admits-pull-requests`; those of zizmor
    /// begin with `zizmor/`.
    pub rule: String,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong here, one sentence with the names in it.
    pub message: String,
    /// What it is about: a Terraform address, or `workflow.yml#job`.
    pub subject: String,
    /// Where; `None` where it is about something that is nowhere.
    pub location: Option<Location>,
    /// What to change.
    pub fix: Option<Fix>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Location {
    /// The file, relative to the repository, with `/`.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// What to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fix {
    /// In words, one sentence.
    pub summary: String,
    /// As a unified diff of the file, where that is known.
    pub diff: Option<String>,
}

/// A finding that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Suppressed {
    /// What was found.
    pub finding: Finding,
    /// Why it was accepted.
    pub reason: String,
    /// The last day on which it is accepted, `2027-01-31`.
    pub expires: String,
}

/// Who can assume one role, and what they could do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RoleProof {
    /// ARN of the role.
    pub role: String,
    /// Where its block begins.
    pub location: Option<Location>,
    /// Everyone who is admitted, one sentence each; nobody else is.
    pub admitted: Vec<String>,
    /// Admitted, and not intended by any workflow: one example each.
    pub excess: Vec<Example>,
    /// Jobs that use the role and would be refused.
    pub refused: Vec<Example>,
    /// Permissions that a publish needs and no admitted caller has.
    pub missing_permissions: Vec<String>,
    /// Permissions that an admitted caller has and a publish does not need.
    pub excess_permissions: Vec<String>,
    /// What keeps this from being a proof: values that are not known, or a
    /// bound that was reached. Empty for a proof.
    pub prevented_by: Vec<String>,
}

/// A caller, as the token it would carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Example {
    /// Who it is, in words.
    pub caller: String,
    /// The claims of its token that AWS looks at, by name.
    pub claims: Vec<(String, String)>,
}
