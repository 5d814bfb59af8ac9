//! Trust policies, statement by statement and condition by condition: what is
//! wrong with the text, whoever it admits.

mod audience;
mod claims;
mod keys;
mod provider;
mod session;
pub(super) mod shape;
mod subject;
pub(super) mod values;

use policy::keys::GITHUB_ISSUER;
use policy::{
    ActionElement, Condition, Document, Effect, PrincipalElement, PrincipalEntry, PrincipalSet,
    PrincipalType, Statement,
};
use receipts::Location;
use terraform::{PolicyPart, Role, Spot};

use super::spots;
use crate::findings::Findings;
use crate::jobs::{IdentityJob, RoleUse};
use crate::{Setup, TerraformRoot};

/// The action that trades a token for a session.
const WEB_IDENTITY: &str = "sts:AssumeRoleWithWebIdentity";

/// All rules about trust policies and identity providers.
pub(crate) fn check(setup: &Setup, jobs: &[IdentityJob<'_>], findings: &mut Findings) {
    for root in &setup.roots {
        provider::urls(root, findings);
        for role in &root.aws.roles {
            let trust = SeenTrust {
                setup,
                root,
                role,
                jobs: jobs.iter().filter(|job| asks_for(job, role)).collect(),
            };
            shape::rejected(&trust, findings);
            if let Ok(document) = Document::parse(&role.trust_policy) {
                trust.check(&document, findings);
            }
        }
    }
    session::of_jobs(jobs, findings);
}

fn asks_for(job: &IdentityJob<'_>, role: &Role) -> bool {
    job.role == RoleUse::Arn(role.arn.clone())
}

/// The trust policy of a role, with what surrounds it.
struct SeenTrust<'a> {
    setup: &'a Setup,
    root: &'a TerraformRoot,
    role: &'a Role,
    /// The jobs that ask for the role.
    jobs: Vec<&'a IdentityJob<'a>>,
}

/// One statement of it that is about GitHub's runs.
struct SeenStatement<'a> {
    trust: &'a SeenTrust<'a>,
    document: &'a Document,
    index: usize,
    statement: &'a Statement,
    /// GitHub's issuer, with the enterprise's slug if the provider has one.
    issuer: &'a str,
}

impl SeenTrust<'_> {
    fn check(&self, document: &Document, findings: &mut Findings) {
        let mut admits_github = false;
        for (index, statement) in document.statements.iter().enumerate() {
            shape::open_principal(self, index, statement, findings);
            for issuer in issuers(statement) {
                let seen = SeenStatement {
                    trust: self,
                    document,
                    index,
                    statement,
                    issuer,
                };
                keys::check(&seen, findings);
                claims::literal_star(&seen, findings);
                if statement.effect == Effect::Allow {
                    admits_github = true;
                    seen.check_allow(findings);
                }
            }
        }
        if admits_github {
            session::of_role(self, findings);
        }
    }

    fn spot(&self, part: PolicyPart<'_>) -> Spot {
        self.role.trust_origin.policy_part(part)
    }

    fn subject(&self) -> &str {
        &self.role.address
    }
}

