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
pub mod parallel;
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
    check_and(setup, Telling::Findings, |_, _| ()).0
}

/// The findings, with who can assume each role that an issuer of GitHub leads
/// to. The rules need most of the proofs in any case, so they are made once.
pub fn check_and_prove(setup: &Setup) -> (Vec<Finding>, Vec<RoleProof>) {
    check_and(setup, Telling::Everyone, |proved, inventory| {
        let proofs = proved
            .into_iter()
            .map(|proved| proved.into_receipt(setup, inventory));
        proofs.collect()
    })
}

/// The findings, and what is made of the proofs. The rules that need no proofs
/// look while the proofs are made.
fn check_and<T>(
    setup: &Setup,
    telling: Telling,
    then: impl FnOnce(Vec<prove::Proved<'_>>, &Inventory<'_>) -> T,
) -> (Vec<Finding>, T) {
    let jobs = jobs::identity_jobs(setup);
    let inventory = Inventory::of(setup);
    let (proved, mut findings) = std::thread::scope(|scope| {
        let rest = scope.spawn(|| rules::without_proofs((setup, &inventory), &jobs));
        let proved = prove::proved(setup, &jobs, telling);
        match rest.join() {
            Ok(findings) => (proved, findings),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    rules::with_proofs((setup, &inventory), &jobs, &proved, &mut findings);
    (findings.sorted(), then(proved, &inventory))
}
