//! String patterns as languages: which texts match, and whether any does.
//!
//! A [`Pattern`] is a sequence of characters and wildcards, a [`Union`] matches
//! what one of its patterns matches, a [`Clause`] is a union or its complement,
//! and a [`Language`] holds what all of its clauses hold. Emptiness is decided,
//! not sampled: [`search`] walks the deterministic automaton of all clauses at
//! once, breadth first, and so also finds a shortest member.
//!
//! A [`Script`] ties texts together: several texts that are written at the same
//! time, from literals and from variables that they share.
//!
//! Time and memory have named bounds. Past one of them the answer is
//! [`Undecided`], never a wrong one.

mod alphabet;
mod clause;
mod machine;
mod pattern;
mod script;
mod search;

pub use alphabet::Alphabet;
pub(crate) use pattern::WithoutEmpty;

pub use clause::{Clause, Language, Union};
pub use machine::MAXIMUM_POSITIONS;
pub use pattern::{Characters, Pattern, Repeat, Token};
pub use script::{Script, Step, Writing};
pub use search::{Budget, Demand, MAXIMUM_STATES, search};

/// A bound was reached before there was an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undecided {
    /// More states of the automata than the bound.
    #[error("the patterns have more than {0} states together")]
    States(usize),
    /// More positions kept for all states of one union than the bound.
    #[error("the states of one list of patterns hold more than {0} positions")]
    Positions(usize),
    /// More separate sets of callers than the bound.
    #[error("the statements split the callers into more than {0} sets")]
    Sets(usize),
}
