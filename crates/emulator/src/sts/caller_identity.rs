//! `GetCallerIdentity`: needs no permission and cannot be denied.

use crate::caller::Caller;
use crate::state::State;
use crate::xml::Xml;

/// Who `caller` is.
pub(super) fn describe(state: &State, caller: &Caller) -> Xml {
    let account = caller.principal.account();
    Xml::new()
        .text("Arn", caller.arn())
        .text("UserId", &caller.user_id)
        .text("Account", account.unwrap_or(&state.settings.account))
}
