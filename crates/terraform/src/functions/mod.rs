//! Terraform's functions: a table from name to function. A name that is not in
//! the table is a function that is not evaluated, and gives an unknown.
//!
//! `try` and `can` are not here: they decide whether their arguments are
//! evaluated at all (`expression.rs`).

mod collections;
mod conversions;
mod encoding;
pub(crate) use encoding::escaped;
mod format;
mod numbers;
mod strings;

use crate::value::{Evaluated, Value, failure};

/// A function of Terraform.
#[derive(Clone, Copy)]
struct Function {
    /// The least and the most number of arguments.
    arity: (usize, usize),
    /// Whether it works with elements that are unknown inside of its arguments.
    tolerant: bool,
    run: fn(Vec<Value>) -> Evaluated,
}

const ANY: usize = usize::MAX;

/// A function that needs to know its arguments in full.
const fn strict(least: usize, most: usize, run: fn(Vec<Value>) -> Evaluated) -> Function {
    Function {
        arity: (least, most),
        tolerant: false,
        run,
    }
}

/// A function that moves elements around without looking at them.
const fn tolerant(least: usize, most: usize, run: fn(Vec<Value>) -> Evaluated) -> Function {
    Function {
        arity: (least, most),
        tolerant: true,
        run,
    }
}

/// Calls a function by name.
pub(crate) fn call(name: &str, arguments: Vec<Value>) -> Evaluated {
    let Some(function) = find(name) else {
        return Ok(Value::Unknown(format!(
            "the function {name} is not evaluated"
        )));
    };
    let (least, most) = function.arity;
    if arguments.len() < least || arguments.len() > most {
        return failure(format!(
            "{name} is called with {} arguments",
            arguments.len()
        ));
    }
    for argument in &arguments {
        let reason = match argument {
            Value::Unknown(reason) => Some(reason.as_str()),
            _ if function.tolerant => None,
            other => other.unknown_reason(),
        };
        if let Some(reason) = reason {
            return Ok(Value::Unknown(reason.to_owned()));
        }
    }
    (function.run)(arguments).map_err(|cause| crate::value::Failure(format!("{name}: {cause}")))
}

fn find(name: &str) -> Option<Function> {
    TABLE
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, function)| *function)
}

const TABLE: &[(&str, Function)] = &[
    ("abs", strict(1, 1, numbers::abs)),
    ("alltrue", strict(1, 1, collections::all_true)),
    ("anytrue", strict(1, 1, collections::any_true)),
    ("coalesce", strict(1, ANY, collections::coalesce)),
    ("compact", strict(1, 1, collections::compact)),
    ("concat", tolerant(1, ANY, collections::concat)),
    ("contains", strict(2, 2, collections::contains)),
    ("distinct", strict(1, 1, collections::distinct)),
    ("element", tolerant(2, 2, collections::element)),
    ("endswith", strict(2, 2, strings::ends_with)),
    ("flatten", strict(1, 1, collections::flatten)),
    ("format", strict(1, ANY, format::format)),
    ("join", strict(2, 2, strings::join)),
    ("jsondecode", strict(1, 1, encoding::json_decode)),
    ("jsonencode", strict(1, 1, encoding::json_encode)),
    ("keys", tolerant(1, 1, collections::keys)),
    ("length", tolerant(1, 1, collections::length)),
    ("lookup", tolerant(2, 3, collections::lookup)),
    ("lower", strict(1, 1, strings::lower)),
    ("max", strict(1, ANY, numbers::max)),
    ("merge", tolerant(1, ANY, collections::merge)),
    ("min", strict(1, ANY, numbers::min)),
    ("nonsensitive", tolerant(1, 1, conversions::unchanged)),
    ("one", tolerant(1, 1, collections::one)),
    ("range", strict(1, 3, numbers::range)),
    ("replace", strict(3, 3, strings::replace)),
    ("sensitive", tolerant(1, 1, conversions::unchanged)),
    ("sort", strict(1, 1, collections::sort)),
    ("split", strict(2, 2, strings::split)),
    ("startswith", strict(2, 2, strings::starts_with)),
    ("strcontains", strict(2, 2, strings::contains)),
    ("tobool", strict(1, 1, conversions::to_bool)),
    ("tolist", tolerant(1, 1, conversions::to_list)),
    ("tomap", tolerant(1, 1, conversions::to_map)),
    ("tonumber", strict(1, 1, conversions::to_number)),
    ("toset", strict(1, 1, conversions::to_set)),
    ("tostring", strict(1, 1, conversions::to_string)),
    ("trimprefix", strict(2, 2, strings::trim_prefix)),
    ("trimspace", strict(1, 1, strings::trim_space)),
    ("trimsuffix", strict(2, 2, strings::trim_suffix)),
    ("upper", strict(1, 1, strings::upper)),
    ("values", tolerant(1, 1, collections::values)),
    ("zipmap", tolerant(2, 2, collections::zipmap)),
];

/// The arguments as an array: `call` has checked their number.
fn take<const N: usize>(arguments: Vec<Value>) -> Result<[Value; N], crate::value::Failure> {
    <[Value; N]>::try_from(arguments)
        .or_else(|arguments| failure(format!("{} arguments instead of {N}", arguments.len())))
}

/// A text argument.
fn text(value: &Value) -> Result<String, crate::value::Failure> {
    match value.to_text() {
        Some(text) => Ok(text),
        None => failure(format!("a string is required, not {}", value.kind())),
    }
}

/// A list argument.
fn list(value: Value) -> Result<Vec<Value>, crate::value::Failure> {
    match value {
        Value::List(items) => Ok(items),
        other => failure(format!("a list is required, not {}", other.kind())),
    }
}

#[cfg(test)]
mod tests;
