//! Patterns put together: any of them, none of them, and all such demands.

use std::cell::RefCell;
use std::rc::Rc;

use super::machine::Machine;
use super::{Alphabet, Budget, Demand, Pattern, Script, Step, Undecided, Writing, search};

/// What one of several patterns matches. Its automaton is built when it is first
/// needed and grows with the texts that are looked at; copies share it.
#[derive(Debug, Clone)]
pub struct Union {
    patterns: Rc<[Pattern]>,
    pub(super) machine: Rc<RefCell<Option<Machine>>>,
}

impl Union {
    /// The union of `patterns`, in a canonical order.
    pub fn new(patterns: impl IntoIterator<Item = Pattern>) -> Self {
        let mut patterns: Vec<Pattern> = patterns.into_iter().collect();
        patterns.sort();
        patterns.dedup();
        Self {
            patterns: patterns.into(),
            machine: Rc::default(),
        }
    }

    /// The patterns, sorted.
    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }
}

impl PartialEq for Union {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.patterns, &other.patterns) || self.patterns == other.patterns
    }
}

impl Eq for Union {}

/// A union, or everything that it does not match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// The union.
    pub union: Union,
    /// Whether the texts are those outside of it.
    pub negated: bool,
}

impl Clause {
    /// The texts that one of the patterns matches.
    pub fn any_of(patterns: impl IntoIterator<Item = Pattern>) -> Self {
        Self {
            union: Union::new(patterns),
            negated: false,
        }
    }

    /// The texts that none of the patterns matches.
    pub fn none_of(patterns: impl IntoIterator<Item = Pattern>) -> Self {
        Self {
            negated: true,
            ..Self::any_of(patterns)
        }
    }

    /// The other texts.
    #[must_use]
    pub fn complement(&self) -> Self {
        Self {
            union: self.union.clone(),
            negated: !self.negated,
        }
    }

    /// Whether `text` belongs to it.
    pub fn contains(&self, text: &str) -> Result<bool, Undecided> {
        Ok(Machine::with(&self.union, |machine| machine.matches(text))? != self.negated)
    }
}

/// The texts that belong to every clause; without clauses every text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Language {
    clauses: Vec<Clause>,
}

impl Language {
    /// Every text.
    pub fn all() -> Self {
        Self::default()
    }

    /// Adds a demand. Complements are put together into one, because the texts
    /// outside of each are those outside of their union.
    #[must_use]
    pub fn and(mut self, clause: Clause) -> Self {
        if self.clauses.contains(&clause) {
            return self;
        }
        let same = self.clauses.iter_mut().find(|known| known.negated);
        match same {
            Some(known) if clause.negated => {
                let both = known.union.patterns.iter().chain(clause.union.patterns());
                known.union = Union::new(both.cloned());
            }
            _ => self.clauses.push(clause),
        }
        self
    }

    /// The demands.
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    /// Whether `text` belongs to it.
    pub fn contains(&self, text: &str) -> Result<bool, Undecided> {
        for clause in &self.clauses {
            if !clause.contains(text)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A shortest text of the language that is made of `alphabet`; `None` if
    /// there is none.
    pub fn shortest(
        &self,
        alphabet: Alphabet,
        budget: &Budget,
    ) -> Result<Option<String>, Undecided> {
        let script = Script::new(vec![Step::Variable {
            alphabet,
            writes: vec![(0, Writing::Plain)],
        }]);
        let demands: Vec<Demand> = self.clauses.iter().map(|clause| (0, clause)).collect();
        let found = search(&script, &demands, budget)?;
        Ok(found.and_then(|values| values.into_iter().next()))
    }
}
