//! Identity and Access Management.

pub(crate) mod managed;
pub(crate) mod records;

use crate::caller::Caller;
use crate::error::AwsError;
use crate::query::Parameters;
use crate::state::State;
use crate::trail::Note;
use crate::xml::Xml;

/// The version of the API that clients name.
pub(crate) const VERSION: &str = "2010-05-08";
/// The namespace of its answers.
pub(crate) const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// An operation of IAM.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Operation {}

impl Operation {
    pub(crate) fn named(_action: &str) -> Option<Self> {
        None
    }
}

pub(crate) fn handle(
    _state: &State,
    _caller: &Caller,
    operation: Operation,
    _parameters: &Parameters,
    _note: &Note,
) -> Result<Option<Xml>, AwsError> {
    match operation {}
}
