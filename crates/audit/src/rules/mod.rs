//! The rules, one file per topic. Each takes the whole setup and adds findings.

use crate::Setup;
use crate::findings::Findings;

/// All topics, in the order of the documentation.
pub(crate) const ALL: &[fn(&Setup, &mut Findings)] = &[];
