//! Text against pattern: wildcards, ARNs and policy variables.

mod arn;
mod pattern;
mod variables;

pub(crate) use arn::{arn_matches, resource_matches};
pub(crate) use pattern::{Pattern, Token};
pub(crate) use variables::{Expanded, expand};
