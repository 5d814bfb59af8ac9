//! The statement that comes nearest to admitting the caller, and what in it
//! stands in the way.
//!
//! The distance of a statement is the sum over its mismatches: 10 000 for its
//! principal, 3 000 for its action, and for each condition 1 000 and the distance
//! of its nearest value. So the fewest changes win, then the closest values, then
//! the order in the policy. The distance of a value is the number of characters
//! between what both begin with and what both end with; for subjects the parts
//! that differ weigh too (see `subject_miss`). At most 999 for one value.

use policy::{ActionElement, Effect, Mismatch, StatementReport};

use super::condition_miss;
use super::kind::MissKind;
use super::miss::{Change, Miss, list};
use super::scene::{ACTION, Applies, Judged, Scene};

const PRINCIPAL: usize = 10_000;
const ACTION_DISTANCE: usize = 3_000;
const CONDITION: usize = 1_000;

/// A miss and the statement it stands in.
pub(super) struct Nearest {
    pub(super) statement: Option<usize>,
    pub(super) miss: Miss,
    /// Where in the statement: operator and key, or the element's name.
    pub(super) element: Element,
}

/// A part of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Element {
    /// `Principal`, `Action`, ..
    Named(&'static str),
    /// One key under one operator.
    Condition { operator: String, key: String },
    /// The statement itself.
    Whole,
}

/// Why a policy does not admit the caller; `None` where it does.
pub(super) fn find(scene: &Scene, judged: &Judged) -> Option<Nearest> {
    let statements = &judged.decision.statements;
    let of = |effect: Effect, applies: Applies| {
        let matching = move |report: &&StatementReport| {
            report.effect == effect && judged.applies(report) == applies
        };
        statements.iter().find(matching)
    };
    if let Some(report) = of(Effect::Deny, Applies::Yes) {
        return Some(denied(scene, report));
    }
    let admitted = of(Effect::Allow, Applies::Yes);
    match (admitted, of(Effect::Deny, Applies::Depends)) {
        (Some(_), None) => return None,
        (Some(_), Some(report)) => return Some(depends(judged, report)),
        (None, _) => {}
    }
    if let Some(report) = of(Effect::Allow, Applies::Depends) {
        return Some(depends(judged, report));
    }
    let allows = statements
        .iter()
        .filter(|report| report.effect == Effect::Allow);
    let nearest = allows.min_by_key(|report| distance(scene, report));
    Some(match nearest {
        Some(report) => missed(scene, report),
        None => Nearest {
            statement: None,
            miss: Miss::new(
                MissKind::ExplicitDeny,
                "the trust policy has no `Allow` statement, so it admits nobody",
                "add a statement that allows `sts:AssumeRoleWithWebIdentity`",
            ),
            element: Element::Whole,
        },
    })
}

fn denied(scene: &Scene, report: &StatementReport) -> Nearest {
    let conditions: Vec<String> = scene
        .statement(report.index)
        .map(|statement| &statement.conditions)
        .into_iter()
        .flatten()
        .map(|condition| {
            let (operator, key) = (&condition.operator_name, &condition.key);
            let seen = scene
                .claim_of(key)
                .and_then(|name| scene.claim_text(name))
                .map_or_else(|| "absent".to_owned(), |value| format!("`{value}`"));
            format!(
                "`{operator}` on `{key}` ({}) holds for {seen}",
                list(&condition.values)
            )
        })
        .collect();
    let because = if conditions.is_empty() {
        "it has no condition".to_owned()
    } else {
        conditions.join(", and ")
    };
    Nearest {
        statement: Some(report.index),
        miss: Miss::new(
            MissKind::ExplicitDeny,
            format!(
                "the `Deny` statement `{}` covers the caller, because {because}; a `Deny` \
                 outweighs every `Allow`",
                report.statement
            ),
            "only if this caller should get the role, narrow that statement until it no longer \
             covers the caller",
        ),
        element: Element::Whole,
    }
}

fn depends(judged: &Judged, report: &StatementReport) -> Nearest {
    let keys = list(&judged.unknown_keys(report.index));
    Nearest {
        statement: Some(report.index),
        miss: Miss::new(
            MissKind::DependsOnRequest,
            format!(
                "the statement `{}` tests {keys}, which only the request itself shows, and \
                 everything else in it matches",
                report.statement
            ),
            format!("compare {keys} with where the job runs; a token does not say it"),
        ),
        element: Element::Whole,
    }
}

/// How far a statement is from admitting the caller.
fn distance(scene: &Scene, report: &StatementReport) -> usize {
    report
        .mismatches
        .iter()
        .map(|mismatch| match mismatch {
            Mismatch::Principal { .. } | Mismatch::Resource { .. } => PRINCIPAL,
            Mismatch::Action { .. } => ACTION_DISTANCE,
            Mismatch::Condition { seen, .. } => {
                CONDITION
                    + condition(scene, report.index, mismatch).map_or(0, |condition| {
                        condition_miss::distance(scene, condition, seen.as_deref())
                    })
            }
        })
        .sum()
}

