//! `DecodeAuthorizationMessage`: services such as EC2 encode why they refuse,
//! and this decodes it. No service here encodes anything, so no message is valid.

use crate::authorize::{Target, authorize};
use crate::caller::Caller;
use crate::error::AwsError;
use crate::query::Parameters;
use crate::state::State;
use crate::trail::Note;
use crate::xml::Xml;

/// Refuses whatever is not from here, after the permission is checked.
pub(super) fn decode(
    state: &State,
    caller: &Caller,
    parameters: &Parameters,
    note: &Note,
) -> Result<Xml, AwsError> {
    parameters.bounded("EncodedMessage", 1..=10_240)?;
    let account = caller.principal.account().unwrap_or_default();
    let target = Target::new("sts:DecodeAuthorizationMessage", "*", account);
    authorize(state, caller, &target, note)?;
    Err(AwsError::invalid(
        "InvalidAuthorizationMessageException",
        "Message is not valid",
    ))
}
