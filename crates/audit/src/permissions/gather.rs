//! The policies that decide what a role's sessions may do.

use policy::{ActionElement, Context, Document, Effect, NamedPolicy, Policies, ResourceElement};
use terraform::{Declaration, Origin, Place, Role};

use super::actions::harmless;
use super::is_open;
use crate::matrix::managed;
use crate::reading::{Reading, open_keys, read_as};
use crate::{Setup, TerraformRoot};

/// A policy of a role.
#[derive(Debug)]
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

/// All that has a say in what a role may do.
#[derive(Debug)]
pub(crate) struct Gathered<'a> {
    /// Identity policies.
    pub(crate) identity: Vec<SeenPolicy<'a>>,
    pub(crate) boundary: Option<NamedPolicy>,
    /// Named by the ARN of the repository.
    resource: Option<NamedPolicy>,
    /// What is not known.
    pub(crate) prevented_by: Vec<String>,
    incomplete: bool,
}

impl<'a> Gathered<'a> {
    pub(crate) fn new(setup: &'a Setup, role: &'a Role) -> Self {
        let mut gathered = Self {
            identity: Vec::new(),
            boundary: None,
            resource: None,
            prevented_by: Vec::new(),
            incomplete: false,
        };
        let root = setup
            .roots
            .iter()
            .find(|root| root.aws.roles.iter().any(|other| std::ptr::eq(other, role)));
        for (name, text) in &role.inline_policies {
            let declared = role.inline_declarations.get(name);
            let policy = seen(role, name, Some(text), declared, root);
            gathered.add(policy);
        }
        for arn in &role.attached_policies {
            gathered.attach(setup, role, arn);
        }
        gathered.add_left_out(role, root);
        gathered.bound(setup, role);
        gathered.add_repository(setup);
        gathered
    }

    fn add(&mut self, policy: SeenPolicy<'a>) {
        if policy.document.is_none() {
            self.incomplete = true;
            let line = format!("The policy {} cannot be read.", policy.name);
            self.prevented_by.push(line);
        }
        self.identity.push(policy);
    }

    fn attach(&mut self, setup: &'a Setup, role: &'a Role, arn: &'a str) {
        let attached = role.attachments.get(arn);
        let own = setup.roots.iter().find_map(|root| {
            let mut policies = root.aws.policies.iter();
            let policy = policies.find(|policy| policy.arn == arn)?;
            Some((root, policy))
        });
        if let Some((root, policy)) = own {
            let declared = Some(&policy.declaration);
            self.add(seen(
                role,
                arn,
                Some(&policy.document),
                declared,
                Some(root),
            ));
        } else if let Some(document) = managed::document(arn) {
            let mut policy = seen(role, arn, None, attached, None);
            policy.place = attachment_place(setup, &policy);
            policy.document = Document::parse(&document).ok();
            policy.origin = None;
            self.add(policy);
        } else {
            self.incomplete = true;
            let line = format!("The policy {arn} is not in these files.");
            self.prevented_by.push(line);
        }
    }

    /// Policies of the role that Terraform attaches and that are not known.
    fn add_left_out(&mut self, role: &Role, root: Option<&TerraformRoot>) {
        let Some(root) = root else { return };
        let kinds = ["aws_iam_role_policy", "aws_iam_role_policy_attachment"];
        let resources = root.root.resources.iter();
        for resource in resources.filter(|resource| kinds.contains(&resource.kind.as_str())) {
            let attribute = |name: &str| resource.attributes.get(name);
            let of_role = attribute("role").and_then(terraform::Value::as_str) == Some(&role.name);
            if !of_role {
                continue;
            }
            for name in ["policy", "policy_arn", "name"] {
                let value = attribute(name);
                if let Some(reason) = value.and_then(terraform::Value::unknown_reason) {
                    self.incomplete = true;
                    let line = format!("{}.{name} is not known: {reason}.", resource.address);
                    self.prevented_by.push(line);
                }
            }
        }
    }

    fn bound(&mut self, setup: &Setup, role: &Role) {
        let Some(arn) = &role.permissions_boundary else {
            return;
        };
        let mut policies = setup.roots.iter().flat_map(|root| &root.aws.policies);
        let own = policies.find(|policy| policy.arn == *arn);
        let text = own
            .map(|policy| policy.document.clone())
            .or_else(|| managed::document(arn));
        match text.and_then(|text| Document::parse(&text).ok()) {
            Some(document) => self.boundary = Some(named(arn, document)),
            None => self.prevented_by.push(format!(
                "The permissions boundary {arn} is not in these files."
            )),
        }
    }

    fn add_repository(&mut self, setup: &Setup) {
        let repositories = setup.roots.iter().flat_map(|root| &root.aws.repositories);
        let own = setup.ecr_repository.as_ref();
        let found = own.and_then(|arn| repositories.into_iter().find(|one| one.arn == *arn));
        let Some((repository, text)) =
            found.and_then(|repository| Some((repository, repository.policy.as_ref()?)))
        else {
            return;
        };
        match Document::parse(text) {
            Ok(document) => self.resource = Some(named(&repository.arn, document)),
            Err(_) => self.prevented_by.push(format!(
                "The policy of the repository {} cannot be read.",
                repository.name
            )),
        }
    }

    /// Whether a policy that is not known may allow more.
    pub(crate) fn may_allow_more(&self) -> bool {
        self.incomplete
    }

    /// The policies under a reading of what only a request decides.
    pub(super) fn policies(&self, reading: Reading, context: &Context) -> Policies {
        let is_open = |condition: &policy::Condition| is_open(condition, context);
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

    /// The keys that only a request decides.
    pub(super) fn open_keys(&self, context: &Context) -> Vec<String> {
        let others = self.boundary.iter().chain(&self.resource);
        let documents = self.documents().map(|(_, document)| document);
        let documents = documents.chain(others.map(|policy| &policy.document));
        open_keys(documents, |condition| is_open(condition, context))
    }

    fn documents(&self) -> impl Iterator<Item = (&str, &Document)> {
        let policies = self.identity.iter();
        policies.filter_map(|policy| Some((policy.name, policy.document.as_ref()?)))
    }

    /// The repositories that policies name one by one.
    pub(super) fn named_repositories(&self) -> Vec<String> {
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
fn attachment_place(setup: &Setup, policy: &SeenPolicy<'_>) -> Place {
    let mut roots = setup.roots.iter();
    let resource = roots.find_map(|root| root.root.resource(policy.address));
    match resource {
        Some(resource) if resource.kind == "aws_iam_role" => {
            resource.place_of("managed_policy_arns")
        }
        Some(resource) => resource.place_of("policy_arn"),
        None => policy.place.clone(),
    }
}

fn seen<'a>(
    role: &'a Role,
    name: &'a str,
    text: Option<&'a str>,
    declared: Option<&'a Declaration>,
    root: Option<&'a TerraformRoot>,
) -> SeenPolicy<'a> {
    SeenPolicy {
        name,
        address: declared.map_or(&role.address, |declared| &declared.address),
        place: declared.map_or_else(|| role.place.clone(), |declared| declared.place.clone()),
        origin: declared.map(|declared| &declared.document),
        root,
        text,
        document: text.and_then(|text| Document::parse(text).ok()),
    }
}

fn named(name: &str, document: Document) -> NamedPolicy {
    NamedPolicy {
        name: name.to_owned(),
        document,
    }
}
