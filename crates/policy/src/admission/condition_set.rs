//! One condition as the set of requests for which it holds.

use super::atom::{Atom, AtomKind};
use super::ground::Ground;
use super::key_set::KeySet;
use super::patterns::{Matched, pattern};
use crate::condition::{self, Family, Quantifier};
use crate::language::{Clause, Language, Pattern, WithoutEmpty};
use crate::matching::expand;
use crate::{Condition, Version};

/// The requests for which a condition holds.
#[derive(Debug, Clone)]
pub(super) enum ConditionSet {
    /// All of them, or none.
    Fixed(bool),
    /// Those with such a value of the key, whose name is in lower case.
    Key(String, KeySet),
    /// Those for which a condition holds, or does not.
    Atom(Atom),
}

impl ConditionSet {
    pub(super) fn of(condition: &Condition, version: Version, ground: &Ground) -> Self {
        let atom = |kind| {
            Self::Atom(Atom {
                kind,
                holds: true,
                condition: condition.clone(),
                version,
            })
        };
        let known = |value: &String| ground.fixes_variables(value, version);
        if !condition.values.iter().all(known) {
            return atom(AtomKind::Unknown);
        }
        if ground.fixes(&condition.key) {
            return Self::Fixed(condition::holds(condition, version, &ground.constants));
        }
        if let Some(set) = key_set(condition, version, ground) {
            return Self::Key(condition.key.to_ascii_lowercase(), set);
        }
        atom(if ground.is_claim(&condition.key) {
            AtomKind::Unknown
        } else {
            AtomKind::Request
        })
    }

    /// The other requests, as a union.
    pub(super) fn complement(&self) -> Vec<Self> {
        match self {
            Self::Fixed(holds) => vec![Self::Fixed(!holds)],
            Self::Key(key, set) => {
                let sets = set.complement().into_iter();
                sets.map(|set| Self::Key(key.clone(), set)).collect()
            }
            Self::Atom(atom) => vec![Self::Atom(Atom {
                holds: !atom.holds,
                ..atom.clone()
            })],
        }
    }
}

/// The values for which the condition holds, by the rules of
/// [`condition::holds`]; `None` where that is no language.
fn key_set(condition: &Condition, version: Version, ground: &Ground) -> Option<KeySet> {
    let operator = condition.operator;
    let negated = operator.comparison.negated;
    if operator.comparison.family == Family::Null {
        return Some(null(condition, version, ground));
    }
    let patterns = patterns(condition, version, ground)?;
    let clause = |patterns| Clause {
        negated,
        ..Clause::any_of(patterns)
    };
    Some(match operator.quantifier {
        Some(Quantifier::ForAllValues) => KeySet::of(true, clause(or_empty(patterns, negated)?)),
        Some(Quantifier::ForAnyValue) => KeySet::of(operator.if_exists, clause(patterns)),
        None => KeySet::of(operator.if_exists || negated, clause(patterns)),
    })
}

/// `Null` takes an empty text for no value. Which of absent, empty and filled it
/// wants is asked of the evaluation itself.
fn null(condition: &Condition, version: Version, ground: &Ground) -> KeySet {
    let holds = |value: Option<&str>| {
        let mut context = ground.constants.clone();
        if let Some(value) = value {
            context.insert(&condition.key, value);
        }
        condition::holds(condition, version, &context)
    };
    let empty = || [Pattern::default()];
    let present = match (holds(Some("")), holds(Some("x"))) {
        (true, true) => Some(Language::all()),
        (true, false) => Some(Language::all().and(Clause::any_of(empty()))),
        (false, true) => Some(Language::all().and(Clause::none_of(empty()))),
        (false, false) => None,
    };
    KeySet {
        absent: holds(None),
        present,
    }
}

/// The patterns of the values. A value whose variable cannot be resolved matches
/// nothing.
fn patterns(condition: &Condition, version: Version, ground: &Ground) -> Option<Vec<Pattern>> {
    let family = condition.operator.comparison.family;
    let version = match family {
        Family::StringEquals { .. } | Family::StringLike | Family::Arn => version,
        _ => Version::V2008,
    };
    let mut patterns = Vec::new();
    for value in &condition.values {
        if let Some(expanded) = expand(value, version, &ground.constants) {
            match pattern(family, &expanded) {
                Matched::Nothing => {}
                Matched::Pattern(pattern) => patterns.push(pattern),
                Matched::Unsayable => return None,
            }
        }
    }
    Some(patterns)
}

/// Under `ForAllValues` an empty text counts as no value and so always holds:
/// it is added to what must match, or taken out of what must not.
fn or_empty(patterns: Vec<Pattern>, negated: bool) -> Option<Vec<Pattern>> {
    if !negated {
        let empty = std::iter::once(Pattern::default());
        return Some(patterns.into_iter().chain(empty).collect());
    }
    let mut without = Vec::new();
    for pattern in patterns {
        match pattern.without_empty() {
            WithoutEmpty::Nothing => {}
            WithoutEmpty::Pattern(pattern) => without.push(pattern),
            WithoutEmpty::Unsayable => return None,
        }
    }
    Some(without)
}
