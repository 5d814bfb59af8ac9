//! Everyone whom a trust policy admits through one identity provider, as a
//! union of sets of callers.
//!
//! Each set says for each condition key which values it may have and whether it
//! may be absent. Allow statements are united, Deny statements subtracted. What
//! a condition means is what [`crate::evaluate_trust`] makes of it; which
//! principals, actions and resources a statement covers is asked of the same
//! code. Keys that AWS never fills are absent, and those that follow from the
//! role are constant.
//!
//! Conditions that are no languages (numbers, dates, addresses) and those whose
//! values depend on the request stay in the set as [`Atom`]s, which can hold or
//! not: the union then is no smaller than who is admitted.

mod atom;
mod callers;
mod condition_set;
mod ground;
mod key_set;
mod patterns;
mod subtract;

pub use atom::{Atom, AtomKind};
pub use callers::CallerSet;
pub use ground::FederatedRole;
pub use key_set::KeySet;
pub use subtract::{MAXIMUM_SETS, everyone_but};

use crate::language::Undecided;
use crate::statement_match::{Asked, judge};
use crate::{
    Context, Document, Effect, Mismatch, NamedPolicy, PolicyKind, Principal, Request, Statement,
};
use condition_set::ConditionSet;
use ground::Ground;

/// The action of GitHub's runs.
const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

/// Who is admitted.
#[derive(Debug, Clone)]
pub struct Admission {
    /// Each Allow statement about this provider, by itself.
    pub statements: Vec<AllowStatement>,
    /// Everyone who is admitted: the union of the statements less what is denied.
    pub callers: Vec<CallerSet>,
    constants: [(&'static str, String); 2],
}

/// An Allow statement about the provider.
#[derive(Debug, Clone)]
pub struct AllowStatement {
    /// `Sid`, or `Statement[0]` by position.
    pub label: String,
    /// Its position.
    pub index: usize,
    /// Whom it admits where nothing denies; `None` where two of its conditions
    /// contradict each other on the face of it.
    pub callers: Option<CallerSet>,
}

impl Admission {
    /// Whom `document` lets through the role's provider.
    pub fn of(document: &Document, role: &FederatedRole) -> Result<Self, Undecided> {
        let ground = Ground::new(role);
        let mut statements = Vec::new();
        let mut callers: Vec<CallerSet> = Vec::new();
        let mut denials = Vec::new();
        for (index, statement) in covering(document, role) {
            let conditions: Vec<ConditionSet> = statement
                .conditions
                .iter()
                .map(|condition| ConditionSet::of(condition, document.version, &ground))
                .collect();
            if statement.effect == Effect::Deny {
                denials.push(conditions);
                continue;
            }
            let admitted = CallerSet::everyone().and_all(&conditions);
            if let Some(set) = &admitted
                && !callers.contains(set)
            {
                callers.push(set.clone());
            }
            statements.push(AllowStatement {
                label: statement.label(index),
                index,
                callers: admitted,
            });
        }
        for denial in &denials {
            callers = subtract::without(callers, denial)?;
        }
        Ok(Self {
            statements,
            callers,
            constants: role.constants(),
        })
    }

    /// Whether a request with these keys is admitted. Keys have one value or are
    /// absent, as all those of GitHub's tokens.
    pub fn contains(&self, context: &Context) -> Result<bool, Undecided> {
        let mut context = context.clone();
        for (key, value) in &self.constants {
            if context.get(key).is_none() {
                context.insert(key, value.clone());
            }
        }
        for callers in &self.callers {
            if callers.contains(&context)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The statements that speak of the provider and the action, whatever their
/// conditions say.
fn covering<'d>(document: &'d Document, role: &FederatedRole) -> Vec<(usize, &'d Statement)> {
    let request = Request {
        principal: Principal::Federated {
            provider_arn: role.provider_arn.clone(),
        },
        action: ACTION.to_owned(),
        resource: role.role_arn.clone(),
        resource_account: role.account().to_owned(),
        context: Context::new(),
    };
    let policy = NamedPolicy {
        name: String::new(),
        document: document.clone(),
    };
    let judged = judge(&Asked::new(&request), PolicyKind::Trust, &policy);
    let only_conditions = |mismatch: &Mismatch| matches!(mismatch, Mismatch::Condition { .. });
    let covering = judged
        .into_iter()
        .map(|judged| judged.report.mismatches.iter().all(only_conditions));
    let statements = document.statements.iter().enumerate();
    statements
        .zip(covering)
        .filter_map(|(statement, covers)| covers.then_some(statement))
        .collect()
}
