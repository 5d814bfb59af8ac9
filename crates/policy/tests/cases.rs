//! Runs every case of `fixtures/policies/`: one JSON file says the policies, the
//! request and the outcome that AWS documents for it.

use std::path::{Path, PathBuf};

use policy::{
    Context, Decision, Document, NamedPolicy, Policies, Principal, Request, evaluate,
    evaluate_trust, keys,
};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What AWS does and why, for the reader of a failure.
    description: String,
    /// Where AWS says so, or "inferred".
    source: String,
    policies: CasePolicies,
    request: CaseRequest,
    expected: Expected,
}

/// Either `trust` alone or any of the others.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CasePolicies {
    trust: Option<Value>,
    identity: Option<Vec<Value>>,
    resource: Option<Value>,
    session: Option<Vec<Value>>,
    boundary: Option<Value>,
    service_control: Option<Vec<Value>>,
    resource_control: Option<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseRequest {
    principal: CasePrincipal,
    action: String,
    resource: String,
    resource_account: String,
    /// Condition keys, one value or a list.
    #[serde(default)]
    context: Map<String, Value>,
    /// Claims of a token; they become keys of `issuer` as STS exports them.
    #[serde(default)]
    claims: Map<String, Value>,
    #[serde(default)]
    issuer: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum CasePrincipal {
    Anonymous,
    AccountRoot {
        account: String,
    },
    User {
        account: String,
        arn: String,
    },
    AssumedRole {
        account: String,
        role_arn: String,
        session_arn: String,
    },
    Federated {
        provider_arn: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// `allowed`, `explicitly_denied` or `implicitly_denied`.
    outcome: String,
    /// The kind of policy that decided.
    by: Option<String>,
    /// A part of the sentence for people.
    reason_contains: Option<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/policies")
}

#[expect(
    clippy::disallowed_methods,
    reason = "the harness reads fixtures; the crate itself has no file access"
)]
fn json_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("fixtures/policies is in the repository") {
        let path = entry.expect("a listed file has a path").path();
        if path.is_dir() {
            json_files(&path, found);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            found.push(path);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the harness reads fixtures; the crate itself has no file access"
)]
fn read(path: &Path) -> Case {
    let text = std::fs::read_to_string(path).expect("a listed file is readable");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn named(name: &str, document: &Value) -> NamedPolicy {
    let document = Document::parse(&document.to_string())
        .unwrap_or_else(|error| panic!("{name}: failed to {error}"));
    NamedPolicy {
        name: name.to_owned(),
        document,
    }
}

fn list(name: &str, documents: Option<&Vec<Value>>) -> Option<Vec<NamedPolicy>> {
    documents.map(|documents| {
        documents
            .iter()
            .map(|document| named(name, document))
            .collect()
    })
}

fn request(case: CaseRequest) -> Request {
    let mut context = match &case.issuer {
        Some(issuer) => keys::web_identity_context(issuer, &case.claims),
        None => Context::new(),
    };
    for (key, value) in &case.context {
        match value {
            Value::Array(values) => context.insert_many(key, values.iter().map(text).collect()),
            value => context.insert(key, text(value)),
        }
    }
    Request {
        principal: principal(case.principal),
        action: case.action,
        resource: case.resource,
        resource_account: case.resource_account,
        context,
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .expect("context values of a case are strings")
        .to_owned()
}

fn principal(case: CasePrincipal) -> Principal {
    match case {
        CasePrincipal::Anonymous => Principal::Anonymous,
        CasePrincipal::AccountRoot { account } => Principal::AccountRoot { account },
        CasePrincipal::User { account, arn } => Principal::User { account, arn },
        CasePrincipal::AssumedRole {
            account,
            role_arn,
            session_arn,
        } => Principal::AssumedRole {
            account,
            role_arn,
            session_arn,
        },
        CasePrincipal::Federated { provider_arn } => Principal::Federated { provider_arn },
    }
}

fn decide(policies: &CasePolicies, request: &Request) -> Decision {
    if let Some(trust) = &policies.trust {
        return evaluate_trust(request, &named("trust", trust));
    }
    let policies = Policies {
        identity: list("identity", policies.identity.as_ref()).unwrap_or_default(),
        resource: policies.resource.as_ref().map(|one| named("resource", one)),
        session: list("session", policies.session.as_ref()),
        boundary: policies.boundary.as_ref().map(|one| named("boundary", one)),
        service_control: list("service-control", policies.service_control.as_ref()),
        resource_control: list("resource-control", policies.resource_control.as_ref()),
    };
    evaluate(request, &policies)
}

/// What differs from the expectation, if anything does.
fn failure(path: &Path) -> Option<String> {
    let case = read(path);
    assert!(!case.source.is_empty(), "{}: no source", path.display());
    let decision = decide(&case.policies, &request(case.request));
    let answer = serde_json::to_value(&decision).expect("a decision is plain data");
    let same = answer["outcome"] == case.expected.outcome.as_str()
        && case
            .expected
            .by
            .is_none_or(|kind| answer["by"] == kind.as_str())
        && case
            .expected
            .reason_contains
            .is_none_or(|part| decision.reason().contains(&part));
    (!same).then(|| {
        format!(
            "{}\n  {}\n  wanted {}, got {} by {}: {}",
            path.display(),
            case.description,
            case.expected.outcome,
            answer["outcome"],
            answer["by"],
            decision.reason()
        )
    })
}

#[test]
fn every_case_of_the_fixtures_is_decided_as_aws_documents() {
    let mut paths = Vec::new();
    json_files(&folder(), &mut paths);
    paths.sort();
    assert!(paths.len() >= 60, "only {} cases found", paths.len());
    let failures: Vec<String> = paths.iter().filter_map(|path| failure(path)).collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
