//! The policies that decide what a role's sessions may do.

use policy::{
    ActionElement, Condition, Context, Document, Effect, NamedPolicy, Policies, Principal, Request,
    ResourceElement,
};
use terraform::{Declaration, EcrRepository, Origin, Place, Resource, Role, Value};

use super::actions::harmless;
use super::inventory::Inventory;
use super::managed;
use crate::TerraformRoot;
use crate::reading::{Keys, Reading, open_keys, read_as};

/// A policy of a role.
#[derive(Debug, Clone)]
pub(crate) struct SeenPolicy<'a> {
    /// Its name, or its ARN.
    pub(crate) name: &'a str,
    /// The Terraform address that findings about it name.
    pub(crate) address: &'a str,
    /// Where that stands.
    pub(crate) place: Place,
    /// Where its document is written; `None` for AWS's own.
    pub(crate) origin: Option<&'a Origin>,
    /// The root that it stands in, whose texts hold its files.
    pub(crate) root: Option<&'a TerraformRoot>,
    /// The document as text, for those that a root holds.
    pub(crate) text: Option<&'a str>,
    /// The document, if it is one.
    pub(crate) document: Option<Document>,
}

/// All that has a say in what the sessions of a role may do.
#[derive(Debug, Clone)]
pub(crate) struct Gathered<'a> {
    pub(crate) role: &'a Role,
    /// Identity policies.
    pub(crate) identity: Vec<SeenPolicy<'a>>,
    pub(crate) boundary: Option<NamedPolicy>,
    /// Where the boundary is set.
    pub(crate) boundary_place: Place,
    repository: Option<&'a EcrRepository>,
    /// The repository's own policy, named by the repository's ARN.
    pub(crate) resource: Option<NamedPolicy>,
    /// What is not known, one sentence each.
    pub(crate) unknowns: Vec<String>,
    open: Open,
    region: Option<String>,
}

/// The policies that are not known.
#[derive(Debug, Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each kind of policy by itself"
)]
struct Open {
    identity: bool,
    /// One of them may deny.
    deny: bool,
    boundary: bool,
    resource: bool,
}

const DENY_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
const OPEN_TO_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*"}]}"#;

impl<'a> Gathered<'a> {
    /// The policies of a role of `root`; `repository` is the ARN of the ECR
    /// repository whose own policy has a say.
    pub(crate) fn new(
        inventory: &Inventory<'a>,
        root: &'a TerraformRoot,
        role: &'a Role,
        repository: Option<&str>,
    ) -> Self {
        let attached = inventory.attached(root, role);
        let block = attached.iter().find(|one| one.address == role.address);
        let of_repository = repository.and_then(|arn| arn.split(':').nth(3));
        let mut gathered = Self {
            role,
            identity: Vec::new(),
            boundary: None,
            boundary_place: block.map_or_else(
                || role.place.clone(),
                |role| role.place_of("permissions_boundary"),
            ),
            repository: None,
            resource: None,
            unknowns: Vec::new(),
            open: Open::default(),
            region: of_repository
                .or(root.aws.region.as_deref())
                .map(str::to_owned),
        };
        for (name, text) in &role.inline_policies {
            let declared = role.inline_declarations.get(name);
            gathered.add(seen(role, name, text, declared, root));
        }
        for arn in &role.attached_policies {
            gathered.attach(inventory, attached, arn);
        }
        gathered.add_left_out(attached);
        if role.is_partial {
            let address = &role.address;
            let sentence = format!("Not everything of `{address}` is known before an apply.");
            gathered.unknown(true, sentence);
        }
        let repeated = inventory.repeated(root, role).iter();
        for resource in repeated.filter(|resource| resource.kind != "aws_iam_role") {
            let address = &resource.address;
            gathered.unknown(
                true,
                format!("How many there are of `{address}` is not known before an apply."),
            );
        }
        gathered.bound(inventory);
        if let Some(arn) = repository {
            gathered.add_repository(inventory, arn);
        }
        gathered
    }

    fn unknown(&mut self, may_deny: bool, sentence: String) {
        self.open.identity = true;
        self.open.deny |= may_deny;
        self.unknowns.push(sentence);
    }

    fn add(&mut self, policy: SeenPolicy<'a>) {
        if let Some(text) = policy.text
            && let Err(error) = Document::parse(text)
        {
            let name = policy.name;
            self.unknown(
                true,
                format!("The policy `{name}` cannot be read: {error}."),
            );
        }
        self.identity.push(policy);
    }

