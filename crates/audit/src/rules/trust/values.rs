//! Conditions and their values.

use policy::{Condition, Family, Quantifier};

use crate::subject::Subject;
use crate::wildcards::{matches, only_wildcards};

/// Whether a condition compares texts and holds only for those that match.
pub(in crate::rules) fn is_positive(condition: &Condition) -> bool {
    let comparison = condition.operator.comparison;
    is_of_texts(condition) && !comparison.negated
}

/// Whether a condition compares texts.
pub(super) fn is_of_texts(condition: &Condition) -> bool {
    matches!(
        condition.operator.comparison.family,
        Family::StringEquals { .. } | Family::StringLike | Family::Arn
    )
}

/// Whether wildcards are wildcards to a condition.
pub(super) fn takes_wildcards(condition: &Condition) -> bool {
    matches!(
        condition.operator.comparison.family,
        Family::StringLike | Family::Arn
    )
}

/// Whether one of the condition's values admits a text.
pub(super) fn admits(condition: &Condition, text: &str) -> bool {
    condition.values.iter().any(|value| {
        if takes_wildcards(condition) {
            matches(value, text)
        } else if ignores_case(condition) {
            value.eq_ignore_ascii_case(text)
        } else {
            value == text
        }
    })
}

/// Whether letter case does not matter to a condition.
pub(super) fn ignores_case(condition: &Condition) -> bool {
    condition.operator.comparison.family == Family::StringEquals { ignore_case: true }
}

/// Whether a condition on a key that is always there limits who gets in.
pub(super) fn binds(condition: &Condition) -> bool {
    is_positive(condition)
        && !condition.values.is_empty()
        && !(takes_wildcards(condition)
            && condition.values.iter().any(|value| only_wildcards(value)))
}

/// Whether a condition holds where its key is absent.
pub(super) fn holds_without_key(condition: &Condition) -> bool {
    let operator = condition.operator;
    match operator.comparison.family {
        Family::Null => condition
            .values
            .iter()
            .any(|value| value.eq_ignore_ascii_case("true")),
        _ if operator.quantifier == Some(Quantifier::ForAllValues) || operator.if_exists => true,
        _ => operator.comparison.negated && operator.quantifier.is_none(),
    }
}

/// A value of `:sub` taken apart; `None` for subjects of another template, and
/// for one with a host, which no subject has.
pub(super) fn subject(value: &str) -> Option<Subject<'_>> {
    Subject::parse(value).filter(|subject| subject.host.is_none())
}
