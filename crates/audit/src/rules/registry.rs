//! ECR repositories: tags that move, images that stay for ever, and who else
//! gets in.

use policy::{
    Document, Effect, PrincipalElement, PrincipalEntry, PrincipalSet, PrincipalType, Statement,
};
use terraform::{EcrRepository, Origin, PolicyPart, Resource, Value};

use super::spots;
use super::trust::values::is_positive;
use crate::findings::{Findings, in_words, location};
use crate::wildcards::matches;
use crate::{Rule, Setup, TerraformRoot};

/// All rules about repositories.
pub(crate) fn check(setup: &Setup, findings: &mut Findings) {
    for root in &setup.roots {
        for repository in &root.aws.repositories {
            let Some(resource) = root.root.resource(&repository.address) else {
                continue;
            };
            let seen = SeenRepository {
                root,
                repository,
                resource,
            };
            seen.mutable_tags(findings);
            seen.without_lifecycle(findings);
            seen.without_scan(findings);
            seen.default_encryption(findings);
            seen.open_policy(findings);
        }
    }
}

struct SeenRepository<'a> {
    root: &'a TerraformRoot,
    repository: &'a EcrRepository,
    resource: &'a Resource,
}

/// Tags that publishes give to say which version it is: a pattern that covers
/// one of them covers more than a name that is meant to move.
const VERSIONS: [&str; 8] = [
    "1.2.3",
    "v1.2.3",
    "1.2",
    "v2",
    "2026-11-24",
    "4f1c2d3e5a6b7c8d9e0f1a2b3c4d5e6f7a8b9c0d",
    "sha-4f1c2d3",
    "release-7",
];