    fn attach(&mut self, inventory: &Inventory<'a>, attached: &[&Resource], arn: &'a str) {
        let role = self.role;
        if let Some((root, policy)) = inventory.managed(arn) {
            let declared = Some(&policy.declaration);
            self.add(seen(role, arn, &policy.document, declared, root));
        } else if let Some(document) = managed::document(arn) {
            let declared = role.attachments.get(arn);
            let address = declared.map_or(&role.address, |declared| &declared.address);
            self.identity.push(SeenPolicy {
                name: arn,
                address,
                place: attachment_place(role, attached, address),
                origin: None,
                root: None,
                text: None,
                document: Document::parse(&document).ok(),
            });
        } else {
            // AWS's own policies allow, with few exceptions (inferred from the names).
            let may_deny = !arn.contains("::aws:policy/") || arn.contains("Deny");
            let sentence = format!("The policy `{arn}` is not in these files.");
            self.unknown(may_deny, sentence);
        }
    }

    /// Policies that Terraform attaches and that cannot be known before an apply.
    fn add_left_out(&mut self, attached: &[&Resource]) {
        for resource in attached.iter().filter(|one| one.kind != "aws_iam_role") {
            for name in ["policy", "policy_arn"] {
                let value = resource.attributes.get(name);
                if let Some(reason) = value.and_then(Value::unknown_reason) {
                    let address = &resource.address;
                    self.unknown(true, format!("`{address}.{name}` is not known: {reason}."));
                }
            }
        }
    }

    fn bound(&mut self, inventory: &Inventory<'_>) {
        let Some(arn) = &self.role.permissions_boundary else {
            return;
        };
        let text = match inventory.managed(arn) {
            Some((_, policy)) => Some(policy.document.clone()),
            None => managed::document(arn),
        };
        self.boundary = text
            .and_then(|text| Document::parse(&text).ok())
            .map(|document| named(arn, document));
        if self.boundary.is_none() {
            self.open.boundary = true;
            self.unknowns.push(format!(
                "The permissions boundary `{arn}` is not in these files."
            ));
        }
    }

    fn add_repository(&mut self, inventory: &Inventory<'a>, arn: &str) {
        let Some(repository) = inventory.repository(arn) else {
            self.open.resource = true;
            self.unknowns.push(format!(
                "The ECR repository `{arn}` is not known in full from these files, so its own policy is not known."
            ));
            return;
        };
        self.repository = Some(repository);
        match repository.policy.as_deref().map(Document::parse) {
            None => {}
            Some(Ok(document)) => self.resource = Some(named(&repository.arn, document)),
            Some(Err(error)) => {
                self.open.resource = true;
                let name = &repository.name;
                self.unknowns.push(format!(
                    "The policy of the repository `{name}` cannot be read: {error}."
                ));
            }
        }
    }

    /// The same asked about another repository.
    pub(crate) fn about(mut self, inventory: &Inventory<'a>, repository: &str) -> Self {
        (self.repository, self.resource) = (None, None);
        self.add_repository(inventory, repository);
        self
    }

    /// Whether it is the repository whose own policy and tags are known.
    pub(super) fn is_about(&self, resource: &str) -> bool {
        let arn = self.repository.map(|repository| repository.arn.as_str());
        arn == Some(resource)
    }

    /// Whether an identity policy that is not known may allow more.
    pub(crate) fn may_allow_more(&self) -> bool {
        self.open.identity
    }

    /// The keys of every session of the role, beside those of its token.
    pub(crate) fn add_keys(&self, context: &mut Context) {
        // AWS's endpoints speak nothing but TLS to GitHub's runners, which call
        // them themselves.
        context.insert("aws:SecureTransport", "true");
        context.insert("aws:PrincipalIsAWSService", "false");
        context.insert("aws:ViaAWSService", "false");
        for (key, value) in &self.role.tags {
            context.insert(&format!("aws:PrincipalTag/{key}"), value.clone());
        }
        if let Some(region) = &self.region {
            context.insert("aws:RequestedRegion", region.clone());
        }
    }

    /// The keys of a request about the repository.
    pub(crate) fn add_repository_keys(&self, context: &mut Context) {
        for (key, value) in self.repository.iter().flat_map(|found| &found.tags) {
            context.insert(&format!("aws:ResourceTag/{key}"), value.clone());
            context.insert(&format!("ecr:ResourceTag/{key}"), value.clone());
        }
    }

    /// What a session of the role asks.
    pub(crate) fn request(&self, action: &str, resource: &str, context: &Context) -> Request {
        let role = self.role;
        let account = role.arn.split(':').nth(4).unwrap_or_default();
        let owner = resource.split(':').nth(4).unwrap_or(account);
        Request {
            principal: Principal::AssumedRole {
                account: account.to_owned(),
                role_arn: role.arn.clone(),
                session_arn: format!("arn:aws:sts::{account}:assumed-role/{}/any", role.name),
            },
            action: action.to_owned(),
            resource: resource.to_owned(),
            resource_account: owner.to_owned(),
            context: context.clone(),
        }
    }

