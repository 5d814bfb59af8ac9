//! The kinds of run that can start a job.
//!
//! Which event runs on which ref:
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows>.

use std::collections::{BTreeMap, BTreeSet};

use github::{Job, MatrixEntry, Trigger, Workflow};

use super::condition::narrowed;
use super::scopes::in_matrix;
use super::{EnvironmentUse, RefShape, RunShape};
use crate::{Setup, WorkflowFile};

/// The jobs that call a workflow of the same repository, by its path.
#[derive(Default)]
pub(crate) struct Callers<'a> {
    by_path: BTreeMap<&'a str, Vec<Caller<'a>>>,
}

#[derive(Clone, Copy)]
struct Caller<'a> {
    file: &'a WorkflowFile,
    workflow: &'a Workflow,
    job: &'a Job,
}

impl<'a> Callers<'a> {
    pub(crate) fn of(setup: &'a Setup) -> Self {
        let mut callers = Self::default();
        for file in &setup.workflows {
            let Ok(workflow) = &file.workflow else {
                continue;
            };
            for job in workflow.jobs.values() {
                let Some(path) = job.uses.as_ref().and_then(|uses| uses.strip_prefix("./")) else {
                    continue;
                };
                callers.by_path.entry(path).or_default().push(Caller {
                    file,
                    workflow,
                    job,
                });
            }
        }
        callers
    }

    /// Whether `job` can ask for an identity: by its own permissions, by those
    /// of its workflow, or, where neither says anything, by those of a job that
    /// calls the workflow.
    pub(crate) fn give_identity(
        &self,
        file: &WorkflowFile,
        workflow: &Workflow,
        job: &Job,
    ) -> bool {
        match workflow.permissions_of(job) {
            Some(permissions) => permissions.give_identity(),
            None => self.jobs_that_call(file).iter().any(|caller| {
                let permissions = caller.workflow.permissions_of(caller.job);
                permissions.is_some_and(github::Permissions::give_identity)
            }),
        }
    }

    /// Every kind of run that can start `job` for an entry of its matrix, as far
    /// as triggers and simple conditions tell; too many rather than too few.
    pub(crate) fn runs(
        &self,
        file: &WorkflowFile,
        workflow: &Workflow,
        job: &Job,
        entry: &MatrixEntry<'_>,
    ) -> Vec<RunShape> {
        let environment = job.environment.as_ref().map(|environment| {
            let named = in_matrix(environment, entry).map(EnvironmentUse::Named);
            named.unwrap_or_else(EnvironmentUse::Unknown)
        });
        // An environment without a name is none.
        let environment = environment.filter(|environment| match environment {
            EnvironmentUse::Named(name) | EnvironmentUse::Unknown(name) => !name.is_empty(),
        });
        let condition = job.condition.as_ref().map(|condition| condition.as_str());
        let mut runs = narrowed(self.starts(file, workflow), condition);
        for run in &mut runs {
            run.environment.clone_from(&environment);
        }
        runs.into_iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    /// What starts the workflow itself. A workflow that is called takes part in
    /// the runs of its callers; where no caller is known, in any run.
    fn starts(&self, file: &WorkflowFile, workflow: &Workflow) -> Vec<RunShape> {
        let mut starts = own_starts(workflow);
        if !workflow.triggers.has("workflow_call") {
            return starts;
        }
        let mut waiting: Vec<Caller<'_>> = self.jobs_that_call(file).to_vec();
        if waiting.is_empty() {
            starts.push(run("workflow_call", RefShape::Any));
        }
        // Each job calls once here, so callers that call each other come to an end.
        // Conditions of callers further out are not combined: the shape stays wide.
        let mut seen = BTreeSet::new();
        while let Some(caller) = waiting.pop() {
            if !seen.insert((caller.file.path.as_str(), caller.job.place)) {
                continue;
            }
            let condition = caller.job.condition.as_ref().map(|text| text.as_str());
            starts.extend(narrowed(own_starts(caller.workflow), condition));
            if caller.workflow.triggers.has("workflow_call") {
                waiting.extend(self.jobs_that_call(caller.file));
            }
        }
        starts
    }

    /// Whether the workflow takes its permissions from a caller that is not known.
    pub(crate) fn may_be_called(&self, file: &WorkflowFile, workflow: &Workflow) -> bool {
        workflow.triggers.has("workflow_call") && self.jobs_that_call(file).is_empty()
    }

    /// Whether the workflow is called, and every caller keeps its runs apart.
    pub(crate) fn serialise(&self, file: &WorkflowFile) -> bool {
        let callers = self.jobs_that_call(file);
        let serialises = |caller: &Caller<'_>| {
            caller.workflow.concurrency.is_some() || caller.job.concurrency.is_some()
        };
        !callers.is_empty() && callers.iter().all(serialises)
    }

