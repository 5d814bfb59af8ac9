//! Values of Terraform that identity rests on and that are not known.

use std::collections::BTreeMap;

use terraform::{Unknown, Value};

use crate::findings::{Findings, in_words, location};
use crate::{Rule, Setup, TerraformRoot};

/// Attributes that say nothing about who may do what.
const BESIDE: [&str; 10] = [
    "default_tags",
    "description",
    "force_delete",
    "force_detach_policies",
    "id",
    "registry_id",
    "repository_url",
    "tags",
    "tags_all",
    "thumbprint_list",
];

/// Names of modules that may well make roles, providers or repositories.
const OF_IDENTITY: [&str; 7] = [
    "iam", "oidc", "ecr", "github", "role", "registry", "identity",
];

/// Roots that cannot be read, and one finding for each resource or module that
/// is not known in full.
pub(crate) fn check(setup: &Setup, findings: &mut Findings) {
    for root in &setup.unreadable_roots {
        let message = format!(
            "The Terraform root `{}` cannot be read, so nothing in it was checked: {}",
            root.path, root.reason
        );
        let place = root.location.clone();
        findings
            .add(Rule::TerraformUnreadable, &root.path, place, message)
            .fix = in_words(
            "Correct the file; `terraform validate` names the line too. A root that is broken on purpose belongs into `check.exclude`.",
        );
    }
    for root in &setup.roots {
        let mut by_address: BTreeMap<&str, Vec<&Unknown>> = BTreeMap::new();
        for unknown in &root.aws.unknowns {
            if matters(root, unknown) {
                by_address
                    .entry(&unknown.address)
                    .or_default()
                    .push(unknown);
            }
        }
        for (address, unknowns) in by_address {
            report(address, &unknowns, findings);
        }
    }
}

fn report(address: &str, unknowns: &[&Unknown], findings: &mut Findings) {
    // What was configured comes before what follows from it.
    let followed = |unknown: &&&Unknown| unknown.attribute == "arn";
    let Some(first) = unknowns
        .iter()
        .find(|unknown| !followed(unknown))
        .or_else(|| unknowns.first())
    else {
        return;
    };
    let more = unknowns
        .iter()
        .filter(|unknown| unknown.reason != first.reason)
        .count();
    let more = match more {
        0 => String::new(),
        1 => " One more of its values is not known.".to_owned(),
        more => format!(" {more} more of its values are not known."),
    };
    let message = match first.attribute.as_str() {
        "" => format!(
            "`{address}` cannot be known before an apply: {}.{more}",
            first.reason
        ),
        attribute => format!(
            "`{attribute}` of `{address}` cannot be known before an apply: {}.{more}",
            first.reason
        ),
    };
    findings
        .add(
            Rule::TerraformUnknown,
            address,
            Some(location(&first.place)),
            message,
        )
        .fix = in_words(
        "Where the value is no secret, write it into `terraform.tfvars` or derive it from what the files say; what depends on it was not checked.",
    );
}

/// Whether identity rests on a value.
fn matters(root: &TerraformRoot, unknown: &Unknown) -> bool {
    if BESIDE.contains(&unknown.attribute.as_str()) {
        return false;
    }
    match kind(&unknown.address) {
        None => of_identity(unknown),
        Some("aws_iam_role") => !is_role_of_others(root, |role| role == unknown.address),
        // It is in force under any name.
        Some("aws_iam_role_policy") if unknown.attribute == "name" => false,
        Some("aws_iam_role_policy" | "aws_iam_role_policy_attachment") => {
            let resource = root.root.resource(&unknown.address);
            let role = resource.and_then(|resource| resource.attributes.get("role"));
            match role.and_then(Value::as_str) {
                // The role itself is what is not known.
                Some(name) if unknown.attribute == "role" => !is_role_here(root, name),
                Some(name) => !is_role_of_others(root, |role| {
                    let role = root.root.resource(role);
                    let named = role.and_then(|role| role.attributes.get("name"));
                    named.and_then(Value::as_str) == Some(name)
                }),
                None => true,
            }
        }
        Some("aws_iam_policy") => {
            let resource = root.root.resource(&unknown.address);
            let arn = resource.and_then(|resource| resource.attributes.get("arn"));
            let arn = arn.and_then(Value::as_str);
            let roles = root.aws.roles.iter();
            let mut attached = roles
                .filter(|role| super::trust::admits_github(role))
                .flat_map(|role| &role.attached_policies);
            attached.any(|attached| Some(attached.as_str()) == arn)
        }
        Some(
            "aws_iam_openid_connect_provider"
            | "aws_iam_policy_attachment"
            | "aws_ecr_repository"
            | "aws_ecr_repository_policy",
        ) => true,
        Some(_) => false,
    }
}

/// The type in a resource's address; `None` for a module.
fn kind(address: &str) -> Option<&str> {
    let mut parts = address.split('.');
    let mut part = parts.next();
    while part == Some("module") {
        parts.next();
        part = parts.next();
    }
    part.filter(|kind| !kind.is_empty())
}

/// Whether a module's name or source speaks of what identity is made of.
fn of_identity(unknown: &Unknown) -> bool {
    let text = format!("{} {}", unknown.address, unknown.reason).to_ascii_lowercase();
    text.split(|char: char| !char.is_ascii_alphanumeric())
        .any(|word| OF_IDENTITY.contains(&word))
}

/// Whether the root makes a role of this name.
fn is_role_here(root: &TerraformRoot, name: &str) -> bool {
    root.root.resources.iter().any(|resource| {
        let named = resource.attributes.get("name").and_then(Value::as_str);
        resource.kind == "aws_iam_role" && named == Some(name)
    })
}

/// Whether a role is known to be for others than GitHub's runs.
fn is_role_of_others(root: &TerraformRoot, is_it: impl Fn(&str) -> bool) -> bool {
    let roles = root.root.resources.iter();
    roles
        .filter(|resource| resource.kind == "aws_iam_role" && is_it(&resource.address))
        .any(|resource| {
            let trust = resource.attributes.get("assume_role_policy");
            let text = trust.and_then(Value::as_str);
            text.is_some_and(|text| !text.contains("oidc-provider/") && !text.contains("\"*\""))
        })
}

#[cfg(test)]
mod tests;