    /// The policies that are known, under a reading of what only a request
    /// decides.
    pub(crate) fn known_policies(&self, reading: Reading, context: &Context) -> Policies {
        let is_open = |condition: &Condition| Keys::of_session(context).leave_open(condition);
        let read = |policy: &NamedPolicy| NamedPolicy {
            name: policy.name.clone(),
            document: read_as(&policy.document, is_open, reading),
        };
        Policies {
            identity: self
                .documents()
                .map(|(name, document)| named(name, read_as(document, is_open, reading)))
                .collect(),
            boundary: self.boundary.as_ref().map(read),
            resource: self.resource.as_ref().map(read),
            ..Policies::default()
        }
    }

    /// The same with those that are not known, taken as `reading` says.
    pub(crate) fn policies(&self, reading: Reading, context: &Context) -> Policies {
        let mut policies = self.known_policies(reading, context);
        let open = &self.open;
        match reading {
            Reading::Widest => {
                let everything = open.identity.then(|| managed::allowing(&["*"]));
                policies
                    .identity
                    .extend(everything.as_deref().and_then(literal));
                if open.resource {
                    policies.resource = literal(OPEN_TO_ALL);
                }
            }
            Reading::Narrowest => {
                policies
                    .identity
                    .extend(open.deny.then(|| literal(DENY_ALL)).flatten());
                if open.boundary {
                    policies.boundary = literal(DENY_ALL);
                }
            }
        }
        policies
    }

    /// The keys that only a request decides.
    pub(crate) fn open_keys(&self, context: &Context) -> Vec<String> {
        let others = self.boundary.iter().chain(&self.resource);
        let documents = self.documents().map(|(_, document)| document);
        let documents = documents.chain(others.map(|policy| &policy.document));
        let keys = Keys::of_session(context);
        open_keys(documents, |condition| keys.leave_open(condition))
    }

    fn documents(&self) -> impl Iterator<Item = (&str, &Document)> {
        let policies = self.identity.iter();
        policies.filter_map(|policy| Some((policy.name, policy.document.as_ref()?)))
    }

    /// The repositories that policies name one by one.
    pub(crate) fn named_repositories(&self) -> Vec<String> {
        let mut found: Vec<String> = self
            .documents()
            .flat_map(|(_, document)| &document.statements)
            .filter_map(|statement| match &statement.resource {
                Some(ResourceElement::Resource(resources)) => Some(resources),
                _ => None,
            })
            .flatten()
            .filter(|arn| arn.contains(":repository/") && !arn.contains(['*', '?', '$']))
            .cloned()
            .collect();
        found.sort();
        found.dedup();
        found
    }

    /// What is allowed of services other than ECR, as the policies list it.
    pub(super) fn of_other_services(&self) -> Vec<String> {
        let mut found = Vec::new();
        let statements = self
            .documents()
            .flat_map(|(_, document)| &document.statements);
        for statement in statements.filter(|statement| statement.effect == Effect::Allow) {
            let resources = match &statement.resource {
                Some(ResourceElement::Resource(resources)) => resources.join(", "),
                Some(ResourceElement::NotResource(resources)) => {
                    format!("everything but {}", resources.join(", "))
                }
                None => "nothing".to_owned(),
            };
            match &statement.action {
                ActionElement::Action(actions) => {
                    let others = actions.iter().filter(|action| {
                        !action.to_ascii_lowercase().starts_with("ecr:") && !harmless(action)
                    });
                    found.extend(others.map(|action| format!("{action} on {resources}")));
                }
                ActionElement::NotAction(actions) => found.push(format!(
                    "everything but {} on {resources}",
                    actions.join(", ")
                )),
            }
        }
        found
    }
}

/// The line that names the policy which is attached.
fn attachment_place(role: &Role, attached: &[&Resource], address: &str) -> Place {
    match attached.iter().find(|one| one.address == address) {
        Some(resource) if resource.kind == "aws_iam_role" => {
            resource.place_of("managed_policy_arns")
        }
        Some(resource) => resource.place_of("policy_arn"),
        None => role.place.clone(),
    }
}

fn seen<'a>(
    role: &'a Role,
    name: &'a str,
    text: &'a str,
    declared: Option<&'a Declaration>,
    root: &'a TerraformRoot,
) -> SeenPolicy<'a> {
    SeenPolicy {
        name,
        address: declared.map_or(&role.address, |declared| &declared.address),
        place: declared.map_or_else(|| role.place.clone(), |declared| declared.place.clone()),
        origin: declared.map(|declared| &declared.document),
        root: Some(root),
        text: Some(text),
        document: Document::parse(text).ok(),
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
