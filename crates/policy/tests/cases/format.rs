//! The form of a case: one JSON file says the policies, the request and the
//! outcome that AWS documents for it.

use std::path::{Path, PathBuf};

use policy::{
    Context, Decision, Document, NamedPolicy, Policies, Principal, Request, evaluate,
    evaluate_assume_role, evaluate_trust, keys,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// What every case says about itself, whatever else it holds.
#[derive(Deserialize)]
pub(crate) struct About {
    /// The rule: what AWS does, one sentence.
    pub(crate) description: String,
    /// Where AWS says so, or "inferred: why".
    pub(crate) source: String,
}

/// A request to be decided.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) description: String,
    #[expect(dead_code, reason = "read through `About`")]
    source: String,
    policies: CasePolicies,
    request: CaseRequest,
    pub(crate) expected: Expected,
}

/// `trust` alone is asked alone; with others it is the role's policy.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CasePolicies {
    trust: Option<Value>,
    identity: Option<Vec<Value>>,
    resource: Option<Value>,
    registry: Option<Value>,
    session: Option<Vec<Value>>,
    boundary: Option<Value>,
    #[serde(default)]
    service_control: Vec<Level>,
    #[serde(default)]
    resource_control: Vec<Level>,
}

/// The policies of one level; one policy needs no list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Level {
    Many(Vec<Value>),
    One(Value),
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
    /// Whether the claims are those of a session, not of the token itself.
    #[serde(default)]
    in_session: bool,
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
    Service {
        name: String,
    },
}

/// What is expected of a decision.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    /// `allowed`, `explicitly_denied` or `implicitly_denied`.
    pub(crate) outcome: String,
    /// The kind of policy that decided.
    pub(crate) by: Option<String>,
    /// A part of the sentence for people.
    pub(crate) reason_contains: Option<String>,
    /// AWS's own text for the denial.
    pub(crate) denial: Option<String>,
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/policies")
}

/// Every case file, in order.
pub(crate) fn paths() -> Vec<PathBuf> {
    let mut paths = Vec::new();
    json_files(&folder(), &mut paths);
    paths.sort();
    paths
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
        } else if path.extension().is_some_and(|kind| kind == "json") {
            found.push(path);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the harness reads fixtures; the crate itself has no file access"
)]
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).expect("a listed file is readable");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Case {
    /// The request, and what the engine says to it.
    pub(crate) fn decide(&self) -> (Request, Decision) {
        let request = self.request.build();
        let decision = self.policies.decide(&request);
        (request, decision)
    }
}

fn named(name: &str, document: &Value) -> NamedPolicy {
    let document = Document::parse(&document.to_string())
        .unwrap_or_else(|error| panic!("{name}: failed to {error}"));
    NamedPolicy {
        name: name.to_owned(),
        document,
    }
}

fn list(name: &str, documents: &[Value]) -> Vec<NamedPolicy> {
    documents
        .iter()
        .map(|document| named(name, document))
        .collect()
}

fn levels(name: &str, levels: &[Level]) -> Vec<Vec<NamedPolicy>> {
    levels
        .iter()
        .map(|level| match level {
            Level::Many(documents) => list(name, documents),
            Level::One(document) => vec![named(name, document)],
        })
        .collect()
}

impl CasePolicies {
    fn decide(&self, request: &Request) -> Decision {
        let policies = Policies {
            identity: list("identity", self.identity.as_deref().unwrap_or_default()),
            resource: self.resource.as_ref().map(|one| named("resource", one)),
            registry: self.registry.as_ref().map(|one| named("registry", one)),
            session: self.session.as_deref().map(|all| list("session", all)),
            boundary: self.boundary.as_ref().map(|one| named("boundary", one)),
            service_control: levels("service-control", &self.service_control),
            resource_control: levels("resource-control", &self.resource_control),
        };
        let Some(trust) = self.trust.as_ref().map(|trust| named("trust", trust)) else {
            return evaluate(request, &policies);
        };
        if policies == Policies::default() && self.identity.is_none() {
            return evaluate_trust(request, &trust);
        }
        evaluate_assume_role(request, &trust, &policies)
    }
}

impl CaseRequest {
    fn build(&self) -> Request {
        let mut context = match &self.issuer {
            Some(issuer) if self.in_session => keys::session_context(issuer, &self.claims),
            Some(issuer) => keys::web_identity_context(issuer, &self.claims),
            None => Context::new(),
        };
        for (key, value) in &self.context {
            match value {
                Value::Array(values) => context.insert_many(key, values.iter().map(text).collect()),
                value => context.insert(key, text(value)),
            }
        }
        Request {
            principal: self.principal.build(),
            action: self.action.clone(),
            resource: self.resource.clone(),
            resource_account: self.resource_account.clone(),
            context,
        }
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .expect("context values of a case are strings")
        .to_owned()
}

impl CasePrincipal {
    fn build(&self) -> Principal {
        match self {
            Self::Anonymous => Principal::Anonymous,
            Self::AccountRoot { account } => Principal::AccountRoot {
                account: account.clone(),
            },
            Self::User { account, arn } => Principal::User {
                account: account.clone(),
                arn: arn.clone(),
            },
            Self::AssumedRole {
                account,
                role_arn,
                session_arn,
            } => Principal::AssumedRole {
                account: account.clone(),
                role_arn: role_arn.clone(),
                session_arn: session_arn.clone(),
            },
            Self::Federated { provider_arn } => Principal::Federated {
                provider_arn: provider_arn.clone(),
            },
            Self::Service { name } => Principal::Service { name: name.clone() },
        }
    }
}
