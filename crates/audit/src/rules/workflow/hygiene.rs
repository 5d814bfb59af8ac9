//! What a workflow says as a whole.

use github::{Job, Workflow};
use receipts::Fix;

use super::edit;
use crate::findings::{Findings, in_words};
use crate::jobs::{asks::asks, location};
use crate::{Rule, Setup, WorkflowFile};

/// A file that cannot be read hides whatever it does.
pub(super) fn unreadable(setup: &Setup, findings: &mut Findings) {
    for file in &setup.workflows {
        let Err(error) = &file.workflow else {
            continue;
        };
        let message = format!(
            "`{}` cannot be read, so none of its jobs is checked: {}.",
            file.path,
            error.message()
        );
        findings
            .add(
                Rule::WorkflowUnreadable,
                name(file),
                Some(location(file, error.place())),
                message,
            )
            .fix = in_words("Correct this line, or remove the file.");
    }
}

/// Without `permissions` the token has what the repository's settings give.
pub(super) fn without_permissions(
    file: &WorkflowFile,
    workflow: &Workflow,
    findings: &mut Findings,
) {
    // A workflow that is only called has at most what its callers have.
    let only_called = workflow
        .triggers
        .iter()
        .all(|(event, _)| event == "workflow_call");
    if workflow.permissions.is_some() || only_called {
        return;
    }
    let silent: Vec<_> = silent_jobs(workflow).collect();
    if silent.is_empty() {
        return;
    }
    let message = format!(
        "Neither `{}` nor its {} what the token may do, so it is whatever the repository's settings give, which may be writing everything.",
        name(file),
        jobs(&silent, "say", "says")
    );
    findings
        .add(
            Rule::WorkflowWithoutPermissions,
            name(file),
            Some(location(file, workflow.jobs_place)),
            message,
        )
        .fix = Some(Fix {
        summary:
            "Begin with `permissions: contents: read`, and give a job more only where it needs it."
                .to_owned(),
        diff: edit::before_jobs(file, workflow, "permissions:\n  contents: read\n\n"),
    });
}

/// `id-token: write` for the whole workflow.
pub(super) fn identity_for_all_jobs(
    setup: &Setup,
    file: &WorkflowFile,
    workflow: &Workflow,
    findings: &mut Findings,
) {
    let Some(permissions) = &workflow.permissions else {
        return;
    };
    let silent: Vec<_> = silent_jobs(workflow).collect();
    if !permissions.give_identity() || silent.len() < 2 {
        return;
    }
    let publisher = setup.publisher_role.as_deref();
    let idle: Vec<_> = silent
        .iter()
        .filter(|(_, job)| job.uses.is_none() && asks(workflow, job, publisher).is_empty())
        .copied()
        .collect();
    let needless = if idle.is_empty() {
        String::new()
    } else {
        format!(" {} no use of it.", capital(&jobs(&idle, "make", "makes")))
    };
    let message = format!(
        "`permissions` of `{}` give `id-token: write` to its {}, so every step of each can ask for the identity.{needless}",
        name(file),
        jobs(&silent, "", "").trim_end(),
    );
    findings
        .add(
            Rule::IdentityForAllJobs,
            name(file),
            Some(location(file, permissions.place)),
            message,
        )
        .fix = in_words(
        "Take `id-token: write` out of the workflow's `permissions`, and put it into those of the one job that needs it.",
    );
}

/// The jobs that say nothing of their own about permissions.
fn silent_jobs(workflow: &Workflow) -> impl Iterator<Item = (&str, &Job)> {
    workflow
        .jobs
        .iter()
        .filter(|(_, job)| job.permissions.is_none())
        .map(|(id, job)| (id.as_str(), job))
}

/// How many jobs a message names.
const NAMED_JOBS: usize = 5;

/// "job `a` says", "jobs `a` and `b` say".
fn jobs(jobs: &[(&str, &Job)], plural: &str, singular: &str) -> String {
    let mut names: Vec<_> = jobs
        .iter()
        .take(NAMED_JOBS)
        .map(|(id, _)| format!("`{id}`"))
        .collect();
    if jobs.len() > NAMED_JOBS {
        names.push(format!("{} more", jobs.len() - NAMED_JOBS));
    }
    match names.as_slice() {
        [] => String::new(),
        [one] => format!("job {one} {singular}"),
        [all @ .., last] => format!("jobs {} and {last} {plural}", all.join(", ")),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|char| char.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

fn name(file: &WorkflowFile) -> &str {
    file.path.rsplit('/').next().unwrap_or(&file.path)
}
