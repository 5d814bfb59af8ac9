//! What the session of a role may do with the ECR repository.

use policy::keys::in_session;
use policy::{Context, Document, NamedPolicy, Policies};
use receipts::{Access, Answer, SessionAccess};
use terraform::{EcrRepository, Resource, Role, Value};

use super::known::Keys;
use super::session::Session;
use super::trust::{Token, Trust};
use super::{Subject, managed};
use crate::reading::{Reading, open_keys, read_as};

const DENY_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
const OPEN_TO_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*"}]}"#;

/// The policies of a role's sessions, with what is not known of them.
pub(super) struct Permissions<'a> {
    role: &'a Role,
    ecr_repository: Option<&'a str>,
    repository: Option<&'a EcrRepository>,
    region: Option<&'a str>,
    known: Policies,
    /// Allow at most, and at least, what is not known may allow.
    widest: Vec<NamedPolicy>,
    narrowest: Vec<NamedPolicy>,
    boundary_unknown: bool,
    resource_unknown: bool,
    unknowns: Vec<String>,
}

impl<'a> Permissions<'a> {
    pub(super) fn gather(
        subject: &Subject<'a>,
        attached: &[&Resource],
        ecr_repository: Option<&'a str>,
    ) -> Self {
        let mut permissions = Self {
            role: subject.role,
            ecr_repository,
            repository: None,
            region: subject.root.aws.region.as_deref(),
            known: Policies::default(),
            widest: Vec::new(),
            narrowest: Vec::new(),
            boundary_unknown: false,
            resource_unknown: false,
            unknowns: Vec::new(),
        };
        permissions.add_identity_policies(subject);
        permissions.add_what_is_left_out(attached);
        permissions.add_boundary(subject);
        permissions.add_repository_policy(subject);
        permissions
    }

    fn add_identity_policies(&mut self, subject: &Subject<'_>) {
        for (name, document) in &self.role.inline_policies {
            match Document::parse(document) {
                Ok(document) => self.known.identity.push(named(name, document)),
                Err(error) => self.unknown(
                    format!("The policy `{name}` cannot be read: {error}."),
                    true,
                ),
            }
        }
        for arn in &self.role.attached_policies {
            if let Some(document) = managed_policy(subject, arn) {
                self.known.identity.push(named(arn, document));
                continue;
            }
            // AWS's own policies allow, with few exceptions (inferred from the names).
            let may_deny = !arn.contains("::aws:policy/") || arn.contains("Deny");
            self.unknown(
                format!("The policy `{arn}` is not in these files."),
                may_deny,
            );
        }
    }

    /// Policies that Terraform attaches and that cannot be known before an apply.
    fn add_what_is_left_out(&mut self, attached: &[&Resource]) {
        for resource in attached {
            for attribute in ["policy", "policy_arn"] {
                let reason = resource
                    .attributes
                    .get(attribute)
                    .and_then(Value::unknown_reason);
                if let Some(reason) = reason {
                    self.unknown(
                        format!("`{}.{attribute}` is not known: {reason}.", resource.address),
                        true,
                    );
                }
            }
        }
    }

    fn add_boundary(&mut self, subject: &Subject<'_>) {
        let Some(arn) = &self.role.permissions_boundary else {
            return;
        };
        self.known.boundary = managed_policy(subject, arn).map(|document| named(arn, document));
        if self.known.boundary.is_none() {
            self.boundary_unknown = true;
            self.unknowns.push(format!(
                "The permissions boundary `{arn}` is not in these files."
            ));
        }
    }

    fn add_repository_policy(&mut self, subject: &Subject<'a>) {
        let Some(name) = self
            .ecr_repository
            .and_then(|arn| arn.split_once(":repository/"))
            .map(|(_, name)| name)
        else {
            return;
        };
        let mut repositories = subject
            .setup
            .roots
            .iter()
            .flat_map(|root| &root.aws.repositories);
        self.repository = repositories.find(|repository| repository.name == name);
        let Some(repository) = self.repository else {
            self.resource_unknown = true;
            self.unknowns.push(format!(
                "The ECR repository `{name}` is not known in full from these files, so its own policy is not known."
            ));
            return;
        };
        match repository.policy.as_deref().map(Document::parse) {
            None => {}
            Some(Ok(document)) => {
                self.known.resource = Some(named("policy of the repository", document));
            }
            Some(Err(error)) => {
                self.resource_unknown = true;
                self.unknowns
                    .push(format!("The repository's policy cannot be read: {error}."));
            }
        }
    }

