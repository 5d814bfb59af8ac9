//! Who somebody is: `GetCallerIdentity` and `GetAccessKeyInfo`.

use super::sessions::ACCESS_KEYS;
use crate::authorize::{Target, authorize};
use crate::caller::Caller;
use crate::error::AwsError;
use crate::query::Parameters;
use crate::state::State;
use crate::trail::Note;
use crate::xml::Xml;

const KEY_ID: (&str, fn(char) -> bool) = (r"[\w]*", |character| {
    character.is_ascii_alphanumeric() || character == '_'
});

/// Who `caller` is. Needs no permission and cannot be denied.
pub(super) fn describe(caller: &Caller) -> Xml {
    Xml::new()
        .text("Arn", caller.arn())
        .text("UserId", &caller.user_id)
        .text("Account", caller.principal.account().unwrap_or_default())
}

/// The account of an access key. AWS reads it from the id itself; here only
/// keys of this emulator are known (inferred for the sentence).
pub(super) fn of_access_key(
    state: &State,
    caller: &Caller,
    parameters: &Parameters,
    note: &Note,
) -> Result<Xml, AwsError> {
    let id = parameters.bounded("AccessKeyId", 16..=128)?;
    Parameters::of_pattern("AccessKeyId", id, KEY_ID)?;
    let account = caller.principal.account().unwrap_or_default();
    let target = Target::new("sts:GetAccessKeyInfo", "*", account);
    authorize(state, caller, &target, note)?;
    let key = state.store.read(|reader| reader.get(&ACCESS_KEYS, id))?;
    match key {
        Some(key) => Ok(Xml::new().text("Account", key.identity.account())),
        None => Err(AwsError::invalid(
            "ValidationError",
            "The access key ID is not valid",
        )),
    }
}
