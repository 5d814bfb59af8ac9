//! Why a text is not a policy document.

use super::{Place, Step, place::path_text};

/// Why a text is not a policy document, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct ParseError {
    /// Where in the text.
    pub place: Place,
    /// Where in the document; empty for its top, and where it is not JSON.
    pub path: Vec<Step>,
    /// What is wrong there.
    pub fault: Fault,
}

/// What is wrong with a part of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The text is not JSON, or JSON with a repeated key; in words.
    Json(String),
    /// The policy language has no element of this name.
    UnknownElement,
    /// A required element is absent: its name or names.
    MissingElement(&'static str),
    /// Two elements that exclude each other: their names.
    BothElements(&'static str, &'static str),
    /// A value of the wrong JSON type.
    WrongType {
        /// Types that are accepted.
        wanted: &'static str,
        /// Type that is there.
        found: &'static str,
    },
    /// A text outside the accepted ones.
    WrongValue {
        /// Value that is there.
        value: String,
        /// Values that are accepted.
        wanted: &'static str,
    },
    /// A list or object that must not be empty.
    Empty,
    /// IAM has no condition operator of this name.
    UnknownOperator,
}

/// A fault before its path is known.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) place: Place,
    pub(super) fault: Fault,
}

impl Failure {
    pub(super) fn at(self, path: Vec<Step>) -> ParseError {
        ParseError {
            place: self.place,
            path,
            fault: self.fault,
        }
    }
}

impl ParseError {
    fn sentence(&self) -> String {
        let Place { line, column, .. } = self.place;
        if let Fault::Json(problem) = &self.fault {
            return format!("read policy as JSON at line {line}, column {column}: {problem}");
        }
        let what = self.fault.of(&path_text(&self.path));
        format!("understand policy: {what} (line {line}, column {column})")
    }
}

impl Fault {
    fn of(&self, path: &str) -> String {
        match self {
            Self::Json(problem) => format!("{path}: {problem}"),
            Self::UnknownElement => format!("{path} is not an element of a policy"),
            Self::MissingElement(element) => format!("{path} lacks {element}"),
            Self::BothElements(first, second) => {
                format!("{path} has both `{first}` and `{second}`")
            }
            Self::WrongType { wanted, found } => format!("{path} must be {wanted}, not {found}"),
            Self::WrongValue { value, wanted } => format!("{path} is `{value}`, must be {wanted}"),
            Self::Empty => format!("{path} is empty"),
            Self::UnknownOperator => format!("{path} is not a condition operator"),
        }
    }
}
