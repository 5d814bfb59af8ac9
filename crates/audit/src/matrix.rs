//! The matrix: every role that GitHub's runs can assume against every kind of
//! caller, with what each may then do. Decided by the policy engine, caller by
//! caller; for the set of all callers there is the proof.

mod callers;
mod examples;
mod known;
mod permissions;
mod session;
#[cfg(test)]
mod tests;
mod trust;

use std::collections::BTreeMap;

use receipts::{Matrix, RoleAccess};
use terraform::{Resource, Role, Value};

use crate::jobs::{IdentityJob, RoleUse, identity_jobs};
use crate::permissions::{Gathered, Inventory};
use crate::{Setup, TerraformRoot, findings};
use callers::{Asking, Callers};
use permissions::Permissions;
use trust::Trust;

/// Who may assume each role, and push, pull and delete by it.
pub fn matrix(setup: &Setup) -> Matrix {
    let jobs = identity_jobs(setup);
    let jobs = JobsByRole::new(&jobs);
    let callers = setup
        .repository
        .as_ref()
        .map(|own| Callers::new(own, setup));
    let mut matrix = Matrix {
        repository: setup
            .repository
            .as_ref()
            .map(|own| format!("{}/{}", own.owner, own.name)),
        ..Matrix::default()
    };
    if callers.is_none() {
        matrix.unknowns.push(
            "The repository's name is not known, so there is no caller to try: set `github.repository` in longshore.toml."
                .to_owned(),
        );
    }
    if setup.roots.is_empty() {
        matrix.unknowns.push(
            "No Terraform root was read, so no role is known: set `aws.terraform` in longshore.toml."
                .to_owned(),
        );
    }
    let inventory = Inventory::of(setup);
    for root in &setup.roots {
        for role in &root.aws.roles {
            let subject = Subject {
                setup,
                root,
                role,
                asking: jobs.of(setup, &role.arn),
            };
            matrix
                .roles
                .extend(subject.access(callers.as_ref(), &inventory));
        }
        matrix.roles.extend(left_out(root));
    }
    matrix
        .roles
        .sort_by(|left, right| (&left.role, &left.location).cmp(&(&right.role, &right.location)));
    matrix
}

/// The jobs by the ARN that they ask for.
struct JobsByRole<'a> {
    by_role: BTreeMap<&'a str, Vec<&'a IdentityJob<'a>>>,
    /// Those of which only GitHub knows which role they ask for.
    unknown: Vec<&'a IdentityJob<'a>>,
}

impl<'a> JobsByRole<'a> {
    fn new(jobs: &'a [IdentityJob<'a>]) -> Self {
        let mut by_role: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        let mut unknown = Vec::new();
        for job in jobs {
            match &job.role {
                RoleUse::Arn(arn) => by_role.entry(arn).or_default().push(job),
                RoleUse::Unknown(_) => unknown.push(job),
            }
        }
        Self { by_role, unknown }
    }

    fn of(&self, setup: &Setup, role: &str) -> Asking<'a> {
        let found = self.by_role.get(role);
        Asking {
            jobs: found.unwrap_or(&self.unknown).clone(),
            certain: found.is_some(),
            publishes: setup.publisher_role.as_deref() == Some(role),
        }
    }
}

/// One role with all that has a say about it.
struct Subject<'a> {
    setup: &'a Setup,
    root: &'a TerraformRoot,
    role: &'a Role,
    asking: Asking<'a>,
}

impl Subject<'_> {
    /// `None` for a role that GitHub's runs cannot ask for.
    fn access(&self, callers: Option<&Callers>, inventory: &Inventory<'_>) -> Option<RoleAccess> {
        let attached = inventory.attached(self.root, self.role);
        let mut access = RoleAccess {
            role: self.role.arn.clone(),
            location: Some(findings::location(&self.role.place)),
            subjects: self.subjects(attached),
            ecr_repositories: self.ecr_repositories(),
            ..RoleAccess::default()
        };
        let trust = match Trust::read(self.role, &self.root.aws) {
            Ok(trust) => trust?,
            Err(reason) => {
                access.unknown = Some(reason);
                return Some(access);
            }
        };
        let repositories = access.ecr_repositories.clone();
        let each = repositories.iter().map(|repository| {
            let repository = repository.as_str();
            let gathered = Gathered::new(inventory, self.root, self.role, Some(repository));
            (gathered, repository)
        });
        let permissions = Permissions(each.collect());
        if let Some(callers) = callers {
            access.callers = callers.at(&trust, &permissions, &self.asking);
        }
        Some(access)
    }

    fn subjects(&self, attached: &[&Resource]) -> Vec<String> {
        let mut subjects: Vec<String> = attached
            .iter()
            .map(|resource| resource.address.clone())
            .collect();
        subjects.extend(self.asking.jobs.iter().map(|job| job.subject.clone()));
        subjects.sort();
        subjects.dedup();
        subjects
    }

    /// The repositories that are published to; where nobody says, those of the role's own
    /// Terraform root.
    fn ecr_repositories(&self) -> Vec<String> {
        let published = &self.setup.ecr_repositories;
        if !published.is_empty() {
            return published.clone();
        }
        let resources = self.root.root.resources.iter();
        let own = resources.filter(|resource| resource.kind == "aws_ecr_repository");
        let arns = own.filter_map(|own| own.attributes.get("arn")?.as_str());
        arns.map(str::to_owned).collect()
    }
}

/// Roles of which something that matters is not known.
fn left_out(root: &TerraformRoot) -> impl Iterator<Item = RoleAccess> {
    let unknowns = &root.aws.unknowns;
    root.root
        .resources
        .iter()
        .filter(|resource| resource.kind == "aws_iam_role")
        .filter(|resource| {
            !root
                .aws
                .roles
                .iter()
                .any(|role| role.place == resource.place)
        })
        .filter(|resource| may_name_github(resource))
        .map(move |resource| RoleAccess {
            role: resource
                .attributes
                .get("arn")
                .and_then(Value::as_str)
                .unwrap_or(&resource.address)
                .to_owned(),
            location: Some(findings::location(&resource.place)),
            subjects: vec![resource.address.clone()],
            unknown: Some(
                unknowns
                    .iter()
                    .find(|unknown| unknown.address == resource.address)
                    .map_or_else(
                        || "it is not known whether the role is made at all".to_owned(),
                        |unknown| {
                            format!("`{}` is not known: {}", unknown.attribute, unknown.reason)
                        },
                    ),
            ),
            ..RoleAccess::default()
        })
}

/// Whether its trust policy names GitHub's issuer, or cannot be known.
fn may_name_github(resource: &Resource) -> bool {
    match resource.attributes.get("assume_role_policy") {
        Some(Value::String(text)) => text.contains(policy::keys::GITHUB_ISSUER),
        Some(value) => value.unknown_reason().is_some(),
        None => false,
    }
}
