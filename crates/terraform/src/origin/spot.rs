//! A spot of a file, and how another text is written there.

use std::ops::Range;
use std::path::PathBuf;

use super::{Form, Written};
use crate::place::{Place, SourceText};

/// A spot in a file of the configuration: what to point at, and what to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The file, as in [`Place::file`].
    pub file: PathBuf,
    /// The bytes of the file's text, see [`crate::Root::text`].
    pub range: Range<usize>,
    /// Line of the beginning, from 1.
    pub line: usize,
    /// Column of the beginning in characters, from 1.
    pub column: usize,
    /// What is written there.
    pub text: String,
    /// Whether the value stands there as itself. Otherwise this is the nearest
    /// spot that is known: an expression that gives the value, or what holds it.
    pub literal: bool,
    form: Form,
}

impl Spot {
    /// How a text is written in the place of this one; `None` where the spot is
    /// not literal.
    pub fn replaced_by(&self, text: &str) -> Option<String> {
        if !self.literal {
            return None;
        }
        let json = serde_json::Value::from(text).to_string();
        match self.form {
            Form::Computed => None,
            Form::Identifier if is_identifier(text) => Some(text.to_owned()),
            // A number or a bool stays one.
            Form::Terraform if !self.text.starts_with('"') && is_bare(text) => {
                Some(text.to_owned())
            }
            Form::Terraform | Form::Identifier => Some(in_template(&quoted(text))),
            Form::Json => Some(json),
            Form::JsonInTemplate => Some(in_template(&json)),
            Form::JsonInString => {
                let quoted = quoted(&json);
                let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
                Some(in_template(inner))
            }
        }
    }

    /// Where it begins.
    pub fn place(&self) -> Place {
        Place {
            file: self.file.clone(),
            line: self.line,
            column: self.column,
        }
    }

    /// The same spot, of which only is known that the value comes from there.
    pub(super) fn nearest(mut self) -> Self {
        self.literal = false;
        self
    }
}

impl Written {
    pub(super) fn spot(&self) -> Spot {
        let Place { file, line, column } = self.place();
        let text = self.source.text().get(self.range.clone());
        Spot {
            file,
            range: self.range.clone(),
            line,
            column,
            text: text.unwrap_or_default().to_owned(),
            literal: self.form != Form::Computed,
            form: self.form,
        }
    }

    pub(super) fn place(&self) -> Place {
        SourceText::place(&self.source, Some(self.range.clone()))
    }
}

/// A string of the language, with everything escaped but `${`.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

fn in_template(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

/// Whether a text is written without quotes: a whole number or a bool.
fn is_bare(text: &str) -> bool {
    matches!(text, "true" | "false")
        || !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_identifier(text: &str) -> bool {
    text.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_')
        && text
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-'))
}
