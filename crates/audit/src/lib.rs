//! Joins workflows, Terraform and policies: what is wrong with them together,
//! why a caller is refused, and who exactly can get in.
//!
//! Values in, values out: it reads no file, calls nothing and knows no clock.
//! The shapes it answers in are those of `receipts`.

mod diff;
pub mod explain;
mod filter;
mod findings;
mod jobs;
mod matrix;
mod permissions;
mod prove;
mod reading;
mod rule;
mod rules;
mod setup;
mod subject;
mod suppress;
pub mod usage;
mod wildcards;
pub mod zizmor;

use receipts::{Finding, RoleProof};

pub use matrix::matrix;
use permissions::Inventory;
use prove::Telling;
pub use prove::{Trust, examples, prove_trust};
pub use rule::Rule;
pub use setup::{OwnRepository, Setup, TerraformRoot, TextFile, UnreadableRoot, WorkflowFile};
pub use suppress::{Suppression, suppress};

/// Everything that the rules find, worst first.
pub fn check(setup: &Setup) -> Vec<Finding> {
    let jobs = jobs::identity_jobs(setup);
    let proved = prove::proved(setup, &jobs, Telling::Findings);
    rules::check((setup, &Inventory::of(setup)), &jobs, &proved)
}

/// The findings, with who can assume each role that an issuer of GitHub leads
/// to. The rules need most of the proofs in any case, so they are made once.
pub fn check_and_prove(setup: &Setup) -> (Vec<Finding>, Vec<RoleProof>) {
    let jobs = jobs::identity_jobs(setup);
    let proved = prove::proved(setup, &jobs, Telling::Everyone);
    let inventory = Inventory::of(setup);
    let findings = rules::check((setup, &inventory), &jobs, &proved);
    let proofs = proved
        .into_iter()
        .map(|proved| proved.into_receipt(setup, &inventory));
    (findings, proofs.collect())
}