impl SeenRepository<'_> {
    fn name(&self) -> &str {
        &self.repository.name
    }

    fn origin(&self, attribute: &str) -> Option<&Origin> {
        self.resource.origin(attribute)
    }

    fn mutable_tags(&self, findings: &mut Findings) {
        let filters = &self.repository.exclusion_filters;
        let covers_all = filters
            .iter()
            .any(|filter| filter.chars().all(|char| char == '*'));
        let message = match self.repository.mutability.as_str() {
            "MUTABLE" => format!(
                "Every tag of the repository `{}` can be moved to other bytes.",
                self.name()
            ),
            "MUTABLE_WITH_EXCLUSION" if !covers_all => format!(
                "Every tag of the repository `{}` can be moved, but for `{}`.",
                self.name(),
                filters.join("`, `")
            ),
            "IMMUTABLE_WITH_EXCLUSION" => {
                self.wide_filters(findings);
                return;
            }
            _ => return,
        };
        let summary = "Write `IMMUTABLE`, or `IMMUTABLE_WITH_EXCLUSION` with a filter for `latest` where that tag is to move.";
        let fix = match self.origin("image_tag_mutability") {
            Some(origin) if filters.is_empty() => {
                spots::rewrite(self.root, &origin.spot(), "IMMUTABLE", summary)
            }
            _ => in_words(summary),
        };
        let place = self
            .origin("image_tag_mutability")
            .map_or_else(|| self.repository.place.clone(), Origin::place);
        findings
            .add(
                Rule::EcrMutableTags,
                &self.repository.address,
                Some(location(&place)),
                message,
            )
            .fix = fix;
    }

    /// Exclusions from immutability that cover versions.
    fn wide_filters(&self, findings: &mut Findings) {
        for (index, filter) in self.repository.exclusion_filters.iter().enumerate() {
            let Some(version) = VERSIONS.into_iter().find(|tag| matches(filter, tag)) else {
                continue;
            };
            let block = self
                .resource
                .block_origin("image_tag_mutability_exclusion_filter", index);
            let origin = block.and_then(|block| block.get("filter"));
            let place = origin.map_or_else(|| self.repository.place.clone(), Origin::place);
            let message = format!(
                "The exclusion `{filter}` of the repository `{}` also covers tags such as `{version}`, which then can be moved.",
                self.name()
            );
            findings
                .add(
                    Rule::EcrMutableTags,
                    &self.repository.address,
                    Some(location(&place)),
                    message,
                )
                .fix = in_words("Exclude only the names that are to move, such as `latest`.");
        }
    }

    fn without_lifecycle(&self, findings: &mut Findings) {
        if self.repository.lifecycle_policy.is_some() || self.has_unknown_lifecycle() {
            return;
        }
        let message = format!(
            "The repository `{}` has no lifecycle policy: every image is kept until somebody deletes it.",
            self.name()
        );
        findings
            .add(
                Rule::EcrWithoutLifecycle,
                &self.repository.address,
                Some(location(&self.repository.place)),
                message,
            )
            .fix = in_words(
            "Add an `aws_ecr_lifecycle_policy` that expires untagged images and keeps the newest.",
        );
    }

    /// Whether a lifecycle policy may be this repository's and is not known.
    fn has_unknown_lifecycle(&self) -> bool {
        let policies = self.root.root.resources.iter();
        policies
            .filter(|resource| resource.kind == "aws_ecr_lifecycle_policy")
            .any(|resource| match resource.attributes.get("repository") {
                Some(Value::Unknown(_)) => true,
                Some(name) => name.as_str() == Some(self.name()),
                None => false,
            })
    }

    fn without_scan(&self, findings: &mut Findings) {
        if self.repository.scan_on_push || self.scanned_by_registry() {
            return;
        }
        let block = self.origin("image_scanning_configuration");
        let origin = block.and_then(|block| block.get("scan_on_push"));
        let place = self.resource.place_of("image_scanning_configuration");
        let place = origin.map_or(place, Origin::place);
        let message = format!(
            "Images of the repository `{}` are not scanned when they are pushed.",
            self.name()
        );
        let summary = "Set `scan_on_push` of `image_scanning_configuration` to true.";
        let fix = match origin {
            Some(origin) => spots::rewrite(self.root, &origin.spot(), "true", summary),
            None => in_words(summary),
        };
        findings
            .add(
                Rule::EcrWithoutScan,
                &self.repository.address,
                Some(location(&place)),
                message,
            )
            .fix = fix;
    }

    /// Whether the registry's own configuration scans the repository, or may:
    /// it takes the place of the repository's.
    fn scanned_by_registry(&self) -> bool {
        let resources = self.root.root.resources.iter();
        resources
            .filter(|resource| resource.kind == "aws_ecr_registry_scanning_configuration")
            .any(|resource| scans(resource, self.name()))
    }

    fn default_encryption(&self, findings: &mut Findings) {
        let configured = self.resource.attributes.get("encryption_configuration");
        let is_there = match configured {
            Some(Value::List(blocks)) => !blocks.is_empty(),
            Some(Value::Unknown(_)) => true,
            _ => false,
        };
        if is_there {
            return;
        }
        let message = format!(
            "The repository `{}` does not say how it is encrypted, which cannot be changed later.",
            self.name()
        );
        findings
            .add(
                Rule::EcrDefaultEncryption,
                &self.repository.address,
                Some(location(&self.repository.place)),
                message,
            )
            .fix = in_words(
            "Add `encryption_configuration`, with `AES256` or with `KMS` and a key of your own.",
        );
    }

    fn open_policy(&self, findings: &mut Findings) {
        let repository = self.repository;
        let (Some(text), Some(declared)) = (&repository.policy, &repository.policy_declaration)
        else {
            return;
        };
        let Ok(document) = Document::parse(text) else {
            return;
        };
        let account = repository.arn.split(':').nth(4).unwrap_or_default();
        for (index, statement) in document.statements.iter().enumerate() {
            let Some((who, value)) = outsiders(statement, account) else {
                continue;
            };
            let part = match value {
                Some(value) => PolicyPart::ElementValue(index, "Principal", value),
                None => PolicyPart::Element(index, principal_name(statement)),
            };
            let spot = declared.document.policy_part(part);
            let message = format!(
                "The policy of the repository `{}` lets {who} use `{}`.",
                self.name(),
                actions(statement)
            );
            findings
                .add(
                    Rule::EcrOpenPolicy,
                    &declared.address,
                    spots::at(&spot),
                    message,
                )
                .fix = in_words(
                "Name the role that may, and only the actions it needs; within one account no repository policy is needed.",
            );
        }
    }
}

