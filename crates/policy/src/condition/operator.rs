//! The names of condition operators.

use std::cmp::Ordering;

/// A condition operator, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator {
    /// `ForAllValues:` or `ForAnyValue:`.
    pub quantifier: Option<Quantifier>,
    /// What is compared.
    pub comparison: Comparison,
    /// `...IfExists`.
    pub if_exists: bool,
}

/// How many of the request's values must satisfy the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// Every one; true when there is none.
    ForAllValues,
    /// At least one; false when there is none.
    ForAnyValue,
}

/// A family of operators, perhaps negated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    /// What is compared.
    pub family: Family,
    /// `...Not...`: none of the policy's values may match.
    pub negated: bool,
}

/// The comparisons that operators are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Exact text.
    StringEquals {
        /// `...IgnoreCase`.
        ignore_case: bool,
    },
    /// Text with wildcards.
    StringLike,
    /// Integers and decimals.
    Numeric(Order),
    /// Moments.
    Date(Order),
    /// `true` or `false`.
    Bool,
    /// Bytes in base64.
    Binary,
    /// Addresses in networks.
    IpAddress,
    /// ARNs part by part; `ArnEquals` and `ArnLike` are the same.
    Arn,
    /// Whether the key is absent.
    Null,
}

/// An order between the request's value (left) and the policy's (right).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Equal.
    Equals,
    /// Less.
    LessThan,
    /// Less or equal.
    LessThanEquals,
    /// Greater.
    GreaterThan,
    /// Greater or equal.
    GreaterThanEquals,
}

impl Order {
    pub(super) fn admits(self, ordering: Ordering) -> bool {
        match self {
            Self::Equals => ordering.is_eq(),
            Self::LessThan => ordering.is_lt(),
            Self::LessThanEquals => ordering.is_le(),
            Self::GreaterThan => ordering.is_gt(),
            Self::GreaterThanEquals => ordering.is_ge(),
        }
    }
}

impl Operator {
    /// Reads an operator name; its case does not matter (inferred). `Null` takes
    /// no `IfExists` (documented) and no quantifier (inferred).
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        let (quantifier, rest) = if let Some(rest) = lower.strip_prefix("forallvalues:") {
            (Some(Quantifier::ForAllValues), rest)
        } else if let Some(rest) = lower.strip_prefix("foranyvalue:") {
            (Some(Quantifier::ForAnyValue), rest)
        } else {
            (None, lower.as_str())
        };
        let (base, if_exists) = match rest.strip_suffix("ifexists") {
            Some(base) => (base, true),
            None => (rest, false),
        };
        let (family, negated) = family(base)?;
        if family == Family::Null && (if_exists || quantifier.is_some()) {
            return None;
        }
        Some(Self {
            quantifier,
            comparison: Comparison { family, negated },
            if_exists,
        })
    }
}

fn family(name: &str) -> Option<(Family, bool)> {
    if let Some(order) = name.strip_prefix("numeric") {
        let (order, negated) = order_by_name(order)?;
        return Some((Family::Numeric(order), negated));
    }
    if let Some(order) = name.strip_prefix("date") {
        let (order, negated) = order_by_name(order)?;
        return Some((Family::Date(order), negated));
    }
    let exact = Family::StringEquals { ignore_case: false };
    let ignoring_case = Family::StringEquals { ignore_case: true };
    Some(match name {
        "stringequals" => (exact, false),
        "stringnotequals" => (exact, true),
        "stringequalsignorecase" => (ignoring_case, false),
        "stringnotequalsignorecase" => (ignoring_case, true),
        "stringlike" => (Family::StringLike, false),
        "stringnotlike" => (Family::StringLike, true),
        "bool" => (Family::Bool, false),
        "binaryequals" => (Family::Binary, false),
        "ipaddress" => (Family::IpAddress, false),
        "notipaddress" => (Family::IpAddress, true),
        "arnequals" | "arnlike" => (Family::Arn, false),
        "arnnotequals" | "arnnotlike" => (Family::Arn, true),
        "null" => (Family::Null, false),
        _ => return None,
    })
}

fn order_by_name(name: &str) -> Option<(Order, bool)> {
    Some(match name {
        "equals" => (Order::Equals, false),
        "notequals" => (Order::Equals, true),
        "lessthan" => (Order::LessThan, false),
        "lessthanequals" => (Order::LessThanEquals, false),
        "greaterthan" => (Order::GreaterThan, false),
        "greaterthanequals" => (Order::GreaterThanEquals, false),
        _ => return None,
    })
}
