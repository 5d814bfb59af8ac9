//! The record of a rehearsal: every caller, and what became of it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{BuildReceipt, Problem, PublishReceipt};

/// What `longshore rehearse` saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RehearsalReceipt {
    /// Whether the publisher got through and nobody else did.
    pub passed: bool,
    /// The workflow that was rehearsed.
    pub workflow: String,
    /// The job of it that has the identity.
    pub job: String,
    /// The role that the workflow assumes.
    pub role: String,
    /// The images, by name.
    pub images: BTreeMap<String, RehearsedImage>,
    /// Why the publish failed.
    pub problem: Option<Problem>,
    /// The publisher in both subject forms, then everyone who must be refused.
    pub attempts: Vec<Attempt>,
    /// Values of the Terraform root that could not be known, and are therefore
    /// not part of the rehearsal.
    pub unknowns: Vec<String>,
}

/// One image of a rehearsal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RehearsedImage {
    /// The build.
    pub build: BuildReceipt,
    /// The publish; `None` where it failed, for whichever image.
    pub publish: Option<PublishReceipt>,
}

/// One caller's attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Attempt {
    /// The kind of caller.
    pub caller: String,
    /// The subject in its token, or the one it would have.
    pub subject: String,
    /// Whether AWS let it have the role.
    pub may_assume: bool,
    /// Whether it could push; `None` where it had no role to push with.
    pub may_push: Option<bool>,
    /// Why, in one sentence.
    pub reason: String,
    /// Whether that is as it should be.
    pub verdict: Verdict,
}

/// Whether an attempt ended as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// In or out, as intended.
    AsIntended,
    /// Let in, and should not be.
    GotIn,
    /// Kept out, and should not be.
    KeptOut,
}
