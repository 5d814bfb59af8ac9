//! The rules, one file per topic. Each takes the whole setup and adds findings.

mod admitted;
mod permissions;
mod pull_requests;
mod registry;
mod spots;
mod stored_keys;
#[cfg(test)]
pub(crate) mod testing;
mod trust;
mod unknown;
mod workflow;

use crate::Setup;
use crate::findings::Findings;
use crate::jobs::IdentityJob;
use crate::permissions::Inventory;
use crate::prove::Proved;

/// What the topics find that need no proofs.
pub(crate) fn without_proofs(
    (setup, inventory): (&Setup, &Inventory<'_>),
    jobs: &[IdentityJob<'_>],
) -> Findings {
    let mut findings = Findings::default();
    trust::check(setup, jobs, &mut findings);
    workflow::check(setup, &mut findings);
    permissions::check(setup, inventory, &mut findings);
    registry::check(setup, &mut findings);
    unknown::check(setup, &mut findings);
    stored_keys::check(setup, &mut findings);
    findings
}

/// Adds what the others find.
pub(crate) fn with_proofs(
    (setup, inventory): (&Setup, &Inventory<'_>),
    jobs: &[IdentityJob<'_>],
    proved: &[Proved<'_>],
    findings: &mut Findings,
) {
    admitted::check(setup, jobs, proved, findings);
    pull_requests::check((setup, inventory), proved, findings);
}
