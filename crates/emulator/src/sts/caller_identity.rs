//! `GetCallerIdentity`: needs no permission and cannot be denied.

use crate::caller::Caller;
use crate::xml::Xml;

/// Who `caller` is.
pub(super) fn describe(caller: &Caller) -> Xml {
    Xml::new()
        .text("Arn", caller.arn())
        .text("UserId", &caller.user_id)
        .text("Account", caller.principal.account().unwrap_or_default())
}
