//! A question with its policy parsed and evaluated: what the parts of an
//! explanation look at.

use policy::{
    Condition, Context, Decision, Document, Mismatch, NamedPolicy, ParseError, Places, Principal,
    Request, Statement, StatementReport, evaluate_trust, keys,
};
use serde_json::Value;

use super::question::{Evidence, Question, RoleArn, Trust};
use crate::subject::Subject;

/// The action of a caller with a token.
pub(super) const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

/// Everything that an explanation rests on.
pub(super) struct Scene<'a> {
    pub(super) question: &'a Question<'a>,
    /// The trust policy, where there is one.
    pub(super) policy: Option<Result<Judged, ParseError>>,
    issuer: String,
}

/// A trust policy with how it compares with the caller.
pub(super) struct Judged {
    pub(super) document: Document,
    pub(super) places: Places,
    pub(super) decision: Decision,
    context: Context,
}

/// How a statement stands to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Applies {
    Yes,
    No,
    /// Yes or no by a key that only the request itself shows.
    Depends,
}

impl<'a> Scene<'a> {
    pub(super) fn new(question: &'a Question<'a>) -> Self {
        let issuer = question.issuer_host().unwrap_or(keys::GITHUB_ISSUER);
        let policy = match &question.trust {
            Trust::Policy { text, .. } => Some(judge(question, issuer, text)),
            Trust::NoRole { .. } => None,
        };
        Self {
            question,
            policy,
            issuer: issuer.to_owned(),
        }
    }

    /// The issuer's host and path: the prefix of its keys.
    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn judged(&self) -> Option<&Judged> {
        self.policy.as_ref()?.as_ref().ok()
    }

    pub(super) fn statement(&self, index: usize) -> Option<&Statement> {
        self.judged()?.document.statements.get(index)
    }

    /// Whether a condition of that statement holds.
    pub(super) fn holds(&self, index: usize, condition: &Condition) -> bool {
        let fails = |mismatch: &Mismatch| {
            matches!(mismatch, Mismatch::Condition { operator, key, .. }
                if *operator == condition.operator_name && *key == condition.key)
        };
        self.judged().is_some_and(|judged| {
            let report = judged.decision.statements.get(index);
            report.is_some_and(|report| !report.mismatches.iter().any(fails))
        })
    }

    /// The name behind `ISSUER:`, for keys of the token's issuer. In lower case,
    /// as AWS compares the names of keys, where it is one that AWS knows.
    pub(super) fn claim_of<'k>(&self, key: &'k str) -> Option<&'k str> {
        let (prefix, name) = key.rsplit_once(':')?;
        if !prefix.eq_ignore_ascii_case(&self.issuer) {
            return None;
        }
        let known = keys::CLAIM_KEYS.iter();
        let known = known
            .map(|key| key.name)
            .find(|known| known.eq_ignore_ascii_case(name));
        Some(known.unwrap_or(name))
    }

    /// A claim of the token as text.
    pub(super) fn claim_text(&self, name: &str) -> Option<String> {
        match self.question.claims.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(value) => Some(value.to_string()),
            _ => None,
        }
    }

    /// Both forms of the caller's subject; one where its ids are not known or the
    /// subject is of the owner's own making.
    pub(super) fn forms(&self) -> Vec<String> {
        let Some(seen) = self.question.claim("sub") else {
            return Vec::new();
        };
        let id = |name: &str| self.claim_text(name).filter(|id| !id.is_empty());
        let Some(subject) = Subject::parse(seen).filter(|subject| subject.host.is_none()) else {
            return vec![seen.to_owned()];
        };
        let Some((_, context)) = seen
            .split_once(':')
            .and_then(|(_, rest)| rest.split_once(':'))
        else {
            return vec![seen.to_owned()];
        };
        let (owner, name) = (subject.owner, subject.name);
        let by_name = format!("repo:{owner}/{name}:{context}");
        let owner_id = subject.owner_id.map(str::to_owned);
        let repository_id = subject.id.map(str::to_owned);
        match (
            owner_id.or_else(|| id("repository_owner_id")),
            repository_id.or_else(|| id("repository_id")),
        ) {
            (Some(owner_id), Some(id)) => vec![
                by_name,
                format!("repo:{owner}@{owner_id}/{name}@{id}:{context}"),
            ],
            _ => vec![seen.to_owned()],
        }
    }

    /// The ids of the repository that the role is meant for, if the caller bears
    /// its name.
    pub(super) fn own_ids(&self) -> Option<(&str, &str)> {
        let own = self.question.repository.as_ref()?;
        let subject = Subject::parse(self.question.claim("sub")?)?;
        let same = subject.owner.eq_ignore_ascii_case(&own.owner)
            && subject.name.eq_ignore_ascii_case(&own.name);
        let ids = (own.owner_id.as_deref()?, own.id.as_deref()?);
        same.then_some(ids)
    }
}

