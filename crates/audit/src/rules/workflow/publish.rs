//! Jobs that push images.

use github::Step;
use receipts::Fix;

use super::{Context, SeenJob, edit};
use crate::Rule;
use crate::findings::Findings;
use crate::jobs::asks::uses;
use crate::jobs::script::{Command, commands};

/// Two pushes that are published at once can finish in the wrong order.
pub(super) fn without_concurrency(
    context: &Context<'_>,
    seen: &SeenJob<'_>,
    findings: &mut Findings,
) {
    let pushed = seen.runs.iter().any(|run| run.event == "push");
    let own = seen.workflow.concurrency.is_some() || seen.job.concurrency.is_some();
    if !pushed || own || context.callers.serialise(seen.file) {
        return;
    }
    let Some(step) = seen.job.steps.iter().find(|step| publishes(step)) else {
        return;
    };
    let message = format!(
        "Job `{}` publishes in step `{}` on every push, and nothing keeps two runs apart: the older one can finish last and move the tag back.",
        seen.id,
        step.title(),
    );
    let name = seen.file.path.rsplit('/').next().unwrap_or_default();
    let group = name.split('.').next().unwrap_or("publish");
    let lines = format!("concurrency:\n  group: {group}\n  cancel-in-progress: false\n\n");
    findings
        .add(
            Rule::PublishWithoutConcurrency,
            &seen.subject,
            seen.at(seen.job.place),
            message,
        )
        .fix = Some(Fix {
        summary: format!("Add a `concurrency` group, such as `{group}`, that does not cancel."),
        diff: edit::before_jobs(seen.file, seen.workflow, &lines),
    });
}

/// Whether the step pushes an image.
fn publishes(step: &Step) -> bool {
    let pushing_action = uses(step, "docker/build-push-action") || uses(step, "docker/bake-action");
    let pushes = step
        .with
        .get("push")
        .is_some_and(|push| push.value != "false");
    let script = step.run.as_deref().map(String::as_str).unwrap_or_default();
    (pushing_action && pushes) || commands(script).iter().any(pushes_image)
}

fn pushes_image(command: &Command) -> bool {
    let has = |word: &str| command.words.iter().any(|own| own == word);
    if let Some(arguments) = command.longshore() {
        return arguments.first().is_some_and(|verb| verb == "publish") && !has("--dry-run");
    }
    match command.program() {
        Some("docker" | "podman" | "nerdctl") => has("push") || has("--push"),
        Some("buildah" | "crane" | "oras" | "regctl" | "ko") => has("push") || has("build"),
        Some("skopeo") => has("copy") || has("sync"),
        _ => false,
    }
}
