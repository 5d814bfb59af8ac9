//! Identities in runs that a stranger can start.

use github::{Job, Step, Workflow};

use super::{Context, SeenJob};
use crate::Rule;
use crate::findings::{Findings, in_words};
use crate::jobs::asks::uses;
use crate::jobs::lets_strangers_through;

/// Events that people without write access can cause, and whose runs have the
/// rights of the repository.
const STRANGERS_EVENTS: [&str; 7] = [
    "discussion",
    "discussion_comment",
    "fork",
    "issue_comment",
    "issues",
    "watch",
    "workflow_run",
];

/// What an expression names that brings in the code of a pull request.
const HEADS: [&str; 6] = [
    "github.event.pull_request.head",
    "github.event.pull_request.number",
    "github.event.workflow_run.head_",
    "github.event.issue.number",
    "github.head_ref",
    "refs/pull/",
];

/// An identity in a run that a stranger can start.
pub(super) fn identity(context: &Context<'_>, seen: &SeenJob<'_>, findings: &mut Findings) {
    let starts = |event: &str| seen.runs.iter().any(|run| run.event == event);
    let head = seen.job.steps.iter().find(|step| checks_out_head(step));
    let by_head = STRANGERS_EVENTS.into_iter().find(|event| starts(event));
    let artifact = follows_pull_requests(context, seen)
        .then(|| seen.job.steps.iter().find(|step| takes_artifact(step)))
        .flatten();
    let (event, what, place) = match (head, by_head, artifact) {
        (Some(step), _, _) if starts("pull_request_target") => {
            ("pull_request_target", checked_out(step), step.place)
        }
        _ if starts("pull_request_target") => (
            "pull_request_target",
            "with input that the stranger chose: title, branch name, body".to_owned(),
            seen.job.place,
        ),
        (Some(step), Some(event), _) => (event, checked_out(step), step.place),
        (_, _, Some(step)) => (
            "workflow_run",
            format!(
                "and its step `{}` takes the artifact that the stranger's pull request made",
                step.title()
            ),
            step.place,
        ),
        _ => return,
    };
    let message = format!(
        "Anyone can start job `{}` by `{event}`, {what}; it runs as the repository itself, with an identity whose subject names the default branch.",
        seen.id
    );
    findings
        .add(
            Rule::IdentityInPullRequestTarget,
            &seen.subject,
            seen.at(place),
            message,
        )
        .fix = in_words(match event {
        "workflow_run" => format!(
            "Add `if: github.event.workflow_run.event == 'push'` to job `{}`, or build what it uses in its own run.",
            seen.id
        ),
        _ => format!(
            "Take `id-token: write` from job `{}`, or start it by `push` only.",
            seen.id
        ),
    });
}

fn checked_out(step: &Step) -> String {
    format!(
        "and its step `{}` checks out what the stranger wrote",
        step.title()
    )
}

/// Whether the job runs after workflows of pull requests, whoever opened them.
/// Filters for branches do not help: a fork may call its branch `main`.
fn follows_pull_requests(context: &Context<'_>, seen: &SeenJob<'_>) -> bool {
    let Some(trigger) = seen.workflow.triggers.get("workflow_run") else {
        return false;
    };
    let lets_through = |job: &Job| {
        let condition = job.condition.as_ref().map(|text| text.as_str());
        lets_strangers_through(condition)
    };
    let mut needed = seen
        .job
        .needs
        .iter()
        .filter_map(|id| seen.workflow.jobs.get(id));
    let follows = |(path, workflow): (&&str, &&Workflow)| {
        // A workflow without a name is called by its path.
        let name = workflow.name.as_deref().unwrap_or(path);
        trigger.workflows.iter().any(|followed| followed == name)
            && workflow.triggers.has("pull_request")
    };
    // A job is skipped with one that it needs.
    lets_through(seen.job) && needed.all(lets_through) && context.files.iter().any(follows)
}

/// Whether a step takes an artifact of the run that its own run follows.
fn takes_artifact(step: &Step) -> bool {
    let condition = step.condition.as_ref().map(|text| text.as_str());
    let texts = || {
        let values = step.with.values().chain(step.env.values());
        values.chain(&step.run).map(|text| text.as_str())
    };
    let by_action = step
        .uses
        .as_ref()
        .is_some_and(|uses| uses.contains("download-artifact"));
    let by_script = texts().any(|text| {
        ["gh run download", "downloadArtifact", "/artifacts"]
            .iter()
            .any(|call| text.contains(call))
    });
    let of_that_run = texts().any(|text| text.contains("workflow_run.id"));
    (by_action || by_script) && of_that_run && lets_strangers_through(condition)
}

fn checks_out_head(step: &Step) -> bool {
    let input = |name: &str| {
        step.with
            .get(name)
            .is_some_and(|value| HEADS.iter().any(|head| value.contains(head)))
    };
    let by_action = uses(step, "actions/checkout") && (input("ref") || input("repository"));
    by_action
        || step
            .run
            .as_ref()
            .is_some_and(|run| run.contains("gh pr checkout"))
}
