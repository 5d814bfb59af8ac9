//! Functions of texts.

use super::{list, take, text};
use crate::evaluate::bounded_text;
use crate::value::{Evaluated, Failure, Value};

fn texts<const N: usize>(arguments: Vec<Value>) -> Result<[String; N], Failure> {
    let mut texts = [const { String::new() }; N];
    for (place, argument) in texts.iter_mut().zip(take::<N>(arguments)?) {
        *place = text(&argument)?;
    }
    Ok(texts)
}

pub(super) fn lower(arguments: Vec<Value>) -> Evaluated {
    cased(arguments, str::to_ascii_lowercase)
}

pub(super) fn upper(arguments: Vec<Value>) -> Evaluated {
    cased(arguments, str::to_ascii_uppercase)
}

/// Beyond ASCII, Go and Rust change the case of some letters differently.
fn cased(arguments: Vec<Value>, change: fn(&str) -> String) -> Evaluated {
    let [text] = texts(arguments)?;
    if !text.is_ascii() {
        return Ok(Value::Unknown(
            "the case of letters beyond ASCII is not evaluated".to_owned(),
        ));
    }
    Ok(change(&text).into())
}

pub(super) fn trim_space(arguments: Vec<Value>) -> Evaluated {
    let [text] = texts(arguments)?;
    Ok(text.trim().into())
}

pub(super) fn trim_prefix(arguments: Vec<Value>) -> Evaluated {
    let [text, prefix] = texts(arguments)?;
    Ok(text.strip_prefix(&prefix).unwrap_or(&text).into())
}

pub(super) fn trim_suffix(arguments: Vec<Value>) -> Evaluated {
    let [text, suffix] = texts(arguments)?;
    Ok(text.strip_suffix(&suffix).unwrap_or(&text).into())
}

pub(super) fn starts_with(arguments: Vec<Value>) -> Evaluated {
    let [text, prefix] = texts(arguments)?;
    Ok(text.starts_with(&prefix).into())
}

pub(super) fn ends_with(arguments: Vec<Value>) -> Evaluated {
    let [text, suffix] = texts(arguments)?;
    Ok(text.ends_with(&suffix).into())
}

pub(super) fn contains(arguments: Vec<Value>) -> Evaluated {
    let [text, part] = texts(arguments)?;
    Ok(text.contains(&part).into())
}

pub(super) fn split(arguments: Vec<Value>) -> Evaluated {
    let [separator, text] = texts(arguments)?;
    let parts: Vec<Value> = if separator.is_empty() {
        text.chars()
            .map(|character| character.to_string().into())
            .collect()
    } else {
        text.split(&separator).map(Value::from).collect()
    };
    Ok(Value::List(parts))
}

pub(super) fn join(arguments: Vec<Value>) -> Evaluated {
    let [separator, items] = take(arguments)?;
    let separator = text(&separator)?;
    let parts = list(items)?
        .iter()
        .map(text)
        .collect::<Result<Vec<String>, Failure>>()?;
    let length = parts
        .iter()
        .map(|part| part.len().saturating_add(separator.len()));
    bounded_text(length.fold(0, usize::saturating_add), || {
        parts.join(&separator)
    })
}

/// A pattern between slashes is a regular expression, which is not evaluated.
pub(super) fn replace(arguments: Vec<Value>) -> Evaluated {
    let [text, pattern, replacement] = texts(arguments)?;
    if pattern.len() > 1 && pattern.starts_with('/') && pattern.ends_with('/') {
        return Ok(Value::Unknown(
            "replacing by a regular expression is not evaluated".to_owned(),
        ));
    }
    let length = text
        .matches(&pattern)
        .count()
        .saturating_mul(replacement.len());
    bounded_text(length.saturating_add(text.len()), || {
        text.replace(&pattern, &replacement)
    })
}
