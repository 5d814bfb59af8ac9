//! Why a text is not a policy document.

/// Why a text is not a policy document. A path such as
/// `Statement[1].Condition.StringEquals` says where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Not JSON, or JSON with a repeated key.
    #[error("read policy as JSON at line {line}, column {column}: {problem}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1; 0 where the line is empty.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
    /// An element the policy language does not have.
    #[error("understand policy: unknown element `{element}` in {path}")]
    UnknownElement {
        /// Where.
        path: String,
        /// Name of the element.
        element: String,
    },
    /// A required element is absent.
    #[error("understand policy: {path} lacks {element}")]
    MissingElement {
        /// Where.
        path: String,
        /// Name or names of the element.
        element: &'static str,
    },
    /// Two elements that exclude each other.
    #[error("understand policy: {path} has both `{first}` and `{second}`")]
    BothElements {
        /// Where.
        path: String,
        /// First name.
        first: &'static str,
        /// Second name.
        second: &'static str,
    },
    /// A value of the wrong JSON type.
    #[error("understand policy: {path} must be {wanted}, not {found}")]
    WrongType {
        /// Where.
        path: String,
        /// Types that are accepted.
        wanted: &'static str,
        /// Type that is there.
        found: &'static str,
    },
    /// A text outside the accepted ones.
    #[error("understand policy: {path} is `{value}`, must be {wanted}")]
    WrongValue {
        /// Where.
        path: String,
        /// Value that is there.
        value: String,
        /// Values that are accepted.
        wanted: &'static str,
    },
    /// A list that must not be empty.
    #[error("understand policy: {path} is empty")]
    Empty {
        /// Where.
        path: String,
    },
    /// A condition operator that IAM does not have.
    #[error("understand policy: {path} is not a condition operator")]
    UnknownOperator {
        /// Where, ending in the operator as written.
        path: String,
    },
}