    fn unknown(&mut self, reason: String, may_deny: bool) {
        self.unknowns.push(reason);
        self.widest.extend(literal(&managed::allowing(&["*"])));
        if may_deny {
            self.narrowest.extend(literal(DENY_ALL));
        }
    }

    /// What the session that `token` gets may do.
    pub(super) fn access(&self, trust: &Trust<'_>, token: &Token<'_>) -> SessionAccess {
        let Some(repository) = self.ecr_repository else {
            let unknown = Access {
                answer: Answer::Unknown,
                reason: "No ECR repository is known.".to_owned(),
            };
            return SessionAccess {
                push: unknown.clone(),
                pull: unknown.clone(),
                delete: unknown,
            };
        };
        let session = Session {
            permissions: self,
            account: &trust.account,
            context: self.context(trust, token),
            repository,
        };
        session.access()
    }

    fn context(&self, trust: &Trust<'_>, token: &Token<'_>) -> Context {
        let mut context = trust.session_context(token);
        for (key, value) in &self.role.tags {
            context.insert(&format!("aws:PrincipalTag/{key}"), value.clone());
        }
        for (key, value) in self.repository.iter().flat_map(|found| &found.tags) {
            context.insert(&format!("aws:ResourceTag/{key}"), value.clone());
            context.insert(&format!("ecr:ResourceTag/{key}"), value.clone());
        }
        if let Some(region) = self.region {
            context.insert("aws:RequestedRegion", region);
        }
        context
    }

    pub(super) fn role(&self) -> &Role {
        self.role
    }

    /// What is not known of the policies, one sentence each.
    pub(super) fn unknowns(&self) -> &[String] {
        &self.unknowns
    }

    /// The condition keys that only the request decides.
    pub(super) fn open_keys(&self, context: &Context) -> Vec<String> {
        let known = &self.known;
        let policies = known.identity.iter().chain(&known.resource);
        let documents = policies
            .chain(&known.boundary)
            .map(|policy| &policy.document);
        let keys = keys(context);
        open_keys(documents, |condition| keys.leave_open(condition))
    }

    /// The policies of a session, what is not known among them taken as `reading` says.
    pub(super) fn policies(&self, context: &Context, reading: Reading) -> Policies {
        let keys = keys(context);
        let is_open = |condition: &policy::Condition| keys.leave_open(condition);
        let read = |policy: &NamedPolicy| NamedPolicy {
            name: policy.name.clone(),
            document: read_as(&policy.document, is_open, reading),
        };
        let mut policies = Policies {
            identity: self.known.identity.iter().map(read).collect(),
            resource: self.known.resource.as_ref().map(read),
            boundary: self.known.boundary.as_ref().map(read),
            ..Policies::default()
        };
        let (open, wide) = match reading {
            Reading::Widest => (&self.widest, true),
            Reading::Narrowest => (&self.narrowest, false),
        };
        policies.identity.extend(open.iter().cloned());
        if self.boundary_unknown && !wide {
            policies.boundary = literal(DENY_ALL);
        }
        if self.resource_unknown && wide {
            policies.resource = literal(OPEN_TO_ALL);
        }
        policies
    }
}

fn keys(context: &Context) -> Keys<'_> {
    Keys {
        context,
        presence: in_session,
        in_session: true,
    }
}

/// The document of a managed policy, of AWS or of one of the roots.
fn managed_policy(subject: &Subject<'_>, arn: &str) -> Option<Document> {
    let own = subject
        .setup
        .roots
        .iter()
        .flat_map(|root| &root.aws.policies)
        .find(|policy| policy.arn == arn);
    match own {
        Some(policy) => Document::parse(&policy.document).ok(),
        None => Document::parse(&managed::document(arn)?).ok(),
    }
}

fn named(name: &str, document: Document) -> NamedPolicy {
    NamedPolicy {
        name: name.to_owned(),
        document,
    }
}

/// One of the documents above.
fn literal(document: &str) -> Option<NamedPolicy> {
    let document = Document::parse(document).ok()?;
    Some(named("what is not known", document))
}
