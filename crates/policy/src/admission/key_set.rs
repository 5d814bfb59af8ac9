//! The values that one condition key may have.

use crate::language::{Alphabet, Budget, Clause, Language, Undecided};

/// The values that a key may have, and whether it may be absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySet {
    /// Whether the key may be absent.
    pub absent: bool,
    /// The values it may have; `None` where it may not be there.
    pub present: Option<Language>,
}

impl KeySet {
    /// Absent, or there with any value.
    pub fn anything() -> Self {
        Self {
            absent: true,
            present: Some(Language::all()),
        }
    }

    /// Present with a value of this clause, and absent if so said.
    pub(super) fn of(absent: bool, present: Clause) -> Self {
        Self {
            absent,
            present: Some(Language::all().and(present)),
        }
    }

    /// What both allow.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let present = match (&self.present, &other.present) {
            (Some(one), Some(other)) => {
                let clauses = other.clauses().iter().cloned();
                Some(clauses.fold(one.clone(), Language::and))
            }
            _ => None,
        };
        Self {
            absent: self.absent && other.absent,
            present,
        }
    }

    /// What this leaves out, as a union.
    pub(super) fn complement(&self) -> Vec<Self> {
        let with = |present| Self {
            absent: !self.absent,
            present,
        };
        match &self.present {
            None => vec![with(Some(Language::all()))],
            Some(language) if language.clauses().is_empty() => vec![with(None)],
            Some(language) => language
                .clauses()
                .iter()
                .map(|clause| with(Some(Language::all().and(clause.complement()))))
                .collect(),
        }
    }

    /// Whether a key with these values is in the set.
    pub fn contains(&self, values: Option<&[String]>) -> Result<bool, Undecided> {
        match (values, &self.present) {
            (None | Some([]), _) => Ok(self.absent),
            (Some([value]), Some(language)) => language.contains(value),
            (Some(_), _) => Ok(false),
        }
    }

    /// Whether no key can be in the set, as far as that is told with little work.
    pub(super) fn is_plainly_empty(&self) -> bool {
        /// Enough for the lists of values that people write by hand.
        const STATES: usize = 4_000;
        !self.absent
            && self.present.as_ref().is_none_or(|language| {
                language.shortest(Alphabet::Any, &Budget::new(STATES)) == Ok(None)
            })
    }
}
