//! What is asked: who wants which role, and what is known of both.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Map, Value};
use terraform::{Role, Root};

use super::key_set::{NotSigned, Signed};
use crate::OwnRepository;

/// One caller before one role.
#[derive(Debug)]
pub struct Question<'a> {
    /// Who asks, in words.
    pub caller: String,
    /// The claims of its token.
    pub claims: Map<String, Value>,
    /// Where the claims come from.
    pub evidence: Evidence,
    /// Whether a key of the issuer signed the token; `None` where that was not
    /// looked at.
    pub signature: Option<Result<Signed, NotSigned>>,
    /// ARN of the role.
    pub role: String,
    /// What is known of the role.
    pub trust: Trust<'a>,
    /// The identity providers of the role's account; `None` where nothing is known.
    pub providers: Option<Providers>,
    /// What STS answered, where it was asked already.
    pub answer: Option<Answer>,
    /// The session name that was asked for.
    pub session_name: Option<String>,
    /// The repository that the role is meant for, where that is known.
    pub repository: Option<OwnRepository>,
}

/// Where claims come from, which says how far signature and time can be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// A run was described: GitHub would mint a fresh token with these claims.
    Described,
    /// A run was described that GitHub gives no token.
    NoToken,
    /// Claims without a token, judged at this time.
    Claims(Timestamp),
    /// A token, judged at this time.
    Token(Timestamp),
}

/// What is known of the role.
#[derive(Debug)]
pub enum Trust<'a> {
    /// It exists, with this trust policy.
    Policy {
        /// The document, JSON.
        text: String,
        /// Where it stands.
        source: Source<'a>,
    },
    /// It is not where it was looked for.
    NoRole {
        /// Where that was, in words: `the Terraform root infra/production`.
        looked_in: String,
    },
}

/// Where a trust policy stands.
#[derive(Debug)]
pub enum Source<'a> {
    /// In a JSON file that holds nothing else.
    File {
        /// Its path, as the user knows it.
        path: String,
    },
    /// In a Terraform root.
    Terraform {
        /// The root.
        root: &'a Root,
        /// The role.
        role: &'a Role,
        /// The repository's directory as the paths of the root begin with it; it
        /// is taken off what is shown.
        directory: &'a Path,
    },
    /// At AWS.
    Live,
}

/// The identity providers of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Providers {
    /// Where they are known from, in words.
    pub known_from: String,
    /// Those that are known.
    pub list: Vec<ProviderFacts>,
    /// Whether the account has no others.
    pub complete: bool,
}

/// An identity provider for OpenID Connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderFacts {
    /// Its ARN.
    pub arn: String,
    /// The issuer without its scheme.
    pub url: String,
    /// The audiences it accepts.
    pub client_ids: Vec<String>,
}

/// What STS answered. It checks in a fixed order (inferred from public reports:
/// AWS does not document it), so a late refusal shows that the early checks passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// `No OpenIDConnect provider found in your account for ..`.
    NoProvider,
    /// `Incorrect token audience`.
    Audience,
    /// The verification key or the signature.
    Signature,
    /// `ExpiredTokenException`.
    Expired,
    /// `AccessDenied`: role or trust policy, or a policy of the organisation.
    Denied,
    /// Anything else.
    Other,
}

impl Answer {
    /// Reads STS's error code and message.
    pub fn of_error(code: &str, message: &str) -> Self {
        match code {
            code if code.starts_with("AccessDenied") => Self::Denied,
            code if code.starts_with("ExpiredToken") => Self::Expired,
            "InvalidIdentityToken" if message.starts_with("No OpenIDConnect provider") => {
                Self::NoProvider
            }
            "InvalidIdentityToken" if message.contains("audience") => Self::Audience,
            "InvalidIdentityToken"
                if message.contains("verification key") || message.contains("signature") =>
            {
                Self::Signature
            }
            _ => Self::Other,
        }
    }
}

/// The ARN of a role, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoleArn<'a> {
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: &'a str,
    /// Twelve digits.
    pub account: &'a str,
    /// The name without its path.
    pub name: &'a str,
}

impl<'a> RoleArn<'a> {
    /// Takes `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME` apart; `None` for
    /// anything else.
    pub fn parse(arn: &'a str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let mut next = || parts.next();
        let (Some("arn"), Some(partition), Some("iam"), Some("")) =
            (next(), next(), next(), next())
        else {
            return None;
        };
        let account = next()?;
        let name = next()?.strip_prefix("role/")?.rsplit('/').next()?;
        let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let aws = partition == "aws" || partition.starts_with("aws-");
        (aws && digits && !name.is_empty()).then_some(Self {
            partition,
            account,
            name,
        })
    }
}

impl Question<'_> {
    /// A claim that is one text.
    pub(super) fn claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }

    /// The issuer without its scheme: name of the provider, prefix of the keys.
    pub(super) fn issuer_host(&self) -> Option<&str> {
        let issuer = self.claim("iss")?;
        issuer
            .strip_prefix("https://")
            .filter(|host| !host.is_empty())
    }

    /// The audience that STS looks at: `azp` comes before `aud`.
    pub(super) fn audience(&self) -> Option<&str> {
        match self.claims.get("azp") {
            Some(party) => party.as_str(),
            None => self.claim("aud"),
        }
    }

    /// The ARN that the issuer's provider has, or would have, in the role's account.
    pub(super) fn provider_arn(&self) -> Option<String> {
        let role = RoleArn::parse(&self.role)?;
        let host = self.issuer_host()?;
        let RoleArn {
            partition, account, ..
        } = role;
        Some(format!(
            "arn:{partition}:iam::{account}:oidc-provider/{host}"
        ))
    }
}