impl Judged {
    /// How a statement stands to the caller.
    pub(super) fn applies(&self, report: &StatementReport) -> Applies {
        let unknown = |key: &str| is_of_request(key) && self.context.get(key).is_none();
        let only_unknown = report
            .mismatches
            .iter()
            .all(|mismatch| matches!(mismatch, Mismatch::Condition { key, .. } if unknown(key)));
        let statement = self.document.statements.get(report.index);
        let asks = statement
            .is_some_and(|statement| statement.conditions.iter().any(|one| unknown(&one.key)));
        match (only_unknown, asks) {
            (false, _) => Applies::No,
            (true, true) => Applies::Depends,
            (true, false) => Applies::Yes,
        }
    }

    /// The keys of a statement that only the request itself shows.
    pub(super) fn unknown_keys(&self, index: usize) -> Vec<String> {
        let statement = self.document.statements.get(index);
        let conditions = statement.map_or(&[][..], |statement| &statement.conditions);
        conditions
            .iter()
            .map(|condition| condition.key.clone())
            .filter(|key| is_of_request(key) && self.context.get(key).is_none())
            .collect()
    }
}

/// Keys that describe the request and not the token, but for those that AWS never
/// fills when a web identity assumes a role.
fn is_of_request(key: &str) -> bool {
    let service = key
        .split(':')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    matches!(service.as_str(), "aws" | "sts") && keys::at_web_identity(key) != keys::Presence::Never
}

fn judge(question: &Question, issuer: &str, text: &str) -> Result<Judged, ParseError> {
    let (document, places) = Document::parse_located(text)?;
    let context = context(question, issuer);
    let account = RoleArn::parse(&question.role).map_or("", |role| role.account);
    let request = Request {
        principal: Principal::Federated {
            provider_arn: question.provider_arn().unwrap_or_default(),
        },
        action: ACTION.to_owned(),
        resource: question.role.clone(),
        resource_account: account.to_owned(),
        context: context.clone(),
    };
    let trust = NamedPolicy {
        name: format!("trust policy of {}", question.role),
        document,
    };
    let decision = evaluate_trust(&request, &trust);
    Ok(Judged {
        document: trust.document,
        places,
        decision,
        context,
    })
}

/// The condition keys as STS fills them, as far as they are known here.
fn context(question: &Question, issuer: &str) -> Context {
    let mut context = keys::web_identity_context(issuer, &question.claims);
    if let Some(arn) = question.provider_arn() {
        context.insert("aws:FederatedProvider", arn);
    }
    // STS answers over TLS only.
    context.insert("aws:SecureTransport", "true");
    if let Some(name) = &question.session_name {
        context.insert("sts:RoleSessionName", name.as_str());
    }
    if let Evidence::Claims(now) | Evidence::Token(now) = question.evidence {
        context.insert("aws:CurrentTime", now.to_string());
        context.insert("aws:EpochTime", now.as_second().to_string());
    }
    context
}
