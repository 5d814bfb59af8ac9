//! Condition operators: which exist, and when one holds.
//!
//! Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and
//! "Set operators for multivalued context keys". One file per family compares
//! one request value with one policy value; everything about missing keys,
//! negation, quantifiers and `IfExists` is here.

mod binary;
mod boolean;
mod date;
mod ip;
mod null;
mod numeric;
mod operator;
mod string;

#[cfg(test)]
mod tests;

pub use operator::{Comparison, Family, Operator, Order, Quantifier};

use crate::matching::{Expanded, arn_matches, expand};
use crate::{Condition, Context, Version};

/// Whether one condition holds for a request.
pub(crate) fn holds(condition: &Condition, version: Version, context: &Context) -> bool {
    let seen = context
        .get(&condition.key)
        .filter(|values| !values.is_empty());
    let Operator {
        quantifier,
        comparison,
        if_exists,
    } = condition.operator;
    if comparison.family == Family::Null {
        // An empty text is no value here: AWS recommends `Null` beside
        // `ForAllValues` against "context keys with empty values".
        let absent = seen.is_none_or(|values| values.iter().all(String::is_empty));
        return null::holds(absent, &condition.values);
    }
    let wanted = wanted_values(condition, version, context);
    let value_holds = |value: &String| {
        let found = wanted
            .iter()
            .any(|wanted| equals_or_orders(comparison.family, value, wanted));
        found != comparison.negated
    };
    match (quantifier, seen) {
        // An absent key satisfies `ForAllValues`; AWS counts an empty text as no
        // value here.
        (Some(Quantifier::ForAllValues), seen) => seen
            .unwrap_or_default()
            .iter()
            .filter(|value| !value.is_empty())
            .all(value_holds),
        (_, None) if if_exists => true,
        (Some(Quantifier::ForAnyValue), seen) => seen.unwrap_or_default().iter().any(value_holds),
        (None, None) => comparison.negated,
        // Without a quantifier AWS expects one value. What it does with many is
        // undocumented; inferred: any may match, and for negated ones none may.
        (None, Some(values)) if comparison.negated => values.iter().all(value_holds),
        (None, Some(values)) => values.iter().any(value_holds),
    }
}

/// The policy's values with variables put in. One that cannot be resolved is
/// left out: it matches nothing, hence satisfies a negated operator. Only the
/// string and ARN families have variables.
fn wanted_values(condition: &Condition, version: Version, context: &Context) -> Vec<Expanded> {
    let version = match condition.operator.comparison.family {
        Family::StringEquals { .. } | Family::StringLike | Family::Arn => version,
        _ => Version::V2008,
    };
    condition
        .values
        .iter()
        .filter_map(|value| expand(value, version, context))
        .collect()
}

fn equals_or_orders(family: Family, seen: &str, wanted: &Expanded) -> bool {
    match family {
        Family::StringEquals { ignore_case } => string::equals(seen, &wanted.text, ignore_case),
        Family::StringLike => wanted.pattern.matches(seen),
        Family::Numeric(order) => numeric::compares(order, seen, &wanted.text),
        Family::Date(order) => date::compares(order, seen, &wanted.text),
        Family::Bool => boolean::equals(seen, &wanted.text),
        Family::Binary => binary::equals(seen, &wanted.text),
        Family::IpAddress => ip::contains(seen, &wanted.text),
        Family::Arn => arn_matches(&wanted.pattern, seen),
        // Answered before any value is compared.
        Family::Null => false,
    }
}
