//! Why a request does not carry a condition key.

use policy::Condition;
use policy::keys::{CLAIM_KEYS, GITHUB_ISSUER, Presence, is_carried_but_not_exported};

use super::kind::MissKind;
use super::miss::{Change, Miss, list};
use super::pattern::meant;
use super::scene::Scene;
use crate::wildcards::has_wildcard;

/// What comes nearest in meaning to a claim that AWS does not make a key of; the
/// others have nothing near.
const INSTEAD: [(&str, &str); 11] = [
    ("base_ref", "ref"),
    ("enterprise", "enterprise_id"),
    ("event_name", "sub"),
    ("head_ref", "ref"),
    ("job_workflow_sha", "job_workflow_ref"),
    ("ref_protected", "ref"),
    ("ref_type", "ref"),
    ("repository_owner", "repository_owner_id"),
    ("repository_visibility", "repository_id"),
    ("workflow_ref", "job_workflow_ref"),
    ("workflow_sha", "job_workflow_ref"),
];

/// The miss of a condition on a key that is not there.
pub(super) fn explain(scene: &Scene, condition: &Condition) -> Miss {
    let key = &condition.key;
    let wants = format!(
        "`{}` on `{key}` wants {}",
        condition.operator_name,
        list(&condition.values)
    );
    if let Some(name) = scene.claim_of(key) {
        return of_issuer(scene, condition, name, &wants);
    }
    if let Some(name) = of_another_prefix(scene, key) {
        let new = format!("{}:{name}", scene.issuer());
        return Miss::new(
            MissKind::KeyNeverFilled,
            format!(
                "{wants}, and AWS names the keys of this token after its issuer: `{new}`; a key \
                 with another prefix is never filled"
            ),
            format!("write `{new}`"),
        )
        .comparing(&new, key)
        .with(rename(condition, new.clone()));
    }
    Miss::new(
        MissKind::KeyNeverFilled,
        format!("{wants}, and AWS fills no such key when a web identity assumes a role"),
        "compare `:sub` and `:aud` instead, or take the condition out",
    )
}

fn of_issuer(scene: &Scene, condition: &Condition, name: &str, wants: &str) -> Miss {
    let name = name.to_ascii_lowercase();
    let exported = CLAIM_KEYS.iter().find(|key| key.name == name);
    match exported {
        Some(key) if key.of_github != Presence::Never => {
            return claim_absent(condition, &name, wants);
        }
        Some(_) => return not_sent(&name, wants),
        None => {}
    }
    if is_carried_but_not_exported(&name) {
        return not_exported(scene, &name, wants);
    }
    let known = CLAIM_KEYS
        .iter()
        .filter(|key| key.of_github != Presence::Never)
        .map(|key| key.name);
    let miss = |advice: String| {
        Miss::new(
            MissKind::KeyNeverFilled,
            format!("{wants}, and AWS has no such key, so it is never filled"),
            advice,
        )
    };
    match meant(&name, known) {
        Some(meant) => {
            let new = format!("{}:{meant}", scene.issuer());
            miss(format!("write `{new}`"))
                .comparing(&new, &condition.key)
                .with(rename(condition, new.clone()))
        }
        None => miss("compare `:sub` instead, or take the condition out".to_owned()),
    }
}

/// A key that AWS fills from other issuers' tokens.
fn not_sent(name: &str, wants: &str) -> Miss {
    Miss::new(
        MissKind::KeyNeverFilled,
        format!("{wants}, and GitHub's tokens never carry a claim `{name}`"),
        "compare `:sub` instead, or take the condition out",
    )
}

fn not_exported(scene: &Scene, name: &str, wants: &str) -> Miss {
    let issuer = scene.issuer();
    let instead = INSTEAD.iter().find(|(claim, _)| *claim == name);
    let instead = instead.map(|(_, instead)| *instead);
    let has = match scene.claim_text(name) {
        Some(value) => format!("the token says `{name}` = `{value}`, but "),
        None => String::new(),
    };
    let value = |name: &str| {
        scene
            .claim_text(name)
            .map(|value| format!(" (here `{value}`)"))
    };
    let advice = match instead {
        Some("sub") => format!(
            "compare `{issuer}:sub`, which ends in `:pull_request` for pull requests{}",
            value("sub").unwrap_or_default()
        ),
        Some(key) => format!(
            "compare `{issuer}:{key}` instead{}",
            value(key).unwrap_or_default()
        ),
        None => format!(
            "take the condition out, or put the claim into a customised subject and compare \
             `{issuer}:sub`"
        ),
    };
    Miss::new(
        MissKind::KeyNeverFilled,
        format!("{wants}, and {has}AWS makes no condition key of that claim"),
        advice,
    )
}

fn claim_absent(condition: &Condition, name: &str, wants: &str) -> Miss {
    if name == "environment" {
        let named = condition.values.iter().find(|value| !has_wildcard(value));
        return Miss::new(
            MissKind::RefAgainstEnvironment,
            format!("{wants}, and the job has no environment"),
            match named {
                Some(name) => format!("give the job `environment: {name}` in the workflow"),
                None => "give the job an `environment` in the workflow".to_owned(),
            },
        );
    }
    let advice = match name {
        "enterprise_id" => {
            "only tokens of an enterprise carry it; take the condition out".to_owned()
        }
        _ => format!(
            "paste all claims of the token if these are not all; GitHub's tokens carry `{name}`"
        ),
    };
    Miss::new(
        MissKind::ClaimAbsent,
        format!("{wants}, and the token has no claim `{name}`"),
        advice,
    )
}

/// The claim's name, where the key is one of GitHub's under a wrong prefix:
/// `https://token.actions..:sub`, another enterprise's, `github.com:sub`.
fn of_another_prefix<'k>(scene: &Scene, key: &'k str) -> Option<&'k str> {
    let (prefix, name) = key.rsplit_once(':')?;
    let known = CLAIM_KEYS.iter().any(|key| key.name == name);
    let like_github = prefix.to_ascii_lowercase().contains("github")
        || prefix.contains(GITHUB_ISSUER)
        || prefix.contains(scene.issuer())
        || meant(prefix, std::iter::once(GITHUB_ISSUER)).is_some();
    (known && like_github).then_some(name)
}

fn rename(condition: &Condition, new: String) -> Change {
    Change::ReplaceKey {
        operator: condition.operator_name.clone(),
        key: condition.key.clone(),
        new,
    }
}
