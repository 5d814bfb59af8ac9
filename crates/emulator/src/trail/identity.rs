//! `userIdentity`: who made a call, as its own account and another see it.

use policy::Principal;
use serde_json::{Map, Value, json};

use crate::caller::Caller;

/// Who made a call.
#[derive(Debug, Clone, Default)]
pub(super) enum Who {
    /// Nobody who proved it.
    #[default]
    Unknown,
    /// The holder of an access key.
    Caller {
        account: String,
        principal_id: String,
        identity: Value,
    },
    /// The subject of a web token.
    WebIdentity {
        /// The account of the provider, which is that of the role.
        account: String,
        identity: Value,
    },
}

impl Who {
    pub(super) fn caller(caller: &Caller) -> Self {
        Self::Caller {
            account: caller.principal.account().unwrap_or_default().to_owned(),
            principal_id: caller.user_id.clone(),
            identity: of_caller(caller),
        }
    }

    /// The token of a provider that the role's account knows.
    pub(super) fn web_identity(provider_arn: &str, audience: &str, subject: &str) -> Self {
        Self::WebIdentity {
            account: account_of(provider_arn).to_owned(),
            identity: json!({
                "type": "WebIdentityUser",
                "principalId": format!("{provider_arn}:{audience}:{subject}"),
                "userName": subject,
                "identityProvider": provider_arn,
            }),
        }
    }

    /// The account whose trail shows the caller's side.
    pub(super) fn account(&self) -> Option<&str> {
        match self {
            Self::Unknown => None,
            Self::Caller { account, .. } | Self::WebIdentity { account, .. } => Some(account),
        }
    }

    /// The element in the trail of the caller's own account.
    pub(super) fn at_home(&self) -> Value {
        match self {
            Self::Unknown => json!({ "type": "Unknown" }),
            Self::Caller { identity, .. } | Self::WebIdentity { identity, .. } => identity.clone(),
        }
    }

    /// The element in the trail of another account whose resource was used.
    pub(super) fn abroad(&self) -> Value {
        match self {
            Self::Caller {
                account,
                principal_id,
                ..
            } => json!({
                "type": "AWSAccount",
                "principalId": principal_id,
                "accountId": account,
            }),
            _ => self.at_home(),
        }
    }
}

/// The account in an ARN.
pub(super) fn account_of(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

fn of_caller(caller: &Caller) -> Value {
    let (kind, user_name) = match &caller.principal {
        Principal::AccountRoot { .. } => ("Root", None),
        Principal::User { arn, .. } => ("IAMUser", arn.rsplit('/').next()),
        Principal::AssumedRole { .. } => ("AssumedRole", None),
        Principal::Federated { .. } => ("WebIdentityUser", None),
        Principal::Service { .. } => ("AWSService", None),
        Principal::Anonymous => ("Unknown", None),
    };
    let mut identity = json!({
        "type": kind,
        "principalId": caller.user_id,
        "arn": caller.arn(),
        "accountId": caller.principal.account(),
        "accessKeyId": caller.access_key_id,
    });
    if let Some(user_name) = user_name {
        identity["userName"] = json!(user_name);
    }
    if let Principal::AssumedRole {
        account, role_arn, ..
    } = &caller.principal
    {
        identity["sessionContext"] = session_context(caller, account, role_arn);
    }
    identity
}

/// How the session came to be. Of a web identity only the provider is shown,
/// with no attributes, as CloudTrail does for GitHub's sessions.
fn session_context(caller: &Caller, account: &str, role_arn: &str) -> Value {
    let role_id = caller.user_id.split(':').next().unwrap_or_default();
    let mut context = Map::new();
    context.insert(
        "sessionIssuer".to_owned(),
        json!({
            "type": "Role",
            "principalId": role_id,
            "arn": role_arn,
            "accountId": account,
            "userName": role_arn.rsplit('/').next(),
        }),
    );
    let provider = caller.context.get("aws:FederatedProvider");
    if let Some(provider) = provider.and_then(<[String]>::first) {
        let data = json!({ "federatedProvider": provider, "attributes": {} });
        context.insert("webIdFederationData".to_owned(), data);
    }
    let mut attributes = Map::new();
    if let Some(created) = caller.session_created {
        let created = created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        attributes.insert("creationDate".to_owned(), json!(created));
    }
    attributes.insert("mfaAuthenticated".to_owned(), json!("false"));
    context.insert("attributes".to_owned(), attributes.into());
    let source = caller.context.get("aws:SourceIdentity");
    if let Some(source) = source.and_then(<[String]>::first) {
        context.insert("sourceIdentity".to_owned(), json!(source));
    }
    context.into()
}

#[cfg(test)]
mod tests {
    use policy::Context;

    use super::*;

    fn session() -> Caller {
        let provider =
            "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
        let mut context = Context::new();
        context.insert("aws:FederatedProvider", provider);
        context.insert("aws:SourceIdentity", "ada");
        Caller {
            principal: Principal::AssumedRole {
                account: "123456789012".to_owned(),
                role_arn: "arn:aws:iam::123456789012:role/ci/publisher".to_owned(),
                session_arn: "arn:aws:sts::123456789012:assumed-role/publisher/run".to_owned(),
            },
            user_id: "AROA1:run".to_owned(),
            region: "eu-west-1".to_owned(),
            access_key_id: "ASIA1".to_owned(),
            session_policies: None,
            session_created: Some(jiff::Timestamp::UNIX_EPOCH),
            context,
            inherited: crate::caller::Inherited::default(),
        }
    }

    #[test]
    fn a_session_of_a_web_identity_names_its_role_and_its_provider() {
        let provider =
            "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
        assert_eq!(
            Who::caller(&session()).at_home(),
            json!({
                "type": "AssumedRole",
                "principalId": "AROA1:run",
                "arn": "arn:aws:sts::123456789012:assumed-role/publisher/run",
                "accountId": "123456789012",
                "accessKeyId": "ASIA1",
                "sessionContext": {
                    "sessionIssuer": {
                        "type": "Role",
                        "principalId": "AROA1",
                        "arn": "arn:aws:iam::123456789012:role/ci/publisher",
                        "accountId": "123456789012",
                        "userName": "publisher",
                    },
                    "webIdFederationData": { "federatedProvider": provider, "attributes": {} },
                    "attributes": {
                        "creationDate": "1970-01-01T00:00:00Z",
                        "mfaAuthenticated": "false",
                    },
                    "sourceIdentity": "ada",
                },
            })
        );
    }

    #[test]
    fn another_account_sees_the_account_and_the_id_only() {
        assert_eq!(
            Who::caller(&session()).abroad(),
            json!({ "type": "AWSAccount", "principalId": "AROA1:run", "accountId": "123456789012" })
        );
    }

    #[test]
    fn a_user_and_the_root_user_are_told_apart() {
        let of = |principal| {
            Who::caller(&Caller {
                principal,
                session_created: None,
                context: Context::new(),
                ..session()
            })
            .at_home()
        };
        let account = "123456789012".to_owned();
        let user = of(Principal::User {
            account: account.clone(),
            arn: "arn:aws:iam::123456789012:user/ci/ada".to_owned(),
        });
        assert_eq!(
            (&user["type"], &user["userName"]),
            (&json!("IAMUser"), &json!("ada"))
        );
        let root = of(Principal::AccountRoot { account });
        assert_eq!(root["type"], "Root");
        assert_eq!(root["arn"], "arn:aws:iam::123456789012:root");
        assert!(root.get("userName").is_none() && root.get("sessionContext").is_none());
    }
}
