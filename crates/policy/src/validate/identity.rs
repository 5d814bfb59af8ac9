//! Policies that are attached to users and roles, or passed for a session.

use super::finding::{Complaint, Finding, MALFORMED, about_document, findings, statement_ids};
use crate::document::{ActionElement, Document, PrincipalElement, ResourceElement, Statement};

/// What IAM rejects in an identity policy.
pub fn validate_identity(document: &Document) -> Vec<Finding> {
    let mut found = findings(document, |statement| {
        let mut complaints: Vec<Complaint> = principal(statement).into_iter().collect();
        complaints.extend(resources(statement));
        complaints.extend(actions(&statement.action));
        complaints
    });
    found.extend(statement_ids(document));
    if document.id.is_some() {
        // Documented as a rule; the text is ours.
        let message = "An identity policy must not have an Id.".to_owned();
        found.push(about_document(MALFORMED, vec!["Id".into()], message));
    }
    found
}

/// What STS rejects in a session policy: the same, and incomplete ARNs (IAM
/// User Guide, "Grammar of the IAM JSON policy language").
pub fn validate_session(document: &Document) -> Vec<Finding> {
    let mut found = validate_identity(document);
    found.extend(findings(document, |statement| {
        let incomplete =
            |resource: &str| resource.starts_with("arn:") && resource.matches(':').count() < 5;
        complaints_about_resources(statement, |resource| {
            incomplete(resource)
                .then(|| format!("Resource {resource} must be a complete ARN in a session policy."))
        })
    }));
    found
}

fn principal(statement: &Statement) -> Option<Complaint> {
    let name = match statement.principal.as_ref()? {
        PrincipalElement::Principal(_) => "Principal",
        PrincipalElement::NotPrincipal(_) => "NotPrincipal",
    };
    Some(Complaint::new(
        [name.into()],
        "Policy document should not specify a principal.",
    ))
}

fn resources(statement: &Statement) -> Vec<Complaint> {
    if statement.resource.is_none() {
        return vec![Complaint::new(
            [],
            "Policy statement must contain resources.",
        )];
    }
    complaints_about_resources(statement, |resource| {
        if resource != "*" && !resource.starts_with("arn:") {
            return Some(format!(
                "Resource {resource} must be in ARN format or \"*\"."
            ));
        }
        // IAM User Guide, "IAM JSON policy elements: Resource".
        let service = resource.split(':').nth(2).unwrap_or_default();
        service.contains(['*', '?']).then(|| {
            "Resource vendor must be fully qualified and cannot contain regexes.".to_owned()
        })
    })
}

fn complaints_about_resources(
    statement: &Statement,
    complain: impl Fn(&str) -> Option<String>,
) -> Vec<Complaint> {
    let (name, resources) = match &statement.resource {
        Some(ResourceElement::Resource(resources)) => ("Resource", resources.as_slice()),
        Some(ResourceElement::NotResource(resources)) => ("NotResource", resources.as_slice()),
        None => return Vec::new(),
    };
    resources
        .iter()
        .enumerate()
        .filter_map(|(index, resource)| {
            let message = complain(resource)?;
            Some(Complaint::new([name.into(), index.into()], message))
        })
        .collect()
}

fn actions(element: &ActionElement) -> Vec<Complaint> {
    let (name, actions) = match element {
        ActionElement::Action(actions) => ("Action", actions),
        ActionElement::NotAction(actions) => ("NotAction", actions),
    };
    actions
        .iter()
        .enumerate()
        .filter_map(|(index, action)| {
            let message = match action.matches(':').count() {
                0 if action == "*" => return None,
                0 => "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
                1 => return None,
                _ => "Actions/Condition can contain only one colon.",
            };
            Some(Complaint::new([name.into(), index.into()], message))
        })
        .collect()
}
