//! One question that the policy engine was asked during a call, with what it
//! takes to tell afterwards which permission was needed.

use policy::{
    Decision, Document, Effect, NamedPolicy, Outcome, Policies, PolicyKind, Request, Statement,
    Version,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// A question and its answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Authorization {
    /// Such as `ecr:PutImage`.
    action: String,
    /// An ARN, or `*`.
    resource: String,
    outcome: Outcome,
    /// The kind of policy that decided.
    by: Option<PolicyKind>,
    /// The statements of identity policies that allow it, where one is needed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    grants: Vec<Grant>,
    /// Why it is denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// A statement that allows.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Grant {
    policy: String,
    /// `Sid` of the statement, or `Statement[0]` by position.
    statement: String,
    /// As in a policy: values by key by operator.
    #[serde(skip_serializing_if = "Map::is_empty")]
    conditions: Map<String, Value>,
}

impl Authorization {
    /// What `decision` answered to `request` under `policies`.
    pub(crate) fn new(request: &Request, policies: &Policies, decision: &Decision) -> Self {
        let needed = decision.is_allowed() && decision.by == Some(PolicyKind::Identity);
        Self {
            action: request.action.clone(),
            resource: request.resource.clone(),
            outcome: decision.outcome,
            by: decision.by,
            grants: if needed {
                grants(policies, decision)
            } else {
                Vec::new()
            },
            reason: (!decision.is_allowed()).then(|| decision.reason()),
        }
    }
}

fn grants(policies: &Policies, decision: &Decision) -> Vec<Grant> {
    let applying = decision.statements.iter().filter(|report| {
        report.kind == PolicyKind::Identity
            && report.effect == Effect::Allow
            && report.mismatches.is_empty()
    });
    applying
        .filter_map(|report| {
            let is_named = |policy: &&NamedPolicy| policy.name == report.policy;
            let document = &policies.identity.iter().find(is_named)?.document;
            let statement = document.statements.get(report.index)?;
            Some(Grant {
                policy: report.policy.clone(),
                statement: report.statement.clone(),
                conditions: conditions(document, statement),
            })
        })
        .collect()
}

/// The conditions as the current version of the policy language writes them: in
/// the older one `${` has no meaning, in this one it is `${$}{`.
fn conditions(document: &Document, statement: &Statement) -> Map<String, Value> {
    let mut all = Map::new();
    for condition in &statement.conditions {
        let values: Vec<String> = condition
            .values
            .iter()
            .map(|value| match document.version {
                Version::V2008 => value.replace("${", "${$}{"),
                Version::V2012 => value.clone(),
            })
            .collect();
        let keys = all
            .entry(condition.operator_name.clone())
            .or_insert_with(|| json!({}));
        keys[&condition.key] = json!(values);
    }
    all
}

#[cfg(test)]
mod tests {
    use policy::{Context, Principal};

    use super::*;

    fn named(name: &str, document: &str) -> NamedPolicy {
        NamedPolicy {
            name: name.to_owned(),
            document: Document::parse(document).unwrap(),
        }
    }

    fn asked(policies: &Policies) -> Value {
        let mut context = Context::new();
        context.insert("aws:ResourceTag/team", "web");
        let request = Request {
            principal: Principal::AssumedRole {
                account: "123456789012".to_owned(),
                role_arn: "arn:aws:iam::123456789012:role/r".to_owned(),
                session_arn: "arn:aws:sts::123456789012:assumed-role/r/s".to_owned(),
            },
            action: "ecr:PutImage".to_owned(),
            resource: "arn:aws:ecr:eu-west-1:123456789012:repository/app".to_owned(),
            resource_account: "123456789012".to_owned(),
            context,
        };
        let decision = policy::evaluate(&request, policies);
        json!(Authorization::new(&request, policies, &decision))
    }

    #[test]
    fn the_statements_that_allow_are_kept_with_their_conditions() {
        let policies = Policies {
            identity: vec![named(
                "push",
                r#"{"Version":"2012-10-17","Statement":[
                    {"Effect":"Allow","Action":"ecr:ListImages","Resource":"*"},
                    {"Effect":"Allow","Action":"ecr:Put*","Resource":"*",
                     "Condition":{"StringEquals":{"aws:ResourceTag/team":"web"}}}]}"#,
            )],
            ..Policies::default()
        };
        assert_eq!(
            asked(&policies),
            json!({
                "action": "ecr:PutImage",
                "resource": "arn:aws:ecr:eu-west-1:123456789012:repository/app",
                "outcome": "allowed",
                "by": "identity",
                "grants": [{
                    "policy": "push",
                    "statement": "Statement[1]",
                    "conditions": { "StringEquals": { "aws:ResourceTag/team": ["web"] } },
                }],
            })
        );
    }

    #[test]
    fn what_the_resource_allows_by_itself_needs_no_grant() {
        let policies = Policies {
            identity: vec![named(
                "all",
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
            )],
            resource: Some(named(
                "repository",
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ecr:PutImage",
                    "Principal":{"AWS":"arn:aws:iam::123456789012:role/r"}}}"#,
            )),
            ..Policies::default()
        };
        let authorization = asked(&policies);
        assert_eq!(authorization["by"], "resource");
        assert!(authorization.get("grants").is_none());
    }

    #[test]
    fn a_dollar_of_the_older_language_stays_a_dollar() {
        let policy = named(
            "old",
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*",
                "Condition":{"StringNotEquals":{"aws:ResourceTag/team":"${x}"}}}}"#,
        );
        let kept = conditions(&policy.document, &policy.document.statements[0]);
        assert_eq!(
            kept["StringNotEquals"]["aws:ResourceTag/team"],
            json!(["${$}{x}"])
        );
    }
}
