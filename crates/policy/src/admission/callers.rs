//! One set of callers: a demand on each key, all independent.

use std::collections::BTreeMap;

use super::atom::{Atom, AtomKind};
use super::condition_set::ConditionSet;
use super::key_set::KeySet;
use crate::Context;
use crate::language::Undecided;

/// The callers whose keys all have one of the wanted values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerSet {
    keys: BTreeMap<String, KeySet>,
    atoms: Vec<Atom>,
}

impl CallerSet {
    /// Every caller.
    pub fn everyone() -> Self {
        Self {
            keys: BTreeMap::new(),
            atoms: Vec::new(),
        }
    }

    /// What each key may be, by its name in lower case. A key that is not here
    /// may be anything.
    pub fn keys(&self) -> &BTreeMap<String, KeySet> {
        &self.keys
    }

    /// The conditions that were not taken apart.
    pub fn atoms(&self) -> &[Atom] {
        &self.atoms
    }

    /// Whether the set may be larger than who is admitted, because what a
    /// condition says of the token is not known.
    pub fn is_uncertain(&self) -> bool {
        self.atoms.iter().any(|atom| atom.kind == AtomKind::Unknown)
    }

    /// The same callers by these keys only, and without atoms.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        let keys = self.keys.iter().filter(|(key, _)| keep(key));
        Self {
            keys: keys.map(|(key, set)| (key.clone(), set.clone())).collect(),
            atoms: Vec::new(),
        }
    }

    /// Whether a request with these keys is in the set.
    pub fn contains(&self, context: &Context) -> Result<bool, Undecided> {
        for (key, set) in &self.keys {
            if !set.contains(context.get(key))? {
                return Ok(false);
            }
        }
        for atom in &self.atoms {
            if !atom.contains(context)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Those for whom the condition holds too; `None` where that is nobody on
    /// the face of it.
    pub(super) fn and(mut self, condition: &ConditionSet) -> Option<Self> {
        match condition {
            ConditionSet::Fixed(holds) => return holds.then_some(self),
            ConditionSet::Key(key, set) => {
                let known = self.keys.get(key);
                let both = known.map_or_else(|| set.clone(), |known| known.and(set));
                if !both.absent && both.present.is_none() {
                    return None;
                }
                self.keys.insert(key.clone(), both);
            }
            ConditionSet::Atom(atom) => {
                match self.atoms.iter().find(|known| known.same_condition(atom)) {
                    Some(known) if known.holds != atom.holds => return None,
                    Some(_) => {}
                    None => self.atoms.push(atom.clone()),
                }
            }
        }
        Some(self)
    }

    pub(super) fn and_all(self, conditions: &[ConditionSet]) -> Option<Self> {
        conditions.iter().try_fold(self, Self::and)
    }

    /// Whether one of the keys that `conditions` look at can have no value.
    pub(super) fn is_plainly_empty_by(&self, conditions: &[ConditionSet]) -> bool {
        conditions.iter().any(|condition| match condition {
            ConditionSet::Key(key, _) => self.keys.get(key).is_some_and(KeySet::is_plainly_empty),
            ConditionSet::Fixed(_) | ConditionSet::Atom(_) => false,
        })
    }

    /// The set as conditions that hold together.
    pub(super) fn conditions(&self) -> Vec<ConditionSet> {
        let keys = self.keys.iter();
        keys.map(|(key, set)| ConditionSet::Key(key.clone(), set.clone()))
            .chain(self.atoms.iter().cloned().map(ConditionSet::Atom))
            .collect()
    }
}
