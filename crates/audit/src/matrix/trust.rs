//! Whether a role's trust policy admits a token.

use github::{Minting, Run, SubjectForm, claims};
use policy::keys::{GITHUB_ISSUER, session_context, web_identity_context};
use policy::{
    Context, Document, Effect, NamedPolicy, Principal, PrincipalElement, PrincipalSet,
    PrincipalType, Request, evaluate_trust,
};
use receipts::{Access, Answer};
use terraform::{AwsResources, Role};

use super::known;
use crate::reading::{Keys, Reading, open_keys, read_as};

const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

/// A role's trust policy with the provider it names.
pub(super) struct Trust<'a> {
    pub(super) role: &'a Role,
    /// Twelve digits.
    pub(super) account: String,
    provider_arn: String,
    /// Host and path of the issuer: the prefix of the condition keys.
    issuer: String,
    /// The audiences that the provider admits, where the provider is known.
    audiences: Option<Vec<String>>,
    policy: NamedPolicy,
}

/// A token, before it is minted.
pub(super) struct Token<'a> {
    pub(super) run: &'a Run,
    pub(super) form: SubjectForm,
    pub(super) audience: &'a str,
    /// Whether the repository's ids are the real ones.
    pub(super) ids_known: bool,
    /// Whether its workflow is the one of a job. Others can reach a workflow of
    /// somebody else by calling it, which changes `job_workflow_ref`.
    pub(super) own_workflow: bool,
}

impl<'a> Trust<'a> {
    /// `None` for a role that does not trust GitHub's issuer; `Err` says why
    /// that cannot be told.
    pub(super) fn read(role: &'a Role, aws: &AwsResources) -> Result<Option<Self>, String> {
        let document = match Document::parse(&role.trust_policy) {
            Ok(document) => document,
            Err(_) if !role.trust_policy.contains(GITHUB_ISSUER) => return Ok(None),
            Err(error) => return Err(format!("the trust policy cannot be read: {error}")),
        };
        let mut parts = role.arn.split(':').skip(1);
        let partition = parts.next().unwrap_or("aws").to_owned();
        let account = parts.nth(2).unwrap_or_default().to_owned();
        let Some(issuer) = issuer(&document) else {
            return Ok(None);
        };
        let provider_arn = format!("arn:{partition}:iam::{account}:oidc-provider/{issuer}");
        let provider = aws
            .oidc_providers
            .iter()
            .find(|provider| provider.arn == provider_arn);
        Ok(Some(Self {
            role,
            account,
            audiences: provider.map(|provider| provider.client_ids.clone()),
            provider_arn,
            issuer,
            policy: NamedPolicy {
                name: format!("trust policy of {}", role.name),
                document,
            },
        }))
    }

    /// Whether `token` gets a session.
    pub(super) fn access(&self, token: &Token<'_>) -> Access {
        let refused = |reason: String| Access {
            answer: Answer::No,
            reason,
        };
        if !token.run.gets_token() {
            return refused(
                "GitHub gives the pull request of a fork no identity to show.".to_owned(),
            );
        }
        if let Some(audiences) = &self.audiences
            && !audiences.iter().any(|admitted| admitted == token.audience)
        {
            return refused(format!(
                "The token is for the audience `{}`, and the identity provider admits `{}`.",
                token.audience,
                audiences.join("`, `")
            ));
        }
        let request = self.request(token);
        let keys = Keys::of_web_identity(&request.context);
        let document = std::iter::once(&self.policy.document);
        let open = open_keys(document, |condition| keys.leave_open(condition));
        let unknowns: Vec<String> = open.iter().map(|key| open_key(key)).collect();
        let access = known::access(&unknowns, |reading| self.decide(&request, reading));
        self.without_ids(token, access)
    }

    fn decide(&self, request: &Request, reading: Reading) -> policy::Decision {
        let keys = Keys::of_web_identity(&request.context);
        let is_open = |condition: &policy::Condition| keys.leave_open(condition);
        let trust = NamedPolicy {
            name: self.policy.name.clone(),
            document: read_as(&self.policy.document, is_open, reading),
        };
        evaluate_trust(request, &trust)
    }

    /// A refusal may rest on the ids that the token was given for want of the
    /// real ones.
    fn without_ids(&self, token: &Token<'_>, access: Access) -> Access {
        let conditions = || {
            let statements = &self.policy.document.statements;
            statements
                .iter()
                .flat_map(|statement| &statement.conditions)
        };
        let tests_ids = || {
            conditions().any(|condition| {
                condition.key.to_ascii_lowercase().ends_with("_id")
                    || condition.values.iter().any(|value| value.contains('@'))
            })
        };
        if token.ids_known || access.answer != Answer::No || !tests_ids() {
            return access;
        }
        Access {
            answer: Answer::Unknown,
            reason: "The trust policy tests ids, and the repository's ids are not known: set `github.owner-id` and `github.repository-id` in longshore.toml.".to_owned(),
        }
    }

    fn request(&self, token: &Token<'_>) -> Request {
        let mut context = web_identity_context(&self.issuer, &self.claims(token));
        self.complete(&mut context);
        Request {
            principal: Principal::Federated {
                provider_arn: self.provider_arn.clone(),
            },
            action: ACTION.to_owned(),
            resource: self.role.arn.clone(),
            resource_account: self.account.clone(),
            context,
        }
    }

    /// The condition keys that the session keeps.
    pub(super) fn session_context(&self, token: &Token<'_>) -> Context {
        let mut context = session_context(&self.issuer, &self.claims(token));
        self.complete(&mut context);
        context
    }

    fn complete(&self, context: &mut Context) {
        context.insert("aws:FederatedProvider", self.provider_arn.clone());
        // AWS's endpoints speak nothing but TLS to GitHub's runners.
        context.insert("aws:SecureTransport", "true");
    }

    fn claims(&self, token: &Token<'_>) -> serde_json::Map<String, serde_json::Value> {
        let minting = Minting {
            issuer: format!("https://{}", self.issuer),
            audience: Some(token.audience.to_owned()),
            form: token.form,
            issued_at: 0,
            token_id: String::new(),
        };
        let mut claims = claims(token.run, &minting);
        if !token.own_workflow {
            claims.remove("job_workflow_ref");
        }
        claims
    }
}

/// What makes a decision depend on `key`, in a sentence.
pub(super) fn open_key(key: &str) -> String {
    format!("A policy tests `{key}`, which is known only when the request is made.")
}

/// The issuer that the policy lets in, or GitHub's own where it lets in everyone.
fn issuer(document: &Document) -> Option<String> {
    let mut allowing = document
        .statements
        .iter()
        .filter(|statement| statement.effect == Effect::Allow);
    allowing.find_map(|statement| match statement.principal.as_ref()? {
        PrincipalElement::Principal(PrincipalSet::Everyone) | PrincipalElement::NotPrincipal(_) => {
            Some(GITHUB_ISSUER.to_owned())
        }
        PrincipalElement::Principal(PrincipalSet::Listed(entries)) => {
            entries.iter().find_map(|entry| match entry.kind {
                PrincipalType::Aws if entry.value == "*" => Some(GITHUB_ISSUER.to_owned()),
                PrincipalType::Federated => {
                    let (_, issuer) = entry.value.split_once(":oidc-provider/")?;
                    let host = issuer.split('/').next();
                    (host == Some(GITHUB_ISSUER)).then(|| issuer.to_owned())
                }
                _ => None,
            })
        }
    })
}