fn principal_name(statement: &Statement) -> &'static str {
    match &statement.principal {
        Some(PrincipalElement::NotPrincipal(_)) => "NotPrincipal",
        _ => "Principal",
    }
}

fn actions(statement: &Statement) -> String {
    let (policy::ActionElement::Action(listed) | policy::ActionElement::NotAction(listed)) =
        &statement.action;
    let not = matches!(&statement.action, policy::ActionElement::NotAction(_));
    let listed = listed.join("`, `");
    if not {
        format!("everything but {listed}")
    } else {
        listed
    }
}

/// Keys by which a statement for everyone is limited to some.
const OF_CALLERS: [&str; 6] = [
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:SourceAccount",
    "aws:SourceArn",
];

/// Whom a statement lets in from outside of the account, with the principal.
fn outsiders<'s>(statement: &'s Statement, account: &str) -> Option<(String, Option<&'s str>)> {
    if statement.effect == Effect::Deny {
        return None;
    }
    let narrowed = statement.conditions.iter().any(|condition| {
        is_positive(condition)
            && OF_CALLERS
                .iter()
                .any(|key| condition.key.eq_ignore_ascii_case(key))
    });
    let entries = match &statement.principal {
        Some(PrincipalElement::NotPrincipal(_)) if !narrowed => {
            return Some(("everyone whom it does not list".to_owned(), None));
        }
        Some(PrincipalElement::Principal(PrincipalSet::Everyone)) if !narrowed => {
            return Some(("every AWS account".to_owned(), None));
        }
        Some(PrincipalElement::Principal(PrincipalSet::Listed(entries))) => entries,
        _ => return None,
    };
    let of_aws = entries
        .iter()
        .filter(|entry| entry.kind == PrincipalType::Aws);
    of_aws
        .filter(|_| !narrowed)
        .find_map(|entry| outsider(entry, account, statement))
}

fn outsider<'s>(
    entry: &'s PrincipalEntry,
    account: &str,
    statement: &Statement,
) -> Option<(String, Option<&'s str>)> {
    let value = entry.value.as_str();
    if value == "*" {
        return Some(("every AWS account".to_owned(), Some(value)));
    }
    let other = if value.len() == 12 && value.bytes().all(|byte| byte.is_ascii_digit()) {
        value
    } else {
        value.split(':').nth(4)?
    };
    // Another account that has to meet a condition was thought about.
    let is_other = !other.is_empty() && other != account && statement.conditions.is_empty();
    is_other.then(|| (format!("the account `{other}`"), Some(value)))
}

/// Whether a registry's scanning configuration covers a repository, or may.
fn scans(resource: &Resource, repository: &str) -> bool {
    let rules = match resource.attributes.get("rule") {
        Some(Value::List(rules)) => rules,
        Some(Value::Unknown(_)) => return true,
        _ => return false,
    };
    let text = |object: &Value, name: &str| match object {
        Value::Object(entries) => entries.get(name).cloned(),
        _ => None,
    };
    rules.iter().any(|rule| {
        let frequency = text(rule, "scan_frequency");
        let manual = frequency.as_ref().and_then(Value::as_str) == Some("MANUAL");
        let filters = match text(rule, "repository_filter") {
            Some(Value::List(filters)) => filters,
            Some(Value::Unknown(_)) => return !manual,
            _ => return false,
        };
        !manual
            && filters.iter().any(|filter| match text(filter, "filter") {
                Some(Value::String(pattern)) => matches(&pattern, repository),
                Some(Value::Unknown(_)) => true,
                _ => false,
            })
    })
}

#[cfg(test)]
mod tests;
