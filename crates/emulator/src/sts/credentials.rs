//! Credentials of a new session.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::parameters::Asked;
use super::sessions::{self, AccessKey, Identity, Secret, Session};
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
    session_arn: String,
    user_id: String,
}

/// What lasts as long as the session.
#[derive(Debug)]
pub(super) struct Lasting {
    /// Condition keys.
    pub(super) context: BTreeMap<String, Vec<String>>,
    /// Session policies by name.
    pub(super) policies: Option<Vec<(String, String)>>,
}

/// Makes a session of `role` and stores it.
pub(super) fn issue(
    state: &State,
    role: &Role,
    asked: &Asked<'_>,
    lasting: Lasting,
) -> Result<Issued, StoreError> {
    let now = state.clock.now();
    let account = asked.role.account;
    let expires = now
        .saturating_add(SignedDuration::from_secs(asked.duration))
        .unwrap_or(Timestamp::MAX);
    let session_arn = format!(
        "arn:aws:sts::{account}:assumed-role/{}/{}",
        role.name, asked.session_name
    );
    let user_id = format!("{}:{}", role.id, asked.session_name);
    let key = AccessKey {
        secret: Secret::new(random::access_secret()),
        identity: Identity::AssumedRole {
            account: account.to_owned(),
            role_arn: role.arn.clone(),
            session_arn: session_arn.clone(),
            user_id: user_id.clone(),
        },
        session: Some(Session {
            token: Secret::new(random::session_token()),
            created: now,
            expires,
            policies: lasting.policies,
            context: lasting.context,
        }),
    };
    let access_key_id = random::identifier("ASIA");
    state
        .store
        .write(|writer| sessions::store(writer, &access_key_id, &key, now))?;
    Ok(Issued {
        access_key_id,
        key,
        expires,
        session_arn,
        user_id,
    })
}

impl Issued {
    /// The elements `AssumedRoleUser` and `Credentials` of an answer.
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
        let user = Xml::new()
            .text("Arn", &self.session_arn)
            .text("AssumedRoleId", &self.user_id);
        answer
            .element("AssumedRoleUser", &user)
            .element("Credentials", &credentials)
    }
}
