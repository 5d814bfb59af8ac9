//! The requests of ECR's API as its service model `ecr-2015-09-21` describes
//! them: which members there are, of which types, within which constraints.
//!
//! Every body is checked against it before an operation sees it. Pure.

mod check;
mod inputs;
mod pattern;
mod shape;
mod shapes;

pub(super) use check::{check, without_bytes};
pub(super) use inputs::*;
pub(super) use pattern::{DIGEST, IMAGE_TAG, REPOSITORY_NAME};
pub(super) use shape::Member;
