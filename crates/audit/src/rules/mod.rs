//! The rules, one file per topic. Each takes the whole setup and adds findings.

mod admitted;
mod permissions;
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

/// All topics, in the order of the documentation.
pub(crate) const ALL: &[fn(&Setup, &mut Findings)] = &[
    trust::check,
    admitted::check,
    workflow::check,
    permissions::check,
    registry::check,
    unknown::check,
    stored_keys::check,
];
