//! Who makes a request.

/// The identity that makes a request, as IAM sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// No credentials at all.
    Anonymous,
    /// The root user of an account.
    AccountRoot {
        /// Twelve-digit account id.
        account: String,
    },
    /// An IAM user.
    User {
        /// Twelve-digit account id.
        account: String,
        /// `arn:aws:iam::ACCOUNT:user/NAME`.
        arn: String,
    },
    /// A session of a role.
    AssumedRole {
        /// Twelve-digit account id.
        account: String,
        /// `arn:aws:iam::ACCOUNT:role/PATH/NAME`, with its path.
        role_arn: String,
        /// `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION`, without the path.
        session_arn: String,
    },
    /// The caller of `sts:AssumeRoleWithWebIdentity`, known only by its provider.
    Federated {
        /// `arn:aws:iam::ACCOUNT:oidc-provider/HOST[/PATH]`.
        provider_arn: String,
    },
    /// An AWS service that acts for itself.
    Service {
        /// Such as `lambda.amazonaws.com`; of one region where the service says so.
        name: String,
    },
}

impl Principal {
    /// The account whose identity policies apply; none for callers without an
    /// AWS identity.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Anonymous | Self::Federated { .. } | Self::Service { .. } => None,
            Self::AccountRoot { account }
            | Self::User { account, .. }
            | Self::AssumedRole { account, .. } => Some(account),
        }
    }

    /// The ARN that AWS prints for this caller: of the user, of the session or
    /// of the provider. A root user carries only its account, a service only its
    /// name, hence none.
    pub fn arn(&self) -> Option<&str> {
        match self {
            Self::Anonymous | Self::AccountRoot { .. } | Self::Service { .. } => None,
            Self::User { arn, .. } => Some(arn),
            Self::AssumedRole { session_arn, .. } => Some(session_arn),
            Self::Federated { provider_arn } => Some(provider_arn),
        }
    }

    /// How people and AWS's messages name this caller.
    pub(crate) fn display_name(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::AccountRoot { account } => format!("arn:aws:iam::{account}:root"),
            Self::User { arn, .. } => arn.clone(),
            Self::AssumedRole { session_arn, .. } => session_arn.clone(),
            Self::Federated { provider_arn } => provider_arn.clone(),
            Self::Service { name } => name.clone(),
        }
    }
}
