//! Functions of numbers.

use std::cmp::Ordering;

use hcl_edit::expr::BinaryOperator;
use serde_json::Number;

use super::take;
use crate::evaluate::MOST_ELEMENTS;
use crate::operation::{binary, compare};
use crate::value::{Evaluated, Failure, Value, failure, whole};

fn number(value: &Value) -> Result<Number, Failure> {
    match value.to_number() {
        Some(number) => Ok(number),
        None => failure(format!("a number is required, not {}", value.kind())),
    }
}

pub(super) fn abs(arguments: Vec<Value>) -> Evaluated {
    let [value] = take(arguments)?;
    let number = number(&value)?;
    if compare(&number, &Number::from(0)) == Some(Ordering::Less) {
        binary(BinaryOperator::Minus, Value::from(0), Value::Number(number))
    } else {
        Ok(Value::Number(number))
    }
}

pub(super) fn max(arguments: Vec<Value>) -> Evaluated {
    extreme(&arguments, Ordering::Greater)
}

pub(super) fn min(arguments: Vec<Value>) -> Evaluated {
    extreme(&arguments, Ordering::Less)
}

fn extreme(arguments: &[Value], wanted: Ordering) -> Evaluated {
    let mut found: Option<Number> = None;
    for argument in arguments {
        let number = number(argument)?;
        if found
            .as_ref()
            .is_none_or(|found| compare(&number, found) == Some(wanted))
        {
            found = Some(number);
        }
    }
    found.map_or_else(
        || failure("there is no number"),
        |number| Ok(Value::Number(number)),
    )
}

/// From a start (0) up to but without a limit, by a step.
pub(super) fn range(arguments: Vec<Value>) -> Evaluated {
    let mut numbers = Vec::new();
    for argument in &arguments {
        match whole(&number(argument)?) {
            Some(number) => numbers.push(number),
            None => {
                return Ok(Value::Unknown(
                    "a range of fractions is not evaluated".to_owned(),
                ));
            }
        }
    }
    let (start, limit, step) = match numbers.as_slice() {
        [limit] => (0, *limit, if *limit < 0 { -1 } else { 1 }),
        [start, limit] => (*start, *limit, if limit < start { -1 } else { 1 }),
        [start, limit, step] => (*start, *limit, *step),
        _ => return failure("one to three numbers are required"),
    };
    if step == 0 || (step > 0 && limit < start) || (step < 0 && limit > start) {
        return failure("the step does not lead from the start to the limit");
    }
    let mut items = Vec::new();
    let mut next = start;
    while (step > 0 && next < limit) || (step < 0 && next > limit) {
        if items.len() >= MOST_ELEMENTS {
            return Ok(Value::Unknown(format!("more than {MOST_ELEMENTS} numbers")));
        }
        match Number::from_i128(next) {
            Some(number) => items.push(Value::Number(number)),
            None => return Ok(Value::Unknown("the numbers are too large".to_owned())),
        }
        next += step;
    }
    Ok(Value::List(items))
}
