//! Access keys: those of root users and users, and those of sessions.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use policy::{Context, Document, NamedPolicy, Principal};
use serde::{Deserialize, Serialize};

use crate::caller::{Caller, Inherited};
use crate::store::{StoreError, Table, Writer};

/// Access keys by their id. Readable secrets: a signature can only be verified
/// by who knows the key. The data directory is its owner's alone.
pub(crate) const ACCESS_KEYS: Table<AccessKey> = Table::new("sts/access-keys");

/// A session's record outlives it by as long as a registry password that was
/// made in its last second.
const KEPT_AFTER_EXPIRY: SignedDuration = SignedDuration::from_hours(13);

/// A secret that shows itself only where it is asked for by name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(value: String) -> Self {
        Self(value)
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("***")
    }
}

/// An access key with everything it stands for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AccessKey {
    pub(crate) secret: Secret,
    pub(crate) identity: Identity,
    /// `None` for keys that last.
    pub(crate) session: Option<Session>,
    /// Of the key of a user.
    #[serde(default)]
    pub(crate) long_term: Option<LongTerm>,
}

/// What IAM keeps of the key of a user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LongTerm {
    pub(crate) created: Timestamp,
    /// A key that is not active is as good as none.
    pub(crate) active: bool,
}

/// Whose key it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub(crate) enum Identity {
    /// The root user of the account.
    Root { account: String },
    /// A user.
    User {
        account: String,
        arn: String,
        /// `AIDA...`
        user_id: String,
    },
    /// A session of a role.
    AssumedRole {
        account: String,
        role_arn: String,
        session_arn: String,
        /// `AROA...:SESSION`
        user_id: String,
    },
}

/// What a session adds to its key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) token: Secret,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
    /// Names and documents; `None` when the session was made without any.
    pub(crate) policies: Option<Vec<(String, String)>>,
    /// Condition keys that last as long as the session.
    pub(crate) context: BTreeMap<String, Vec<String>>,
    /// What it passes on.
    #[serde(default)]
    pub(crate) inherited: Inherited,
}

impl Identity {
    /// The account that it belongs to.
    pub(crate) fn account(&self) -> &str {
        match self {
            Self::Root { account }
            | Self::User { account, .. }
            | Self::AssumedRole { account, .. } => account,
        }
    }
}

impl AccessKey {
    /// Whether it was switched off.
    pub(crate) fn is_inactive(&self) -> bool {
        self.long_term.as_ref().is_some_and(|key| !key.active)
    }

    /// The identity behind this key, whose id is `id`, when it asks in `region`.
    pub(crate) fn caller(self, id: &str, region: &str) -> Caller {
        let (principal, user_id) = match self.identity {
            Identity::Root { account } => (
                Principal::AccountRoot {
                    account: account.clone(),
                },
                account,
            ),
            Identity::User {
                account,
                arn,
                user_id,
            } => (Principal::User { account, arn }, user_id),
            Identity::AssumedRole {
                account,
                role_arn,
                session_arn,
                user_id,
            } => (
                Principal::AssumedRole {
                    account,
                    role_arn,
                    session_arn,
                },
                user_id,
            ),
        };
        let mut context = Context::new();
        let mut session_policies = None;
        let session_created = self.session.as_ref().map(|session| session.created);
        let mut inherited = Inherited::default();
        if let Some(session) = self.session {
            for (key, values) in session.context {
                context.insert_many(&key, values);
            }
            inherited = session.inherited;
            session_policies = session.policies.map(|policies| parsed(&policies));
        }
        Caller {
            principal,
            user_id,
            access_key_id: id.to_owned(),
            region: region.to_owned(),
            session_policies,
            session_created,
            inherited,
            context,
        }
    }
}

/// Documents are checked before a session is made. One that is unreadable all
/// the same leaves a session that may do nothing.
fn parsed(policies: &[(String, String)]) -> Vec<NamedPolicy> {
    policies
        .iter()
        .map(|(name, document)| {
            Ok(NamedPolicy {
                name: name.clone(),
                document: Document::parse(document)?,
            })
        })
        .collect::<Result<_, policy::ParseError>>()
        .unwrap_or_default()
}

/// Stores the key of a new session, and forgets those that nothing needs now.
pub(crate) fn store(
    writer: &Writer,
    id: &str,
    key: &AccessKey,
    now: Timestamp,
) -> Result<(), StoreError> {
    for (old, record) in writer.list(&ACCESS_KEYS, "ASIA")? {
        let over = record.session.is_some_and(|session| {
            session
                .expires
                .saturating_add(KEPT_AFTER_EXPIRY)
                .is_ok_and(|end| end < now)
        });
        if over {
            writer.remove(&ACCESS_KEYS, &old)?;
        }
    }
    writer.put(&ACCESS_KEYS, id, key)
}

/// Ends the session of the key `id` now. A key without a session lasts.
pub(crate) fn expire(writer: &Writer, id: &str, now: Timestamp) -> Result<(), StoreError> {
    if let Some(mut key) = writer.get(&ACCESS_KEYS, id)?
        && let Some(session) = &mut key.session
    {
        session.expires = session.expires.min(now);
        writer.put(&ACCESS_KEYS, id, &key)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let key = AccessKey {
            secret: Secret::new("hidden-key".to_owned()),
            identity: Identity::Root {
                account: "123456789012".to_owned(),
            },
            session: Some(Session {
                token: Secret::new("hidden-token".to_owned()),
                created: Timestamp::UNIX_EPOCH,
                expires: Timestamp::UNIX_EPOCH,
                policies: None,
                context: BTreeMap::new(),
                inherited: Inherited::default(),
            }),
            long_term: None,
        };
        let shown = format!("{key:?}");
        assert!(
            shown.contains("***") && !shown.contains("hidden"),
            "{shown}"
        );
    }

    #[test]
    fn a_session_whose_policies_cannot_be_read_has_no_rights() {
        let policies = [("inline".to_owned(), "not json".to_owned())];
        assert!(parsed(&policies).is_empty());
    }
}