    fn jobs_that_call(&self, file: &WorkflowFile) -> &[Caller<'a>] {
        self.by_path
            .get(file.path.as_str())
            .map_or(&[], Vec::as_slice)
    }
}

/// The runs that the workflow's own triggers start.
fn own_starts(workflow: &Workflow) -> Vec<RunShape> {
    workflow
        .triggers
        .iter()
        .filter(|(event, _)| *event != "workflow_call")
        .flat_map(|(event, trigger)| {
            let refs = refs(event, trigger);
            refs.into_iter().map(move |refs| run(event, refs))
        })
        .collect()
}

fn run(event: &str, refs: RefShape) -> RunShape {
    RunShape {
        event: event.to_owned(),
        environment: None,
        refs,
    }
}

/// The refs that a run of `event` can be on.
fn refs(event: &str, trigger: &Trigger) -> Vec<RefShape> {
    match event {
        "push" => pushed(trigger),
        // That reviews have the subject of pull requests is inferred: they run on
        // the same merge ref.
        "pull_request" | "pull_request_review" | "pull_request_review_comment" => {
            vec![RefShape::PullRequest]
        }
        // Since 2025-12-08 also `pull_request_target`, whatever its base branch:
        // <https://github.blog/changelog/2025-11-07-actions-pull_request_target-and-environment-branch-protections-changes/>.
        "pull_request_target"
        | "workflow_run"
        | "schedule"
        | "issue_comment"
        | "issues"
        | "discussion"
        | "discussion_comment"
        | "label"
        | "milestone"
        | "watch"
        | "fork"
        | "gollum"
        | "repository_dispatch"
        | "status"
        | "check_run"
        | "check_suite"
        | "public"
        | "branch_protection_rule"
        | "delete"
        | "page_build" => vec![RefShape::DefaultBranch],
        "merge_group" => vec![RefShape::Branches(vec!["gh-readonly-queue/**".to_owned()])],
        "release" => vec![RefShape::Tags(Vec::new())],
        _ => vec![RefShape::Any],
    }
}

/// A filter for branches alone leaves out every tag, and the other way round.
fn pushed(push: &Trigger) -> Vec<RefShape> {
    let branches = !push.branches.is_empty() || !push.branches_ignore.is_empty();
    let tags = !push.tags.is_empty() || !push.tags_ignore.is_empty();
    let mut refs = Vec::new();
    if branches || !tags {
        refs.extend(patterns(&push.branches, &push.branches_ignore).map(RefShape::Branches));
    }
    if tags || !branches {
        refs.extend(patterns(&push.tags, &push.tags_ignore).map(RefShape::Tags));
    }
    refs
}

/// One list of both filters; `None` where nothing can pass, because a list that
/// only takes out lets nothing in.
fn patterns(filter: &[String], ignore: &[String]) -> Option<Vec<String>> {
    if filter.is_empty() && ignore.is_empty() {
        return Some(Vec::new());
    }
    let mut patterns = filter.to_vec();
    if filter.is_empty() {
        patterns.push("**".to_owned());
    }
    patterns.extend(ignore.iter().map(|pattern| format!("!{pattern}")));
    let lets_in = patterns.iter().any(|pattern| !pattern.starts_with('!'));
    lets_in.then_some(patterns)
}
