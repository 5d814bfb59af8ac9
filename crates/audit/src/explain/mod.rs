//! Why STS admits a caller to a role, or does not: the checks in STS's order, the
//! statements of the trust policy, the smallest difference that stands in the
//! way, and the change that would take it away.

mod absent_key;
mod checks;
mod condition_miss;
mod fix;
mod key_set;
mod kind;
mod miss;
mod nearest;
mod pattern;
mod question;
mod scene;
mod signature;
mod spot;
mod statements;
mod subject_miss;

use receipts::{CheckResult, Explanation, NearestMiss};
use serde_json::Value;

pub use key_set::{KeySet, KeySetError, NotSigned, Signed};
pub use kind::MissKind;
pub use question::{Answer, Evidence, ProviderFacts, Providers, Question, RoleArn, Source, Trust};

use checks::Step;
use nearest::{Element, Nearest};
use scene::Scene;

/// Longest value of a claim that is shown, in characters.
const LONGEST_SHOWN: usize = 1_024;

/// The claims that people compare, in the order in which they are shown.
const SHOWN: [&str; 12] = [
    "iss",
    "aud",
    "azp",
    "sub",
    "repository",
    "repository_id",
    "repository_owner_id",
    "ref",
    "environment",
    "event_name",
    "job_workflow_ref",
    "actor",
];

/// Explains what STS answers, or answered, to a caller.
pub fn explain(question: &Question) -> Explanation {
    let scene = Scene::new(question);
    let mut steps = checks::before_role(question);
    steps.push(checks::role(question));
    let trust = statements::trust_policy(&scene);
    let nearest = trust.nearest;
    if let Some(step) = trust.step {
        steps.push(step);
    }
    let admitted = steps
        .iter()
        .all(|step| step.check.result != CheckResult::Failed)
        && trust.admits;
    let chosen = (!admitted).then(|| choose(&steps, nearest)).flatten();
    let fix = chosen.as_ref().and_then(|chosen| fix::fix(&scene, chosen));
    let nearest_miss = chosen.map(|chosen| written(&scene, chosen));
    Explanation {
        admitted,
        role: question.role.clone(),
        caller: question.caller.clone(),
        claims: claims(question),
        checks: steps.into_iter().map(|step| step.check).collect(),
        statements: statements::all(&scene),
        nearest_miss,
        fix,
    }
}

/// The first failing check decides, but for the token's age: a token is old by
/// the time anybody looks at it, and a new one fails where the trust policy does.
fn choose(steps: &[Step], nearest: Option<Nearest>) -> Option<Nearest> {
    let is_time = |step: &&Step| step.check.name == "time";
    let of_step = |step: &Step| {
        step.miss.clone().map(|miss| Nearest {
            statement: None,
            miss,
            element: Element::Whole,
        })
    };
    let failed = steps.iter().filter(|step| step.miss.is_some());
    let first = failed.clone().find(|step| !is_time(step)).and_then(of_step);
    first
        .or(nearest)
        .or_else(|| failed.clone().find(is_time).and_then(of_step))
}

fn written(scene: &Scene, chosen: Nearest) -> NearestMiss {
    let statement = chosen.statement.and_then(|index| {
        Some(
            scene
                .judged()?
                .decision
                .statements
                .get(index)?
                .statement
                .clone(),
        )
    });
    NearestMiss {
        kind: chosen.miss.kind.id().to_owned(),
        location: statements::location(scene, &chosen),
        sentence: chosen.miss.sentence,
        seen: chosen.miss.seen,
        wanted: chosen.miss.wanted,
        statement: statement.unwrap_or_default(),
    }
}

fn claims(question: &Question) -> Vec<(String, String)> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.chars().take(LONGEST_SHOWN).collect()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    };
    SHOWN
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), text(question.claims.get(*name)?)?)))
        .collect()
}
