//! Who makes a request, once the credentials are verified.

use std::collections::BTreeMap;

use jiff::Timestamp;
use policy::{Context, NamedPolicy, Principal};
use serde::{Deserialize, Serialize};

/// The identity that signed a request or logged in to the registry.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The identity as IAM sees it.
    pub(crate) principal: Principal,
    /// Unique id: the account's for root, `AROA...:SESSION` for a role session.
    pub(crate) user_id: String,
    /// The access key that was used; not a secret.
    pub(crate) access_key_id: String,
    /// The region that is asked: of the signature's scope, or of the registry.
    pub(crate) region: String,
    /// Policies that were passed when the session was made; `None` for none.
    pub(crate) session_policies: Option<Vec<NamedPolicy>>,
    /// When the session was made; `None` for keys that last.
    pub(crate) session_created: Option<Timestamp>,
    /// Condition keys that last as long as the session does.
    pub(crate) context: Context,
    /// What a session passes on to those that are made from it.
    pub(crate) inherited: Inherited,
}

/// What sessions pass on to the sessions that are made from them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inherited {
    /// Transitive session tags.
    pub(crate) transitive_tags: BTreeMap<String, String>,
    /// Who is behind the session.
    pub(crate) source_identity: Option<String>,
}

impl Caller {
    /// The ARN that AWS prints for this caller.
    pub(crate) fn arn(&self) -> String {
        match (self.principal.arn(), self.principal.account()) {
            (Some(arn), _) => arn.to_owned(),
            (None, Some(account)) => format!("arn:aws:iam::{account}:root"),
            (None, None) => "anonymous".to_owned(),
        }
    }
}
