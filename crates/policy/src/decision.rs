//! What the engine answers, with the evidence.

use serde::Serialize;

use crate::{Effect, PolicyKind, Request, reason, sentence};

/// The three answers of IAM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Some policy allows it and none stands against it.
    Allowed,
    /// A matching Deny statement.
    ExplicitlyDenied,
    /// Nothing allows it.
    ImplicitlyDenied,
}

/// The answer to one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The answer.
    pub outcome: Outcome,
    /// The kind of policy that decided: the one that allowed, the one that
    /// denied, or the one whose Allow is missing.
    pub by: Option<PolicyKind>,
    /// Every statement that was looked at, in the order of evaluation.
    pub statements: Vec<StatementReport>,
}

impl Decision {
    /// Whether the request goes through.
    pub fn is_allowed(&self) -> bool {
        self.outcome == Outcome::Allowed
    }

    /// One plain sentence for people: the statement that decided or came
    /// nearest, and what in it did not match.
    pub fn reason(&self) -> String {
        reason::sentence(self)
    }

    /// AWS's own text for this denial (IAM User Guide, "Troubleshoot access
    /// denied error messages"). Meaningful only when the request is denied.
    pub fn denial_sentence(&self, request: &Request) -> String {
        sentence::denial(self, request)
    }
}

/// How one statement compared with the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatementReport {
    /// Kind of the policy that holds the statement.
    pub kind: PolicyKind,
    /// Name or ARN of that policy.
    pub policy: String,
    /// `Sid`, or `Statement[0]` by position.
    pub statement: String,
    /// Position in the document, from 0, which [`crate::Places`] takes.
    pub index: usize,
    /// What the statement does when it matches.
    pub effect: Effect,
    /// What did not match; empty when the statement applies.
    pub mismatches: Vec<Mismatch>,
}

/// One element of a statement that did not match the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mismatch {
    /// `Principal` or `NotPrincipal`.
    Principal {
        /// Name of the element in the statement.
        element: &'static str,
        /// The caller.
        seen: String,
        /// The listed principals.
        wanted: Vec<String>,
    },
    /// `Action` or `NotAction`.
    Action {
        /// Name of the element in the statement.
        element: &'static str,
        /// The action asked for.
        seen: String,
        /// The listed patterns.
        wanted: Vec<String>,
    },
    /// `Resource` or `NotResource`.
    Resource {
        /// Name of the element in the statement.
        element: &'static str,
        /// The resource asked for.
        seen: String,
        /// The listed patterns, with variables as written.
        wanted: Vec<String>,
    },
    /// One key under one operator of `Condition`.
    Condition {
        /// Operator as written, with prefix and suffix.
        operator: String,
        /// Condition key as written.
        key: String,
        /// Values of the request; `None` when it does not carry the key.
        seen: Option<Vec<String>>,
        /// Values of the statement, with variables as written.
        wanted: Vec<String>,
    },
}
