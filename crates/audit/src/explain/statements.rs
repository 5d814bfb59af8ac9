//! The statements of the trust policy, and what they decide together.

use policy::{Effect, Mismatch, StatementReport};
use receipts::{CheckResult, ElementMismatch, Location, StatementExplanation};

use super::checks::Step;
use super::kind::MissKind;
use super::miss::Miss;
use super::nearest::{self, Element, Nearest};
use super::question::Answer;
use super::scene::{Applies, Judged, Scene};
use super::spot::{self, Part};

const NAME: &str = "trust policy";

/// What the trust policy decides.
pub(super) struct TrustPolicy {
    /// The check; none where there is no role.
    pub(super) step: Option<Step>,
    /// Whether it lets the caller in.
    pub(super) admits: bool,
    /// What stands in the way.
    pub(super) nearest: Option<Nearest>,
}

/// Judges the trust policy as a whole.
pub(super) fn trust_policy(scene: &Scene) -> TrustPolicy {
    let judged = match &scene.policy {
        None => {
            return TrustPolicy {
                step: None,
                admits: false,
                nearest: None,
            };
        }
        Some(Ok(judged)) => judged,
        Some(Err(error)) => {
            let miss = Miss::new(
                MissKind::PolicyUnreadable,
                format!("the trust policy is not a policy document: {error}"),
                "correct the document; IAM does not store it as it is",
            );
            return TrustPolicy {
                step: Some(Step::failed(NAME, miss)),
                admits: false,
                nearest: None,
            };
        }
    };
    match nearest::find(scene, judged) {
        Some(nearest) => refused(nearest),
        None if scene.question.answer == Some(Answer::Denied) => contradicted(),
        None => TrustPolicy {
            step: Some(Step::new(NAME, CheckResult::Passed, admitting(judged))),
            admits: true,
            nearest: None,
        },
    }
}

fn refused(nearest: Nearest) -> TrustPolicy {
    let result = if nearest.miss.kind == MissKind::DependsOnRequest {
        CheckResult::Unknown
    } else {
        CheckResult::Failed
    };
    let detail = match result {
        CheckResult::Unknown => nearest.miss.sentence.clone(),
        _ => "no statement admits the caller".to_owned(),
    };
    let detail = if nearest.miss.kind == MissKind::ExplicitDeny {
        "a statement denies the caller".to_owned()
    } else {
        detail
    };
    TrustPolicy {
        step: Some(Step::new(NAME, result, detail)),
        admits: false,
        nearest: Some(nearest),
    }
}

/// AWS refused a caller that the policy at hand admits.
fn contradicted() -> TrustPolicy {
    let miss = Miss::new(
        MissKind::NotAsApplied,
        "the trust policy that was read admits the caller, and AWS refused it: AWS holds another \
         policy, has no role of exactly this ARN, or a policy of the organisation forbids it",
        "run `terraform plan` to see what AWS holds, then `longshore explain --live` with \
         credentials of the account",
    );
    TrustPolicy {
        step: Some(Step::failed(NAME, miss)),
        admits: false,
        nearest: None,
    }
}

fn admitting(judged: &Judged) -> String {
    let admits = |report: &&StatementReport| {
        report.effect == Effect::Allow && judged.applies(report) == Applies::Yes
    };
    match judged.decision.statements.iter().find(admits) {
        Some(report) => format!("the statement `{}` admits the caller", report.statement),
        None => "it admits the caller".to_owned(),
    }
}

/// Every statement with what in it does not match.
pub(super) fn all(scene: &Scene) -> Vec<StatementExplanation> {
    let Some(judged) = scene.judged() else {
        return Vec::new();
    };
    judged
        .decision
        .statements
        .iter()
        .map(|report| StatementExplanation {
            statement: report.statement.clone(),
            effect: match report.effect {
                Effect::Allow => "Allow".to_owned(),
                Effect::Deny => "Deny".to_owned(),
            },
            applies: judged.applies(report) == Applies::Yes,
            mismatches: report.mismatches.iter().map(element).collect(),
            location: spot::location(scene, report.index, Part::Statement),
        })
        .collect()
}

fn element(mismatch: &Mismatch) -> ElementMismatch {
    match mismatch {
        Mismatch::Principal {
            element,
            seen,
            wanted,
        }
        | Mismatch::Action {
            element,
            seen,
            wanted,
        }
        | Mismatch::Resource {
            element,
            seen,
            wanted,
        } => ElementMismatch {
            element: (*element).to_owned(),
            seen: Some(vec![seen.clone()]),
            wanted: wanted.clone(),
        },
        Mismatch::Condition {
            operator,
            key,
            seen,
            wanted,
        } => ElementMismatch {
            element: format!("{operator} {key}"),
            seen: seen.clone(),
            wanted: wanted.clone(),
        },
    }
}

/// Where a miss stands.
pub(super) fn location(scene: &Scene, nearest: &Nearest) -> Option<Location> {
    let part = match &nearest.element {
        Element::Whole => Part::Statement,
        Element::Named(name) => Part::Element(name),
        Element::Condition { operator, key } => {
            let wanted = nearest.miss.wanted.as_deref();
            let value = wanted.map(|wanted| Part::Value(operator, key, wanted));
            return value
                .and_then(|part| spot::location(scene, nearest.statement?, part))
                .or_else(|| spot::location(scene, nearest.statement?, Part::Key(operator, key)));
        }
    };
    spot::location(scene, nearest.statement?, part)
}
