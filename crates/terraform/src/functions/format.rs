//! `format`: the verbs that configurations use. Others are not evaluated.

use super::text;
use crate::evaluate::{LONGEST_TEXT, bounded_text};
use crate::value::{Evaluated, Value, failure, whole};

pub(super) fn format(arguments: Vec<Value>) -> Evaluated {
    let mut arguments = arguments.into_iter();
    let pattern = match arguments.next() {
        Some(pattern) => text(&pattern)?,
        None => return failure("a format is required"),
    };
    let mut formatted = String::new();
    let mut rest = pattern.as_str();
    while let Some((before, after)) = rest.split_once('%') {
        formatted.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            formatted.push('%');
            rest = after;
            continue;
        }
        let verb = after.trim_start_matches(|character: char| character.is_ascii_digit());
        let width = &after[..after.len() - verb.len()];
        let mut characters = verb.chars();
        let Some(letter) = characters.next() else {
            return failure("a verb is missing after %");
        };
        let Some(argument) = arguments.next() else {
            return failure("there are more verbs than arguments");
        };
        match formatted_argument(letter, width, &argument)? {
            Value::String(piece) => formatted.push_str(&piece),
            unknown => return Ok(unknown),
        }
        if formatted.len() > LONGEST_TEXT {
            return bounded_text(formatted.len(), String::new);
        }
        rest = characters.as_str();
    }
    formatted.push_str(rest);
    if arguments.next().is_some() {
        return failure("there are more arguments than verbs");
    }
    Ok(Value::String(formatted))
}

/// One argument by its verb; `width` is the digits between `%` and the verb.
fn formatted_argument(verb: char, width: &str, argument: &Value) -> Evaluated {
    let not_evaluated = || Value::Unknown(format!("format's %{width}{verb} is not evaluated"));
    let primitive = argument.to_text();
    match (verb, width, primitive) {
        ('s' | 'v', "", Some(text)) => Ok(text.into()),
        ('d', width, Some(_)) => {
            let Some(number) = argument.to_number().as_ref().and_then(whole) else {
                return failure(format!(
                    "%d requires a whole number, not {}",
                    argument.kind()
                ));
            };
            let digits = width.trim_start_matches('0');
            let places = if digits.is_empty() {
                0
            } else {
                digits.parse().unwrap_or(usize::MAX)
            };
            if places > 64 {
                return Ok(not_evaluated());
            }
            Ok(Value::String(if width.starts_with('0') {
                format!("{number:0places$}")
            } else {
                format!("{number:places$}")
            }))
        }
        ('q', "", Some(text)) if text.chars().all(|character| matches!(character, ' '..='~')) => {
            Ok(serde_json::to_string(&text).map_or_else(|_| not_evaluated(), Value::String))
        }
        _ => Ok(not_evaluated()),
    }
}
