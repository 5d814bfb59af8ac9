//! What can be wrong with a configuration.

use std::fmt;
use std::path::PathBuf;

/// One mistake. It is told in one line, whatever the value holds.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// A value that cannot be.
    #[error("{place} must be {expected}, not {value}")]
    Value {
        /// The variable, or the key and its file.
        place: String,
        /// What the value may be.
        expected: &'static str,
        /// The value in quotes, or a word for one that is secret.
        value: String,
    },
    /// A variable `PORTFOLIO_*` that nothing reads.
    #[error("{} is no variable of this program; `backend --help` lists them", .0.escape_debug())]
    UnknownVariable(String),
    /// A key of the file that nothing reads.
    #[error("`{}` is no key of a configuration file; `backend --help` lists them", .0.escape_debug())]
    UnknownKey(String),
    /// The file cannot be read.
    #[error("the configuration file cannot be read (PORTFOLIO_CONFIG): {0}")]
    Unreadable(String),
    /// The file is not TOML.
    #[error("{}:{line}: {complaint}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What the parser said.
        complaint: String,
    },
}

impl Mistake {
    pub(super) fn value(
        place: String,
        expected: &'static str,
        value: &str,
        is_secret: bool,
    ) -> Self {
        let value = if is_secret {
            "what it is".to_owned()
        } else {
            format!("`{}`", value.escape_debug())
        };
        Self::Value {
            place,
            expected,
            value,
        }
    }
}

/// Every mistake of a configuration; there is at least one.
#[derive(Debug, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl std::error::Error for Mistakes {}

impl fmt::Display for Mistakes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{mistake}")?;
        }
        Ok(())
    }
}
