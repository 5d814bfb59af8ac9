//! The trail: every call as CloudTrail would record it, with the decision and
//! its reason beside the AWS shape.
//!
//! It must never hold a token, a password or a secret key: what goes in is
//! named field by field, and `hidden` goes over it once more.
//!
//! Shape: CloudTrail User Guide, "CloudTrail record contents" and "CloudTrail
//! userIdentity element"; IAM User Guide, "Logging IAM and AWS STS API calls
//! with AWS CloudTrail"; Amazon ECR User Guide, "Logging Amazon ECR actions
//! with AWS CloudTrail".

mod authorization;
mod elements;
mod files;
mod hidden;
mod history;
mod identity;
mod index;
mod note;
mod operations;
mod query;
mod queue;
mod record;
mod terms;

pub(crate) use authorization::Authorization;
pub(crate) use elements::{moment, of_json, of_query, small, typed};
pub(crate) use files::{Trail, day, files};
pub(crate) use history::{Lengths, bring_back};
pub(crate) use index::Position;
pub(crate) use note::{Note, Origin};
pub(crate) use operations::is_read_only;
pub(crate) use query::{Found, Query};
pub(crate) use terms::{Attribute, Term};
