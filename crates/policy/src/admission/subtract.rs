//! Callers less other callers.

use super::callers::CallerSet;
use super::condition_set::ConditionSet;
use crate::language::Undecided;

/// How many sets of callers a policy may be split into.
pub const MAXIMUM_SETS: usize = 1_024;

/// The callers for whom not all of `denial` holds. Where one of several
/// conditions fails is left open, so that the parts may overlap.
pub(super) fn without(
    callers: Vec<CallerSet>,
    denial: &[ConditionSet],
) -> Result<Vec<CallerSet>, Undecided> {
    let mut left: Vec<CallerSet> = Vec::new();
    for set in callers {
        if !touches(&set, denial) {
            left.push(set);
            continue;
        }
        for fails in denial.iter().flat_map(ConditionSet::complement) {
            let fails = std::slice::from_ref(&fails);
            let part = set.clone().and_all(fails);
            if let Some(part) = part
                && !part.is_plainly_empty_by(fails)
                && !left.contains(&part)
            {
                left.push(part);
            }
        }
        if left.len() > MAXIMUM_SETS {
            return Err(Undecided::Sets(MAXIMUM_SETS));
        }
    }
    Ok(left)
}

/// Everyone who is in none of the sets.
pub fn everyone_but(sets: &[CallerSet]) -> Result<Vec<CallerSet>, Undecided> {
    sets.iter()
        .try_fold(vec![CallerSet::everyone()], |left, set| {
            without(left, &set.conditions())
        })
}

/// Whether a caller of the set could be denied, as far as that is told with
/// little work.
fn touches(set: &CallerSet, denial: &[ConditionSet]) -> bool {
    set.clone()
        .and_all(denial)
        .is_some_and(|both| !both.is_plainly_empty_by(denial))
}
