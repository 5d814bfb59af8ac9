//! Credentials of a new session.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::parameters::RoleArn;
use super::sessions::{self, AccessKey, Identity, Secret, Session};
use crate::caller::Inherited;
use crate::iam::records::Role;
use crate::random;
use crate::state::State;
use crate::store::StoreError;
use crate::xml::Xml;

/// A session that was made.
#[derive(Debug)]
pub(super) struct Issued {
    access_key_id: String,
    key: AccessKey,
    expires: Timestamp,
}

/// What lasts as long as the session.
#[derive(Debug, Default)]
pub(super) struct Lasting {
    /// Seconds.
    pub(super) duration: i64,
    /// Condition keys.
    pub(super) context: BTreeMap<String, Vec<String>>,
    /// Session policies by name.
    pub(super) policies: Option<Vec<(String, String)>>,
    /// What is passed on.
    pub(super) inherited: Inherited,
}

/// The session `name` of `role`.
pub(super) fn of_role(role: &Role, asked: RoleArn<'_>, name: &str) -> Identity {
    let account = asked.account;
    Identity::AssumedRole {
        account: account.to_owned(),
        role_arn: role.arn.clone(),
        session_arn: format!("arn:aws:sts::{account}:assumed-role/{}/{name}", role.name),
        user_id: format!("{}:{name}", role.id),
    }
}

/// Makes a session of `identity` and stores it.
pub(super) fn issue(
    state: &State,
    identity: Identity,
    lasting: Lasting,
) -> Result<Issued, StoreError> {
    let now = state.clock.now();
    let expires = now
        .saturating_add(SignedDuration::from_secs(lasting.duration))
        .unwrap_or(Timestamp::MAX);
    let key = AccessKey {
        secret: Secret::new(random::access_secret()),
        identity,
        session: Some(Session {
            token: Secret::new(random::session_token()),
            created: now,
            expires,
            policies: lasting.policies,
            context: lasting.context,
            inherited: lasting.inherited,
        }),
        long_term: None,
    };
    let access_key_id = random::identifier("ASIA");
    state
        .store
        .write(|writer| sessions::store(writer, &access_key_id, &key, now))?;
    Ok(Issued {
        access_key_id,
        key,
        expires,
    })
}

impl Issued {
    /// The elements `AssumedRoleUser`, of a role's session, and `Credentials` of
    /// an answer.
    pub(super) fn describe(&self, answer: Xml) -> Xml {
        let token = self
            .key
            .session
            .as_ref()
            .map(|session| session.token.reveal());
        let credentials = Xml::new()
            .text("AccessKeyId", &self.access_key_id)
            .text("SecretAccessKey", self.key.secret.reveal())
            .optional("SessionToken", token)
            .time("Expiration", self.expires);
        let answer = match &self.key.identity {
            Identity::AssumedRole {
                session_arn,
                user_id,
                ..
            } => {
                let user = Xml::new()
                    .text("Arn", session_arn)
                    .text("AssumedRoleId", user_id);
                answer.element("AssumedRoleUser", &user)
            }
            Identity::Root { .. } | Identity::User { .. } => answer,
        };
        answer.element("Credentials", &credentials)
    }
}
