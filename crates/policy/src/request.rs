//! What is asked, and which policies have a say in it.

use serde::Serialize;

use crate::{Context, Document, Principal};

/// One request to be decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub principal: Principal,
    /// `service:Action`, such as `ecr:PutImage`; case does not matter.
    pub action: String,
    /// ARN of the resource, or `*` for actions that have none.
    pub resource: String,
    /// Twelve-digit id of the account that owns the resource. For an action
    /// without a resource this is the caller's own account.
    pub resource_account: String,
    /// Condition keys. The engine adds `aws:ResourceAccount` and those that
    /// follow from the principal, where they are missing and known.
    pub context: Context,
}

impl Request {
    /// The condition keys with those that follow from the request itself (IAM
    /// User Guide, "AWS global condition context keys"). A value set by the
    /// caller wins.
    pub(crate) fn complete_context(&self) -> Context {
        let mut context = self.context.clone();
        let mut add = |key: &str, value: &str| {
            if context.get(key).is_none() {
                context.insert(key, value);
            }
        };
        add("aws:ResourceAccount", &self.resource_account);
        let (arn, kind) = match &self.principal {
            Principal::Anonymous => {
                add("aws:userid", "anonymous");
                (None, "Anonymous")
            }
            Principal::AccountRoot { account } => {
                add("aws:userid", account);
                (Some(self.principal.display_name()), "Account")
            }
            Principal::User { arn, .. } => {
                add("aws:username", arn.rsplit('/').next().unwrap_or_default());
                (Some(arn.clone()), "User")
            }
            Principal::AssumedRole { role_arn, .. } => (Some(role_arn.clone()), "AssumedRole"),
            Principal::Service { name } => {
                add("aws:PrincipalIsAWSService", "true");
                add("aws:PrincipalServiceName", name);
                return context;
            }
            // What STS fills for a caller without an AWS identity is not documented.
            Principal::Federated { .. } => return context,
        };
        add("aws:PrincipalType", kind);
        add("aws:PrincipalIsAWSService", "false");
        if let Some(arn) = arn {
            add("aws:PrincipalArn", &arn);
        }
        if let Some(account) = self.principal.account() {
            add("aws:PrincipalAccount", account);
        }
        context
    }
}

/// The kinds of policy that take part in a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyKind {
    /// Attached to the user or role.
    Identity,
    /// Attached to the resource.
    Resource,
    /// Passed when the session was made.
    Session,
    /// Permissions boundary of the user or role.
    PermissionsBoundary,
    /// Service control policy (SCP) of the caller's account.
    ServiceControl,
    /// Resource control policy (RCP) of the resource's account.
    ResourceControl,
    /// Trust policy of a role.
    Trust,
}

/// A policy document with the name that reports use for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPolicy {
    /// Policy name or ARN. AWS prints only ARNs in its denial texts.
    pub name: String,
    /// The document.
    pub document: Document,
}

/// The policies that apply to one request. For the optional kinds `None` means
/// "not in force", which does not limit anything; an empty list allows nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policies {
    /// Identity policies of the caller.
    pub identity: Vec<NamedPolicy>,
    /// Policy of the resource.
    pub resource: Option<NamedPolicy>,
    /// Policy of the registry that holds the resource, in ECR: it has the same
    /// say as the resource's own (Amazon ECR User Guide, "Private registry
    /// permissions").
    pub registry: Option<NamedPolicy>,
    /// Session policies.
    pub session: Option<Vec<NamedPolicy>>,
    /// Permissions boundary.
    pub boundary: Option<NamedPolicy>,
    /// Service control policies of the caller's account by level: root, each
    /// unit above the account, the account. Every level must allow; without
    /// levels they are not in force, and a level without policies allows nothing.
    pub service_control: Vec<Vec<NamedPolicy>>,
    /// Resource control policies of the resource's account, by level likewise.
    pub resource_control: Vec<Vec<NamedPolicy>>,
}