fn condition<'s>(
    scene: &'s Scene,
    statement: usize,
    mismatch: &Mismatch,
) -> Option<&'s policy::Condition> {
    let Mismatch::Condition { operator, key, .. } = mismatch else {
        return None;
    };
    let conditions = &scene.statement(statement)?.conditions;
    conditions
        .iter()
        .find(|condition| condition.operator_name == *operator && condition.key == *key)
}

/// The mismatch that explains most: principal and action before conditions, a
/// key that is never filled before values, the subject before other claims.
fn missed(scene: &Scene, report: &StatementReport) -> Nearest {
    let rank = |mismatch: &&Mismatch| match mismatch {
        Mismatch::Principal { .. } => 0,
        Mismatch::Action { .. } | Mismatch::Resource { .. } => 1,
        Mismatch::Condition { seen: None, .. } => 2,
        Mismatch::Condition { key, .. } if scene.claim_of(key) == Some("sub") => 3,
        Mismatch::Condition { .. } => 4,
    };
    let first = report.mismatches.iter().min_by_key(rank);
    let (mut miss, element) = match first {
        Some(
            mismatch @ Mismatch::Condition {
                operator,
                key,
                seen,
                ..
            },
        ) => {
            let miss = condition(scene, report.index, mismatch).map(|condition| {
                condition_miss::explain(scene, report.index, condition, seen.as_deref())
            });
            let element = Element::Condition {
                operator: operator.clone(),
                key: key.clone(),
            };
            (miss.unwrap_or_else(unexplained), element)
        }
        Some(Mismatch::Principal {
            element,
            seen,
            wanted,
        }) => (principal(seen, wanted), Element::Named(element)),
        Some(Mismatch::Action {
            element, wanted, ..
        }) => (action(scene, report.index, wanted), Element::Named(element)),
        Some(Mismatch::Resource { element, .. }) => (unexplained(), Element::Named(element)),
        None => (unexplained(), Element::Whole),
    };
    match report.mismatches.len() {
        0 | 1 => {}
        2 => miss
            .sentence
            .push_str("; one more element of the statement does not match either"),
        count => {
            let more = count - 1;
            miss.sentence += &[
                "; ",
                &more.to_string(),
                " more elements of the statement do not match either",
            ]
            .concat();
        }
    }
    Nearest {
        statement: Some(report.index),
        miss,
        element,
    }
}

fn unexplained() -> Miss {
    Miss::new(
        MissKind::ValueDiffers,
        "the statement does not cover the caller",
        "compare its elements with the caller's values",
    )
}

fn principal(seen: &str, wanted: &[String]) -> Miss {
    let provider = |arn: &&String| arn.contains(":oidc-provider/");
    let Some(nearest) = wanted.iter().find(provider) else {
        let sentence = format!(
            "the statement is for {}, and a run of GitHub comes through the identity provider \
             `{seen}`",
            list(wanted)
        );
        let advice = format!("add a statement whose `Principal` is {{\"Federated\": \"{seen}\"}}");
        return Miss::new(MissKind::WrongProvider, sentence, advice);
    };
    let account = |arn: &str| arn.split(':').nth(4).unwrap_or_default().to_owned();
    let url = |arn: &str| {
        arn.split_once(":oidc-provider/")
            .map_or(String::new(), |(_, url)| url.to_owned())
    };
    let (kind, what) = if url(seen) == url(nearest) {
        let (own, other) = (account(seen), account(nearest));
        let what = format!(
            "the statement names the provider of account {other}, and AWS looks for it in the role's own account {own}"
        );
        (MissKind::WrongAccount, what)
    } else {
        let what = format!(
            "the statement admits tokens of `{}`, and this one is of `{}`",
            url(nearest),
            url(seen)
        );
        (MissKind::WrongProvider, what)
    };
    Miss::new(
        kind,
        what,
        "name the provider of the token's issuer in the role's account",
    )
    .comparing(seen, nearest)
    .with(Change::ReplacePrincipal {
        old: nearest.clone(),
        new: seen.to_owned(),
    })
}

fn action(scene: &Scene, statement: usize, wanted: &[String]) -> Miss {
    let miss = Miss::new(
        MissKind::WrongAction,
        format!(
            "the statement is for {}, and a caller with a token asks for `{ACTION}`",
            list(wanted)
        ),
        format!("allow `{ACTION}`"),
    );
    let listed = scene
        .statement(statement)
        .map(|statement| &statement.action);
    match (listed, wanted.first()) {
        (Some(ActionElement::Action(_)), Some(old)) => {
            miss.comparing(ACTION, old).with(Change::ReplaceAction {
                old: old.clone(),
                new: ACTION.to_owned(),
            })
        }
        _ => miss,
    }
}
