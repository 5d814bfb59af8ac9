//! CloudTrail: the trail, looked up as AWS's clients look it up.
//!
//! Of its operations only `LookupEvents` is here: it needs no trail, bucket or
//! event data store to be made first.
//!
//! Source: AWS CloudTrail API Reference, version 2013-11-01.

mod event;
mod fidelity;
mod lookup;
mod page;

pub(crate) use fidelity::fidelity;
use serde_json::Value;

use crate::authorize::{Target, authorize};
use crate::caller::Caller;
use crate::error::AwsError;
use crate::fidelity::model::CLOUDTRAIL;
use crate::state::State;
use crate::trail::{Note, of_json};

/// Parameters that the trail keeps.
const PARAMETERS: &[&str] = &[
    "EndTime",
    "EventCategory",
    "LookupAttributes",
    "MaxResults",
    "NextToken",
    "StartTime",
];

/// Performs `operation` for a verified caller.
pub(crate) fn handle(
    state: &State,
    caller: &Caller,
    operation: &str,
    body: Value,
    note: &Note,
) -> Result<Value, AwsError> {
    if operation != "LookupEvents" {
        return Err(unsupported(operation));
    }
    note.parameters(with_small_names(of_json(&body, PARAMETERS)));
    let account = caller.principal.account().unwrap_or_default();
    let target = Target::new("cloudtrail:LookupEvents", "*", account);
    authorize(state, caller, &target, note)
        .map_err(|denied| AwsError::invalid("AccessDeniedException", denied.sentence))?;
    lookup::look_up(state, account, &caller.region, body)
}

fn with_small_names(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (crate::trail::small(&name), with_small_names(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(elements) => elements.into_iter().map(with_small_names).collect(),
        other => other,
    }
}

/// AWS knows the operation, and the emulator does not perform it.
fn unsupported(operation: &str) -> AwsError {
    if CLOUDTRAIL.has(operation) {
        AwsError::invalid(
            "UnsupportedOperationException",
            format!("The emulator does not perform the operation {operation}."),
        )
    } else {
        AwsError::invalid("UnknownOperationException", "")
    }
}
