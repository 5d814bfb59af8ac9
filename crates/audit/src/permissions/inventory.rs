//! Where the policies of roles are looked up.

use std::collections::BTreeMap;

use terraform::{EcrRepository, ManagedPolicy, Resource, Role, Value};

use crate::{Setup, TerraformRoot};

/// The policies and repositories of all Terraform roots, made once for a setup.
pub(crate) struct Inventory<'a> {
    managed: BTreeMap<&'a str, (&'a TerraformRoot, &'a ManagedPolicy)>,
    repositories: BTreeMap<&'a str, &'a EcrRepository>,
    attached: ByRole<'a>,
    /// Policies and attachments of which it is not known how many there are.
    repeated: ByRole<'a>,
}

/// Resources by root and name of the role.
type ByRole<'a> = BTreeMap<&'a str, BTreeMap<&'a str, Vec<&'a Resource>>>;

impl<'a> Inventory<'a> {
    pub(crate) fn of(setup: &'a Setup) -> Self {
        let mut inventory = Self {
            managed: BTreeMap::new(),
            repositories: BTreeMap::new(),
            attached: BTreeMap::new(),
            repeated: BTreeMap::new(),
        };
        for root in &setup.roots {
            for policy in &root.aws.policies {
                inventory
                    .managed
                    .entry(&policy.arn)
                    .or_insert((root, policy));
            }
            for repository in &root.aws.repositories {
                inventory
                    .repositories
                    .entry(&repository.arn)
                    .or_insert(repository);
            }
            attach(&mut inventory.attached, root, &root.root.resources);
            attach(&mut inventory.repeated, root, &root.root.representatives);
        }
        inventory
    }

    /// The policy of a root with this ARN.
    pub(crate) fn managed(&self, arn: &str) -> Option<(&'a TerraformRoot, &'a ManagedPolicy)> {
        self.managed.get(arn).copied()
    }

    /// The ECR repository of a root with this ARN.
    pub(crate) fn repository(&self, arn: &str) -> Option<&'a EcrRepository> {
        self.repositories.get(arn).copied()
    }

    /// The resources of a root that make up a role: its own block, its policies
    /// and what attaches others.
    pub(crate) fn attached(&self, root: &TerraformRoot, role: &Role) -> &[&'a Resource] {
        of_role(&self.attached, root, role)
    }

    /// The policies and attachments of a role of which it is not known how many
    /// there are.
    pub(crate) fn repeated(&self, root: &TerraformRoot, role: &Role) -> &[&'a Resource] {
        of_role(&self.repeated, root, role)
    }
}

fn of_role<'i, 'a>(
    resources: &'i ByRole<'a>,
    root: &TerraformRoot,
    role: &Role,
) -> &'i [&'a Resource] {
    let of_root = resources.get(root.path.as_str());
    let of_role = of_root.and_then(|roles| roles.get(role.name.as_str()));
    of_role.map_or(&[], Vec::as_slice)
}

fn attach<'a>(found: &mut ByRole<'a>, root: &'a TerraformRoot, resources: &'a [Resource]) {
    let of_root = found.entry(&root.path).or_default();
    for resource in resources {
        let names = match resource.kind.as_str() {
            "aws_iam_role" => "name",
            "aws_iam_role_policy" | "aws_iam_role_policy_attachment" => "role",
            _ => continue,
        };
        if let Some(name) = resource.attributes.get(names).and_then(Value::as_str) {
            of_root.entry(name).or_default().push(resource);
        }
    }
}
