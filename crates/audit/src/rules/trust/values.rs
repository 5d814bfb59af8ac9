//! Values of conditions: what they match, and how a subject is taken apart.

use policy::{Condition, Family, Quantifier};

/// Whether a value with wildcards matches a text: `*` any run, `?` one character.
/// Takes at most as many steps as the product of both lengths.
pub(in crate::rules) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut seen) = (0, 0);
    // The last star, and how far its run reaches.
    let mut star: Option<(usize, usize)> = None;
    while let Some(char) = text.get(seen) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || wanted == char => {
                at += 1;
                seen += 1;
            }
            _ => match &mut star {
                Some((position, reach)) => {
                    *reach += 1;
                    at = *position + 1;
                    seen = *reach;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == '*')
}

/// Whether a value has a wildcard.
pub(in crate::rules) fn has_wildcard(value: &str) -> bool {
    value.contains(['*', '?'])
}

/// Whether a value is nothing but wildcards.
pub(super) fn only_wildcards(value: &str) -> bool {
    value.contains('*') && value.chars().all(|char| matches!(char, '*' | '?'))
}

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

/// A subject as a trust policy writes it: `repo:OWNER/NAME:CONTEXT`, each part
/// as written, wildcards included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SubjectPattern<'v> {
    pub(super) owner: &'v str,
    pub(super) owner_id: Option<&'v str>,
    pub(super) name: &'v str,
    pub(super) name_id: Option<&'v str>,
    /// What follows the repository, without its colon.
    pub(super) context: &'v str,
}

impl<'v> SubjectPattern<'v> {
    /// Takes a value apart; `None` for subjects of another template.
    pub(super) fn read(value: &'v str) -> Option<Self> {
        let rest = value.strip_prefix("repo:")?;
        let (repository, context) = rest.split_once(':').unwrap_or((rest, ""));
        let (owner, name) = repository.split_once('/')?;
        let (owner, owner_id) = with_id(owner);
        let (name, name_id) = with_id(name);
        Some(Self {
            owner,
            owner_id,
            name,
            name_id,
            context,
        })
    }

    /// Whether it can only match the form without ids.
    pub(super) fn is_name_form(&self) -> bool {
        // A star behind the owner's name reaches over `@ID` as well.
        self.owner_id.is_none() && !has_wildcard(self.owner)
    }

    /// Whether it can match the form with ids.
    pub(super) fn is_immutable_form(&self) -> bool {
        self.owner_id.is_some() || has_wildcard(self.owner)
    }
}

fn with_id(part: &str) -> (&str, Option<&str>) {
    match part.split_once('@') {
        Some((name, id)) => (name, Some(id)),
        None => (part, None),
    }
}
