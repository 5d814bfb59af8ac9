//! Permissions of the roles that GitHub's runs can assume: what is allowed too
//! widely, what has no effect, and what a publish lacks or does not need.

mod publisher;
mod statement;

use policy::{PolicyForm, Statement};
use receipts::Location;
use terraform::{PolicyPart, Spot};

use super::spots;
use super::trust::{admits_github, shape::sentence};
use crate::findings::{Findings, in_words, location};
use crate::permissions::{Gathered, Inventory, SeenPolicy};
use crate::{Rule, Setup};

/// All rules about permissions.
pub(crate) fn check(setup: &Setup, inventory: &Inventory<'_>, findings: &mut Findings) {
    for root in &setup.roots {
        for role in root.aws.roles.iter().filter(|role| admits_github(role)) {
            let repository = setup.ecr_repositories.first();
            let repository = repository.map(String::as_str);
            let gathered = Gathered::new(inventory, root, role, repository);
            for policy in &gathered.identity {
                rejected(policy, findings);
                let Some(document) = &policy.document else {
                    continue;
                };
                for (index, statement) in document.statements.iter().enumerate() {
                    let seen = SeenStatement {
                        setup,
                        policy,
                        index,
                        statement,
                    };
                    statement::check(&seen, findings);
                }
            }
            if setup.publisher_role.as_ref() == Some(&role.arn) {
                publisher::check(setup, &gathered, findings);
                for other in setup.ecr_repositories.iter().skip(1) {
                    let gathered = Gathered::new(inventory, root, role, Some(other));
                    publisher::check_other(setup, other, &gathered, findings);
                }
            }
        }
        repositories(root, findings);
    }
}

/// A statement of a policy, with what surrounds it.
struct SeenStatement<'a> {
    setup: &'a Setup,
    policy: &'a SeenPolicy<'a>,
    index: usize,
    statement: &'a Statement,
}

impl SeenStatement<'_> {
    /// Where a part of the statement is written; `None` in a policy of AWS.
    fn spot(&self, part: PolicyPart<'_>) -> Option<Spot> {
        Some(self.policy.origin?.policy_part(part))
    }

    /// Where a part is, or else what attaches the policy.
    fn at(&self, spot: Option<&Spot>) -> Option<Location> {
        match spot {
            Some(spot) => spots::at(spot),
            None => Some(location(&self.policy.place)),
        }
    }

    fn element_value(&self, element: &str, value: &str) -> Option<Spot> {
        self.spot(PolicyPart::ElementValue(self.index, element, value))
    }

    /// How the statement is called in a message.
    fn name(&self) -> String {
        let policy = self.policy.name;
        if self.policy.origin.is_none() {
            return format!("The attached policy `{policy}`");
        }
        match &self.statement.sid {
            Some(sid) if !sid.is_empty() => format!("Statement `{sid}` of the policy `{policy}`"),
            _ => format!("Statement {} of the policy `{policy}`", self.index + 1),
        }
    }
}

/// A policy that IAM does not store.
fn rejected(policy: &SeenPolicy<'_>, findings: &mut Findings) {
    let (Some(text), Some(origin)) = (policy.text, policy.origin) else {
        return;
    };
    let form = if policy.name.starts_with("arn:") {
        PolicyForm::Managed
    } else {
        PolicyForm::Inline
    };
    for problem in policy::check_text(text, form) {
        let spot = spots::of_path(origin, &problem.path);
        let message = format!(
            "IAM does not store the policy `{}` (`{}`): {}",
            policy.name,
            problem.code,
            sentence(&problem.message)
        );
        findings
            .add(
                Rule::PermissionRejectedByIam,
                policy.address,
                spots::at(&spot),
                message,
            )
            .fix = in_words("Change what IAM complains about, or the apply fails half-way.");
    }
}

/// Policies of repositories that ECR does not store.
fn repositories(root: &crate::TerraformRoot, findings: &mut Findings) {
    for repository in &root.aws.repositories {
        let (Some(text), Some(declared)) = (&repository.policy, &repository.policy_declaration)
        else {
            continue;
        };
        for problem in policy::check_text(text, PolicyForm::Repository) {
            let spot = spots::of_path(&declared.document, &problem.path);
            let message = format!(
                "ECR does not store the policy of the repository `{}` (`{}`): {}",
                repository.name,
                problem.code,
                sentence(&problem.message)
            );
            findings
                .add(
                    Rule::PermissionRejectedByIam,
                    &declared.address,
                    spots::at(&spot),
                    message,
                )
                .fix = in_words("Change what ECR complains about, or the apply fails half-way.");
        }
    }
}

#[cfg(test)]
mod tests;
