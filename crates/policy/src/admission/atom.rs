//! Conditions that are looked at as a whole.

use crate::language::Undecided;
use crate::{Condition, Context, Version, condition};

/// Why a condition is not taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AtomKind {
    /// It is about the request, not about who sends it: its address or the time.
    Request,
    /// What it says of the token is not known.
    Unknown,
}

/// A condition that holds or does not hold, whatever the other keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Atom {
    /// Why it is not taken apart.
    pub kind: AtomKind,
    /// Whether it must hold, or must not.
    pub holds: bool,
    pub(super) condition: Condition,
    pub(super) version: Version,
}

impl Atom {
    /// `` `IpAddress` on `aws:SourceIp` holds for `10.0.0.0/8` ``.
    pub fn words(&self) -> String {
        let mut values: Vec<String> = self
            .condition
            .values
            .iter()
            .map(|value| format!("`{value}`"))
            .collect();
        values.sort();
        format!(
            "`{}` on `{}` {} for {}",
            self.condition.operator_name,
            self.condition.key,
            if self.holds { "holds" } else { "does not hold" },
            values.join(" or ")
        )
    }

    /// The condition key, as written.
    pub fn key(&self) -> &str {
        &self.condition.key
    }

    pub(super) fn contains(&self, context: &Context) -> Result<bool, Undecided> {
        Ok(condition::holds(&self.condition, self.version, context) == self.holds)
    }

    /// Whether both look at the same condition.
    pub(super) fn same_condition(&self, other: &Self) -> bool {
        self.condition == other.condition && self.version == other.version
    }
}
