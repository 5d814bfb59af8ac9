//! Policies of ECR repositories.

use super::finding::{Complaint, Finding, findings};
use crate::document::{Document, ResourceElement};

/// AWS's code for whatever is wrong with a repository policy.
const CODE: &str = "InvalidParameterException";

/// What ECR rejects at `SetRepositoryPolicy`: a statement without a principal,
/// or with a resource, because the policy speaks of its own repository (ECR User
/// Guide, "Private repository policies"). ECR has one sentence for both; these
/// are ours.
pub fn validate_repository(document: &Document) -> Vec<Finding> {
    let mut found = findings(document, |statement| {
        let mut complaints = Vec::new();
        if statement.principal.is_none() {
            let message = "A statement of a repository policy must name a principal.";
            complaints.push(Complaint::new([], message));
        }
        let resource = match &statement.resource {
            Some(ResourceElement::Resource(_)) => "Resource",
            Some(ResourceElement::NotResource(_)) => "NotResource",
            None => return complaints,
        };
        let message = format!("A repository policy has no {resource}: it is for its repository.");
        complaints.push(Complaint::new([resource.into()], message));
        complaints
    });
    for finding in &mut found {
        finding.code = CODE;
    }
    found
}
