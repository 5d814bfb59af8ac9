//! Rules that IAM enforces when a policy is written, by kind of policy.
//!
//! The messages of the structural rules are IAM's as users quote them; where
//! AWS's text is not published, the sentence is ours.

mod finding;
mod identity;
mod principals;
mod repository;
mod shared_issuers;
mod text;
mod trust;

pub use finding::Finding;
pub use identity::{validate_identity, validate_session};
pub use repository::validate_repository;
pub use shared_issuers::{SHARED_ISSUERS, SharedIssuer};
pub use text::{PolicyForm, check_text, counted_size};
pub use trust::validate_trust;
