//! The policy document as a value: what it says, not yet what it decides.

mod elements;
mod error;
mod json;
mod parse;
mod parse_condition;
mod parse_principal;
mod place;
mod read;

#[cfg(test)]
mod tests;

pub use elements::{
    ActionElement, Condition, Effect, PrincipalElement, PrincipalEntry, PrincipalSet,
    PrincipalType, ResourceElement, Statement,
};
pub use error::{Fault, ParseError};
pub use place::{Place, Places, Step};
pub use read::MAXIMUM_BYTES;

/// Version of the policy language, which decides whether `${..}` is a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// `2008-10-17`, also when the element is missing: no policy variables.
    V2008,
    /// `2012-10-17`.
    V2012,
}

/// A policy document (IAM User Guide, "Grammar of the IAM JSON policy language").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Language version.
    pub version: Version,
    /// `Id`, which only labels the document.
    pub id: Option<String>,
    /// Statements in the order written.
    pub statements: Vec<Statement>,
}

impl Document {
    /// Reads a document and rejects what IAM rejects in any policy. Rules that
    /// hold for one kind of policy only are in [`crate::validate_trust`] and
    /// [`crate::validate_identity`].
    pub fn parse(json: &str) -> Result<Self, ParseError> {
        Self::parse_located(json).map(|(document, _)| document)
    }

    /// The same, and where each part stands in the text.
    pub fn parse_located(json: &str) -> Result<(Self, Places), ParseError> {
        let root = read::read(json).map_err(|failure| failure.at(Vec::new()))?;
        match parse::document(&root) {
            Ok(document) => Ok((document, Places::new(root))),
            Err(failure) => {
                let path = root.path_to(failure.place.start);
                Err(failure.at(path))
            }
        }
    }
}
