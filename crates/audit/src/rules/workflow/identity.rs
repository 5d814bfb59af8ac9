//! What stands beside an identity, and where one is missing.

use receipts::Fix;

use super::{Context, SeenJob, edit, script};
use crate::Rule;
use crate::findings::{Findings, in_words};
use crate::jobs::RoleUse;
use crate::jobs::asks::{Ask, CONFIGURE, uses};

/// Seconds that a session lasts where nobody says: the default of the action and
/// of STS itself.
const DEFAULT_SESSION: u32 = 3600;

/// A job that assumes a role with a token that GitHub will not give it.
pub(super) fn missing(context: &Context<'_>, seen: &SeenJob<'_>, findings: &mut Findings) {
    missing_for_called(context, seen, findings);
    let Some(ask) = seen.asks.first().filter(|_| !seen.has_identity) else {
        return;
    };
    let own = seen.workflow.permissions_of(seen.job);
    if own.is_none() && context.callers.may_be_called(seen.file, seen.workflow) {
        return;
    }
    let why = match own {
        Some(_) => "its `permissions` do not contain `id-token: write`",
        None => "nothing gives it `permissions: id-token: write`",
    };
    let message = format!(
        "Job `{}` assumes {} in step `{}`, but {why}, so GitHub gives it no token to do that with.",
        seen.id,
        role(ask),
        ask.step.title(),
    );
    add_missing(seen, message, findings);
}

/// A job that calls a workflow which wants more than the job may give: GitHub
/// does not start such a run.
fn missing_for_called(context: &Context<'_>, seen: &SeenJob<'_>, findings: &mut Findings) {
    let called = seen
        .job
        .uses
        .as_ref()
        .and_then(|uses| uses.strip_prefix("./"));
    let Some(called) = called.filter(|_| !seen.has_identity) else {
        return;
    };
    if seen.workflow.permissions_of(seen.job).is_none()
        && context.callers.may_be_called(seen.file, seen.workflow)
    {
        return;
    }
    let found = context.files.get(called);
    let wanting = found.and_then(|workflow| workflow.jobs_with_identity().next());
    let Some((id, _)) = wanting else { return };
    let message = format!(
        "Job `{}` calls `{called}`, whose job `{id}` wants `id-token: write`, and does not have it to give.",
        seen.id
    );
    add_missing(seen, message, findings);
}

fn add_missing(seen: &SeenJob<'_>, message: String, findings: &mut Findings) {
    let (job, place) = (&seen.id, seen.at(seen.job.place));
    findings
        .add(Rule::IdentityMissing, &seen.subject, place, message)
        .fix = Some(Fix {
        summary: format!("Add `id-token: write` to the `permissions` of job `{job}`."),
        diff: identity_diff(seen),
    });
}

fn identity_diff(seen: &SeenJob<'_>) -> Option<String> {
    match (&seen.job.permissions, &seen.workflow.permissions) {
        (Some(own), _) => edit::scope(seen.file, own, "id-token: write"),
        // Its own `permissions` would replace what it has from the workflow.
        (None, Some(_)) => None,
        (None, None) => edit::first_in_job(
            seen.file,
            seen.id,
            seen.job,
            "permissions",
            &["contents: read", "id-token: write"],
        ),
    }
}

/// A job with an identity that runs what the checkout brought.
pub(super) fn beside_code(seen: &SeenJob<'_>, findings: &mut Findings) {
    let checkout = seen
        .job
        .steps
        .iter()
        .any(|step| uses(step, "actions/checkout"));
    let mut running = seen.job.steps.iter().filter_map(|step| {
        let local = step.uses.as_ref().filter(|uses| uses.starts_with("./"));
        if let Some(action) = local {
            return Some((
                step,
                action.place,
                format!("uses the action `{}`", action.value),
            ));
        }
        let run = step.run.as_ref().filter(|_| checkout)?;
        let command = script::code(run)?;
        Some((step, run.place, format!("runs `{command}`")))
    });
    let Some((step, place, what)) = running.next() else {
        return;
    };
    let more = match running.count() {
        0 => String::new(),
        1 => " (and one more step does the like)".to_owned(),
        more => format!(" (and {more} more steps do the like)"),
    };
    let message = format!(
        "Job `{}` can ask for an identity, and its step `{}` {what} from the repository{more}: that code and all that it depends on can assume the role too.",
        seen.id,
        step.title(),
    );
    findings
        .add(
            Rule::IdentityBesideCode,
            &seen.subject,
            seen.at(place),
            message,
        )
        .fix = in_words(format!(
        "Build and test in another job without `id-token: write`, and hand the result to job `{}` as an artifact.",
        seen.id
    ));
}

/// STS refuses a session that is longer than the role allows.
pub(super) fn session_longer_than_role(
    context: &Context<'_>,
    seen: &SeenJob<'_>,
    findings: &mut Findings,
) {
    for ask in &seen.asks {
        let RoleUse::Arn(arn) = &ask.role else {
            continue;
        };
        let Some(role) = context.roles.get(arn.as_str()) else {
            continue;
        };
        let asked = ask.session_seconds.unwrap_or(DEFAULT_SESSION);
        if asked <= role.max_session_duration {
            continue;
        }
        let longest = role.max_session_duration;
        let message = format!(
            "Job `{}` asks for a session of {asked} seconds, and role `{}` gives at most {longest}: STS refuses the call.",
            seen.id, role.name
        );
        let duration = ask
            .step
            .with
            .get("role-duration-seconds")
            .filter(|_| uses(ask.step, CONFIGURE));
        let diff = duration
            .filter(|duration| !duration.contains("${{"))
            .map(|duration| {
                let (file, range) = (seen.file, duration.place.bytes());
                crate::diff::replace_lines(&file.path, &file.text, range, &longest.to_string())
            });
        let place = duration.map_or(ask.place, |duration| duration.place);
        findings
            .add(
                Rule::SessionLongerThanRole,
                &seen.subject,
                seen.at(place),
                message,
            )
            .fix = Some(Fix {
            summary: format!("Ask for at most {longest} seconds, or raise `max_session_duration`."),
            diff,
        });
    }
}

fn role(ask: &Ask<'_>) -> String {
    match &ask.role {
        RoleUse::Arn(arn) => format!("`{arn}`"),
        RoleUse::Unknown(text) if text.contains(' ') && !text.contains("${{") => text.clone(),
        RoleUse::Unknown(text) => format!("`{text}`"),
    }
}