impl SeenStatement<'_> {
    fn check_allow(&self, findings: &mut Findings) {
        shape::wrong_action(self, findings);
        provider::elsewhere(self, findings);
        subject::missing(self, findings);
        subject::name_only(self, findings);
        subject::ignores_ids(self, findings);
        subject::wrong_case(self, findings);
        subject::relies_on_environment(self, findings);
        audience::missing(self, findings);
        audience::mismatch(self, findings);
        claims::mutable(self, findings);
        claims::floating_workflow(self, findings);
    }

    /// The conditions on one claim of the issuer.
    fn on<'s>(&'s self, claim: &'s str) -> impl Iterator<Item = &'s Condition> {
        self.statement
            .conditions
            .iter()
            .filter(move |condition| self.claim(condition) == Some(claim))
    }

    /// The name of the claim, in lower case as the keys are, that a condition
    /// compares.
    fn claim(&self, condition: &Condition) -> Option<&'static str> {
        let (issuer, claim) = policy::keys::issuer_and_claim(&condition.key)?;
        let known = policy::keys::CLAIM_KEYS.iter();
        known
            .filter(|_| issuer.eq_ignore_ascii_case(self.issuer))
            .find(|key| key.name.eq_ignore_ascii_case(claim))
            .map(|key| key.name)
    }

    /// How the statement is called in a message.
    fn name(&self) -> String {
        match &self.statement.sid {
            Some(sid) if !sid.is_empty() => format!("Statement `{sid}`"),
            _ => format!("Statement {}", self.index + 1),
        }
    }

    fn value_spot(&self, condition: &Condition, value: &str) -> Spot {
        let (operator, key) = (&condition.operator_name, &condition.key);
        self.trust
            .spot(PolicyPart::Value(self.index, operator, key, value))
    }

    fn key_spot(&self, condition: &Condition) -> Spot {
        let (operator, key) = (&condition.operator_name, &condition.key);
        self.trust.spot(PolicyPart::Key(self.index, operator, key))
    }

    fn operator_spot(&self, condition: &Condition) -> Spot {
        let (operator, key) = (&condition.operator_name, &condition.key);
        self.trust
            .spot(PolicyPart::Operator(self.index, operator, key))
    }

    fn place(&self) -> Option<Location> {
        spots::at(&self.trust.spot(PolicyPart::Statement(self.index)))
    }
}

/// The federated principals of a statement.
fn federated(statement: &Statement) -> impl Iterator<Item = &PrincipalEntry> {
    let listed: &[PrincipalEntry] = match &statement.principal {
        Some(PrincipalElement::Principal(PrincipalSet::Listed(entries))) => entries,
        _ => &[],
    };
    listed
        .iter()
        .filter(|entry| entry.kind == PrincipalType::Federated)
}

/// GitHub's issuers among the principals; where everyone is named, those that
/// the conditions speak of.
fn issuers(statement: &Statement) -> Vec<&str> {
    let mut issuers: Vec<&str> = federated(statement)
        .filter_map(|entry| entry.value.split_once(":oidc-provider/"))
        .map(|(_, issuer)| issuer)
        .filter(|issuer| is_github(issuer))
        .collect();
    if issuers.is_empty() && shape::names_everyone(statement) {
        let keys = statement.conditions.iter();
        let named = keys.filter_map(|condition| policy::keys::issuer_and_claim(&condition.key));
        issuers = named
            .map(|(issuer, _)| issuer)
            .filter(|issuer| is_github(issuer))
            .collect();
    }
    issuers.sort_unstable();
    issuers.dedup();
    issuers
}

/// Whether GitHub's runs can assume a role, whatever its conditions say.
pub(super) fn admits_github(role: &Role) -> bool {
    let document = Document::parse(&role.trust_policy);
    document.is_ok_and(|document| {
        document.statements.iter().any(|statement| {
            statement.effect == Effect::Allow
                && (!issuers(statement).is_empty() || shape::names_everyone(statement))
        })
    })
}

/// The issuer of github.com, or that of an enterprise there.
fn is_github(issuer: &str) -> bool {
    issuer
        .strip_prefix(GITHUB_ISSUER)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a pattern of `Action` covers an action.
fn covers_action(pattern: &str, action: &str) -> bool {
    crate::wildcards::matches(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase())
}

/// Whether a statement is about trading a token.
fn trades_tokens(statement: &Statement) -> bool {
    match &statement.action {
        ActionElement::Action(patterns) => patterns
            .iter()
            .any(|pattern| covers_action(pattern, WEB_IDENTITY)),
        ActionElement::NotAction(patterns) => !patterns
            .iter()
            .any(|pattern| covers_action(pattern, WEB_IDENTITY)),
    }
}

#[cfg(test)]
mod tests;
