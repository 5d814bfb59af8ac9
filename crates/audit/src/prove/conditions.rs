//! What a set asks of its callers besides the subject, in words.

use github::SubjectForm;
use policy::admission::{AtomKind, KeySet};
use policy::language::{Alphabet, Budget, Clause, Language, Pattern, Undecided};

use super::caller::Callers;
use super::shape::Kind;

/// How many values of a key are listed.
const LISTED: usize = 4;

/// `, where .. and ..`, or nothing.
pub(super) fn words(
    callers: &Callers,
    kind: Option<Kind>,
    form: SubjectForm,
    budget: &Budget,
) -> Result<String, Undecided> {
    let mut words = Vec::new();
    for (key, set) in callers.set.keys() {
        let claim = callers.claim_of(key);
        // These are in the sentence already, or are the provider's business.
        let said = match claim {
            Some("sub" | "repository" | "environment" | "aud" | "oaud") => true,
            Some("repository_id" | "repository_owner_id") => form == SubjectForm::Immutable,
            Some("ref") => matches!(kind, Some(Kind::Branch | Kind::Tag | Kind::PullRequest)),
            _ => false,
        };
        if !said && let Some(demand) = demand(set, budget)? {
            words.push(format!("`{}` {demand}", claim.unwrap_or(key)));
        }
    }
    let atoms = callers.set.atoms().iter();
    words.extend(
        atoms
            .filter(|atom| atom.kind == AtomKind::Request)
            .map(policy::admission::Atom::words),
    );
    words.sort();
    Ok(if words.is_empty() {
        String::new()
    } else {
        format!(", where {}", words.join(" and "))
    })
}

fn demand(set: &KeySet, budget: &Budget) -> Result<Option<String>, Undecided> {
    let Some(language) = &set.present else {
        return Ok(Some("is absent".to_owned()));
    };
    if language.clauses().is_empty() {
        return Ok((!set.absent).then(|| "is there".to_owned()));
    }
    let or_absent = if set.absent { "is absent or " } else { "" };
    let values = match few(language, budget)? {
        Some(values) => format!("is {}", quoted(&values)),
        None => matches(language),
    };
    Ok(Some(format!("{or_absent}{values}")))
}

/// All texts of the language, where they are few.
fn few(language: &Language, budget: &Budget) -> Result<Option<Vec<String>>, Undecided> {
    let mut values: Vec<String> = Vec::new();
    loop {
        let others = Clause::none_of(values.iter().map(|value| Pattern::literal(value)));
        let rest = language.clone().and(others);
        let Some(value) = rest.shortest(Alphabet::Any, budget)? else {
            values.sort();
            return Ok(Some(values));
        };
        if values.len() == LISTED {
            return Ok(None);
        }
        values.push(value);
    }
}

fn matches(language: &Language) -> String {
    let clauses = language.clauses().iter();
    let mut words: Vec<String> = clauses
        .map(|clause| {
            let patterns = clause.union.patterns().iter().map(ToString::to_string);
            let patterns = quoted(&patterns.collect::<Vec<_>>());
            let not = if clause.negated {
                "does not match"
            } else {
                "matches"
            };
            format!("{not} {patterns}")
        })
        .collect();
    words.sort();
    words.join(" and ")
}

fn quoted(values: &[String]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
    quoted.join(" or ")
}
