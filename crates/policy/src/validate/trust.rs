//! Trust policies of roles.

use super::finding::{Complaint, Finding, findings, statement_ids};
use super::{principals, shared_issuers};
use crate::document::{ActionElement, Document, PrincipalElement, ResourceElement, Statement};

/// What IAM rejects in a trust policy at `CreateRole` and
/// `UpdateAssumeRolePolicy`. Roles written before a rule came into force keep
/// working, which is why evaluation does not ask for it.
pub fn validate_trust(document: &Document) -> Vec<Finding> {
    let mut found = findings(document, |statement| {
        let mut complaints = principal(statement);
        complaints.extend(resource(statement));
        complaints.extend(actions(&statement.action));
        complaints
    });
    found.extend(statement_ids(document));
    found
}

fn principal(statement: &Statement) -> Vec<Complaint> {
    match &statement.principal {
        None => vec![Complaint::new([], "Missing required field Principal")],
        Some(PrincipalElement::NotPrincipal(_)) => vec![Complaint::new(
            ["NotPrincipal".into()],
            "Has prohibited field NotPrincipal",
        )],
        Some(PrincipalElement::Principal(set)) => {
            let mut complaints = principals::invalid(set);
            complaints.extend(shared_issuers::unbound(statement, set));
            complaints
        }
    }
}

fn resource(statement: &Statement) -> Option<Complaint> {
    let name = match statement.resource.as_ref()? {
        ResourceElement::Resource(_) => "Resource",
        ResourceElement::NotResource(_) => "NotResource",
    };
    Some(Complaint::new(
        [name.into()],
        format!("Has prohibited field {name}"),
    ))
}

/// Every action is one of STS. AWS says "`AssumeRole` actions" and publishes no
/// list; that the others of STS pass is inferred.
fn actions(element: &ActionElement) -> Option<Complaint> {
    let message = "AssumeRole policy may only specify STS AssumeRole actions.";
    match element {
        ActionElement::NotAction(_) => Some(Complaint::new(["NotAction".into()], message)),
        ActionElement::Action(actions) => actions
            .iter()
            .position(|action| !action.to_ascii_lowercase().starts_with("sts:"))
            .map(|index| Complaint::new(["Action".into(), index.into()], message)),
    }
}
