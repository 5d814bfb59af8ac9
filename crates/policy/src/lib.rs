//! AWS IAM policy documents: parsed, evaluated, and explained.
//!
//! The engine is a total, pure function from a request and its policies to a
//! [`Decision`] that carries, statement by statement, what did not match. It
//! follows AWS's documented rules (IAM User Guide, "Policy evaluation logic"
//! and "IAM JSON policy element reference"); where AWS does not document a
//! behaviour, the code says "inferred".
//!
//! It must not read files, the environment or the clock: the current time is
//! one more condition key, filled by the caller.

pub mod admission;
mod condition;
mod context;
mod decision;
mod document;
mod evaluate;
pub mod keys;
pub mod language;
mod matching;
mod principal;
mod principal_match;
mod reason;
mod request;
mod sentence;
mod statement_match;
mod trust;
mod validate;

pub use condition::{Comparison, Family, Operator, Order, Quantifier};
pub use context::Context;
pub use decision::{Decision, Mismatch, Outcome, StatementReport};
pub use document::{
    ActionElement, Condition, Document, Effect, Fault, MAXIMUM_BYTES, ParseError, Place, Places,
    PrincipalElement, PrincipalEntry, PrincipalSet, PrincipalType, ResourceElement, Statement,
    Step, Version,
};
pub use evaluate::evaluate;
pub use principal::Principal;
pub use request::{NamedPolicy, Policies, PolicyKind, Request};
pub use trust::{evaluate_assume_role, evaluate_trust};
pub use validate::{
    Finding, PolicyForm, SHARED_ISSUERS, SharedIssuer, check_text, counted_size, validate_identity,
    validate_repository, validate_session, validate_trust,
};
