//! Operators: arithmetic, comparison, equality, logic.

use std::cmp::Ordering;

use hcl_edit::expr::{BinaryOperator, UnaryOperator};
use serde_json::Number;

use crate::value::{Evaluated, Failure, Value, failure, whole};

/// `-x` and `!x`.
pub(crate) fn unary(operator: UnaryOperator, value: Value) -> Evaluated {
    if matches!(value, Value::Unknown(_)) {
        return Ok(value);
    }
    match operator {
        UnaryOperator::Not => match value.to_bool() {
            Some(value) => Ok(Value::Bool(!value)),
            None => failure(format!("a bool is required, not {}", value.kind())),
        },
        UnaryOperator::Neg => binary(BinaryOperator::Minus, Value::from(0), value),
    }
}

/// `x op y`.
pub(crate) fn binary(operator: BinaryOperator, left: Value, right: Value) -> Evaluated {
    match operator {
        BinaryOperator::Eq => Ok(equal(&left, &right)),
        BinaryOperator::NotEq => unary(UnaryOperator::Not, equal(&left, &right)),
        BinaryOperator::And => logic(&left, &right, false),
        BinaryOperator::Or => logic(&left, &right, true),
        _ => match (left, right) {
            (unknown @ Value::Unknown(_), _) | (_, unknown @ Value::Unknown(_)) => Ok(unknown),
            (left, right) => numeric(operator, &number(&left)?, &number(&right)?),
        },
    }
}

/// Whether two values are equal. Collections that hold the same are only maybe
/// equal: Terraform tells a list from a tuple, and here they are one.
pub(crate) fn equal(left: &Value, right: &Value) -> Value {
    match (left, right) {
        (Value::Unknown(reason), _) | (_, Value::Unknown(reason)) => Value::Unknown(reason.clone()),
        (Value::List(_) | Value::Object(_), Value::List(_) | Value::Object(_)) => {
            if let Some(reason) = left.unknown_reason().or_else(|| right.unknown_reason()) {
                Value::Unknown(reason.to_owned())
            } else if left == right {
                Value::Unknown(
                    "collections that look equal differ for Terraform if their types do".to_owned(),
                )
            } else {
                Value::Bool(false)
            }
        }
        (Value::Number(left), Value::Number(right)) => {
            Value::Bool(compare(left, right) == Some(Ordering::Equal))
        }
        _ => Value::Bool(left == right),
    }
}

fn number(value: &Value) -> Result<Number, Failure> {
    match value.to_number() {
        Some(number) => Ok(number),
        None => failure(format!("a number is required, not {}", value.kind())),
    }
}

/// `&&` and `||`: `decisive` is the operand that settles the result alone.
fn logic(left: &Value, right: &Value, decisive: bool) -> Evaluated {
    let mut unknown = None;
    let mut settled = false;
    for operand in [left, right] {
        match operand {
            Value::Unknown(_) => unknown = Some(operand.clone()),
            known => match known.to_bool() {
                Some(value) => settled |= value == decisive,
                None => return failure(format!("a bool is required, not {}", known.kind())),
            },
        }
    }
    if settled {
        return Ok(Value::Bool(decisive));
    }
    Ok(unknown.unwrap_or(Value::Bool(!decisive)))
}

