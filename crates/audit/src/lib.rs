//! Joins workflows, Terraform and policies: what is wrong with them together,
//! why a caller is refused, and who exactly can get in.
//!
//! Values in, values out: it reads no file, calls nothing and knows no clock.
//! The shapes it answers in are those of `receipts`.

mod diff;
pub mod explain;
mod findings;
mod jobs;
mod matrix;
mod permissions;
mod prove;
mod reading;
mod rule;
mod rules;
mod setup;
mod suppress;
pub mod zizmor;

use receipts::Finding;

pub use matrix::matrix;
pub use prove::{Trust, examples, prove, prove_trust};
pub use rule::Rule;
pub use setup::{OwnRepository, Setup, TerraformRoot, TextFile, WorkflowFile};
pub use suppress::{Suppression, suppress};

/// Everything that the rules find, worst first.
pub fn check(setup: &Setup) -> Vec<Finding> {
    let mut findings = findings::Findings::default();
    for rules in rules::ALL {
        rules(setup, &mut findings);
    }
    findings.sorted()
}
