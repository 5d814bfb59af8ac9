//! Where the policies of roles are looked up.

use std::collections::BTreeMap;

use terraform::{EcrRepository, ManagedPolicy, Resource, Role, Value};

use crate::{Setup, TerraformRoot};

/// The policies and repositories of all Terraform roots, made once for a setup.
pub(crate) struct Inventory<'a> {
    managed: BTreeMap<&'a str, (&'a TerraformRoot, &'a ManagedPolicy)>,
    repositories: BTreeMap<&'a str, &'a EcrRepository>,
    /// By root and name of the role.
    attached: BTreeMap<&'a str, BTreeMap<&'a str, Vec<&'a Resource>>>,
}

impl<'a> Inventory<'a> {
    pub(crate) fn of(setup: &'a Setup) -> Self {
        let mut inventory = Self {
            managed: BTreeMap::new(),
            repositories: BTreeMap::new(),
            attached: BTreeMap::new(),
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
            inventory.attach(root);
        }
        inventory
    }

    fn attach(&mut self, root: &'a TerraformRoot) {
        let of_root = self.attached.entry(&root.path).or_default();
        for resource in &root.root.resources {
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
        let of_root = self.attached.get(root.path.as_str());
        let of_role = of_root.and_then(|roles| roles.get(role.name.as_str()));
        of_role.map_or(&[], Vec::as_slice)
    }
}