/// Compares two numbers; `None` if they cannot be (never for finite ones).
pub(crate) fn compare(left: &Number, right: &Number) -> Option<Ordering> {
    match (whole(left), whole(right)) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

fn numeric(operator: BinaryOperator, left: &Number, right: &Number) -> Evaluated {
    let comparison = match operator {
        BinaryOperator::Less => Some(Ordering::is_lt as fn(Ordering) -> bool),
        BinaryOperator::LessEq => Some(Ordering::is_le as fn(Ordering) -> bool),
        BinaryOperator::Greater => Some(Ordering::is_gt as fn(Ordering) -> bool),
        BinaryOperator::GreaterEq => Some(Ordering::is_ge as fn(Ordering) -> bool),
        _ => None,
    };
    if let Some(comparison) = comparison {
        return match compare(left, right) {
            Some(ordering) => Ok(Value::Bool(comparison(ordering))),
            None => failure("the numbers cannot be compared"),
        };
    }
    match (whole(left), whole(right)) {
        (Some(left), Some(right)) => arithmetic(operator, left, right),
        // Terraform computes fractions with 512 bits: a float would print
        // other digits.
        _ => Ok(Value::Unknown(
            "arithmetic with fractions is not evaluated".to_owned(),
        )),
    }
}

fn arithmetic(operator: BinaryOperator, left: i128, right: i128) -> Evaluated {
    if right == 0 && matches!(operator, BinaryOperator::Div | BinaryOperator::Mod) {
        return failure("division by zero");
    }
    let result = match operator {
        BinaryOperator::Plus => left.checked_add(right),
        BinaryOperator::Minus => left.checked_sub(right),
        BinaryOperator::Mul => left.checked_mul(right),
        BinaryOperator::Mod => left.checked_rem(right),
        BinaryOperator::Div if left % right == 0 => left.checked_div(right),
        BinaryOperator::Div => return Ok(quotient(left, right)),
        _ => None,
    };
    let number = result.and_then(Number::from_i128);
    Ok(number.map_or_else(
        || Value::Unknown("the number is too large to evaluate".to_owned()),
        Value::Number,
    ))
}

/// A quotient with few digits is exact as a float; any other is not evaluated.
fn quotient(left: i128, right: i128) -> Value {
    let unknown = || Value::Unknown("the quotient is not evaluated: it has many digits".to_owned());
    let Some(thousandfold) = left.checked_mul(1000) else {
        return unknown();
    };
    if thousandfold % right != 0 || (thousandfold / right).abs() > 1_000_000_000_000 {
        return unknown();
    }
    let scaled = thousandfold / right;
    let (sign, scaled) = if scaled < 0 {
        ("-", -scaled)
    } else {
        ("", scaled)
    };
    let text = format!("{sign}{}.{:03}", scaled / 1000, scaled % 1000);
    serde_json::from_str::<Number>(&text).map_or_else(|_| unknown(), Value::number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_is_exact_or_unknown() {
        let divide = |left: usize, right: usize| {
            binary(BinaryOperator::Div, Value::from(left), Value::from(right))
        };
        assert_eq!(divide(10, 5), Ok(Value::from(2)));
        assert_eq!(
            divide(10, 4).map(|value| value.to_text()),
            Ok(Some("2.5".to_owned()))
        );
        assert!(matches!(divide(10, 3), Ok(Value::Unknown(_))));
        assert!(divide(1, 0).is_err());
    }

    #[test]
    fn logic_is_settled_by_one_operand_even_if_the_other_is_unknown() {
        let unknown = Value::Unknown("later".to_owned());
        let and = binary(BinaryOperator::And, unknown.clone(), Value::Bool(false));
        assert_eq!(and, Ok(Value::Bool(false)));
        let or = binary(BinaryOperator::Or, Value::Bool(true), unknown.clone());
        assert_eq!(or, Ok(Value::Bool(true)));
        assert_eq!(
            binary(BinaryOperator::And, unknown.clone(), Value::Bool(true)),
            Ok(unknown)
        );
    }

    #[test]
    fn equality_does_not_convert_and_does_not_claim_that_collections_are_equal() {
        assert_eq!(
            equal(&Value::from("1"), &Value::from(1)),
            Value::Bool(false)
        );
        assert_eq!(equal(&Value::Null, &Value::Null), Value::Bool(true));
        let list = Value::List(vec![Value::from(1)]);
        assert!(matches!(equal(&list, &list), Value::Unknown(_)));
        assert_eq!(equal(&list, &Value::List(Vec::new())), Value::Bool(false));
    }
}
