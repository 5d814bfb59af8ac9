//! Statements and subjects that let nobody in.

use policy::keys::{Presence, at_web_identity_of};
use policy::language::{Clause, Pattern, Undecided};
use policy::{Condition, Family, Statement};

use super::Mint;
use super::ask::Ask;
use super::caller::Callers;
use super::text::SUBJECT;
use super::trust::{Door, Trust};

/// Something in an Allow statement that lets nobody in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vacancy {
    /// `Sid`, or `Statement[0]` by position.
    pub(crate) statement: String,
    pub(crate) why: VacantWhy,
}

/// Why nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum VacantWhy {
    /// The statement's conditions contradict each other.
    Nobody,
    /// No run has this subject.
    NeverMinted(String),
}

/// What lets nobody in, statement by statement.
pub(super) fn vacant(mint: &Mint, trust: &Trust) -> Result<Vec<Vacancy>, Undecided> {
    let mut vacant = Vec::new();
    for door in &trust.doors {
        for allow in &door.admission.statements {
            let statement = &trust.document.statements[allow.index];
            let never = never_minted(mint, trust, door, statement)?;
            let mut found: Vec<VacantWhy> = never.into_iter().map(VacantWhy::NeverMinted).collect();
            if found.is_empty()
                && !explained_elsewhere(statement, door)
                && !admits_anyone(mint, trust, door, allow.callers.as_ref())?
            {
                found.push(VacantWhy::Nobody);
            }
            vacant.extend(found.into_iter().map(|why| Vacancy {
                statement: allow.label.clone(),
                why,
            }));
        }
    }
    vacant.dedup();
    Ok(vacant)
}

fn admits_anyone(
    mint: &Mint,
    trust: &Trust,
    door: &Door,
    callers: Option<&policy::admission::CallerSet>,
) -> Result<bool, Undecided> {
    let Some(set) = callers else {
        return Ok(false);
    };
    let anyone = Clause::none_of([]);
    for known in door.callers.iter().filter(|known| known.set == *set) {
        if known.has_found(&anyone)? {
            return Ok(true);
        }
    }
    let issuer = door.role.issuer();
    // The provider's audiences are another matter.
    let Some(callers) = Callers::new(set.clone(), issuer, None, &trust.budget)? else {
        return Ok(false);
    };
    let ask = Ask {
        mint,
        callers: &[&callers],
        budget: &trust.budget,
    };
    Ok(ask.find(|_| true, &[])?.is_some())
}

/// A key that is never filled, or a star that is taken literally, is what is
/// wrong, and rules of their own say so.
fn explained_elsewhere(statement: &Statement, door: &Door) -> bool {
    statement.conditions.iter().any(|condition| {
        at_web_identity_of(door.role.issuer(), &condition.key) == Presence::Never
            || condition
                .values
                .iter()
                .any(|value| is_literal_star(condition, value))
    })
}

fn is_literal_star(condition: &Condition, value: &str) -> bool {
    let exact = matches!(
        condition.operator.comparison.family,
        Family::StringEquals { .. }
    );
    exact && value.contains(['*', '?'])
}

/// The wanted subjects that no run has.
fn never_minted(
    mint: &Mint,
    trust: &Trust,
    door: &Door,
    statement: &Statement,
) -> Result<Vec<String>, Undecided> {
    let key = format!("{}:sub", door.role.issuer());
    let everyone = policy::admission::CallerSet::everyone();
    let Some(everyone) = Callers::new(everyone, door.role.issuer(), None, &trust.budget)? else {
        return Ok(Vec::new());
    };
    let ask = Ask {
        mint,
        callers: &[&everyone],
        budget: &trust.budget,
    };
    let mut never = Vec::new();
    let on_subject = |condition: &&Condition| {
        condition.key.eq_ignore_ascii_case(&key) && !condition.operator.comparison.negated
    };
    for condition in statement.conditions.iter().filter(on_subject) {
        for value in &condition.values {
            let Some(pattern) = pattern(condition, value) else {
                continue;
            };
            let subject = Clause::any_of([pattern]);
            if !has_found(door, &subject)? && ask.find(|_| true, &[(SUBJECT, subject)])?.is_none() {
                never.push(value.clone());
            }
        }
    }
    Ok(never)
}

/// Whether the questions before this one have come upon such a subject.
fn has_found(door: &Door, subject: &Clause) -> Result<bool, Undecided> {
    for callers in &door.callers {
        if callers.has_found(subject)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a wanted subject matches; `None` for what other rules look at.
fn pattern(condition: &Condition, value: &str) -> Option<Pattern> {
    if value.contains("${") || is_literal_star(condition, value) {
        return None;
    }
    match condition.operator.comparison.family {
        Family::StringEquals { ignore_case: false } => Some(Pattern::literal(value)),
        Family::StringEquals { ignore_case: true } => Pattern::ignoring_case(value),
        Family::StringLike => Some(Pattern::wildcards(value)),
        _ => None,
    }
}
