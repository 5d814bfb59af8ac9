//! Workflows and jobs: who can ask for an identity, and beside what.

mod edit;
mod hygiene;
mod identity;
mod pins;
mod publish;
mod script;
mod strangers;

use std::collections::BTreeMap;

use github::{Job, Place, Workflow};
use receipts::Location;
use terraform::Role;

use crate::findings::Findings;
use crate::jobs::asks::{Ask, asks};
use crate::jobs::{self, Callers, RunShape};
use crate::{Setup, WorkflowFile};

/// All rules about workflows.
pub(crate) fn check(setup: &Setup, findings: &mut Findings) {
    hygiene::unreadable(setup, findings);
    let callers = Callers::of(setup);
    let roles = setup.roots.iter().flat_map(|root| &root.aws.roles);
    let roles: BTreeMap<_, _> = roles.map(|role| (role.arn.as_str(), role)).collect();
    let files = jobs::readable(setup).map(|(file, workflow)| (file.path.as_str(), workflow));
    let context = Context {
        setup,
        files: &files.collect(),
        callers: &callers,
        roles: &roles,
    };
    for (file, workflow) in jobs::readable(setup) {
        hygiene::without_permissions(file, workflow, findings);
        hygiene::identity_for_all_jobs(setup, file, workflow, findings);
        for (id, job) in &workflow.jobs {
            let seen = SeenJob::new(&context, file, workflow, id, job);
            identity::missing(&context, &seen, findings);
            publish::without_concurrency(&context, &seen, findings);
            if seen.has_identity {
                identity::beside_code(&seen, findings);
                strangers::identity(&context, &seen, findings);
                identity::session_longer_than_role(&context, &seen, findings);
                pins::unpinned(&seen, findings);
            }
        }
    }
}

/// What every rule looks things up in.
struct Context<'a> {
    setup: &'a Setup,
    /// The workflows by path.
    files: &'a BTreeMap<&'a str, &'a Workflow>,
    callers: &'a Callers<'a>,
    /// The roles of all Terraform roots by ARN.
    roles: &'a BTreeMap<&'a str, &'a Role>,
}

impl Context<'_> {
    /// The runs of a job, for every entry of its matrix.
    fn runs(&self, file: &WorkflowFile, workflow: &Workflow, job: &Job) -> Vec<RunShape> {
        let entries = jobs::entries(job).into_iter();
        entries
            .flat_map(|entry| self.callers.runs(file, workflow, job, &entry))
            .collect()
    }
}

/// A job with what follows from the file it stands in.
struct SeenJob<'a> {
    file: &'a WorkflowFile,
    workflow: &'a Workflow,
    id: &'a str,
    job: &'a Job,
    /// `publish.yml#publish`.
    subject: String,
    has_identity: bool,
    asks: Vec<Ask<'a>>,
    runs: Vec<RunShape>,
}

impl<'a> SeenJob<'a> {
    fn new(
        context: &Context<'_>,
        file: &'a WorkflowFile,
        workflow: &'a Workflow,
        id: &'a str,
        job: &'a Job,
    ) -> Self {
        Self {
            file,
            workflow,
            id,
            job,
            subject: jobs::subject(file, id),
            has_identity: context.callers.give_identity(file, workflow, job),
            asks: asks(workflow, job, context.setup.publisher_role.as_deref()),
            runs: context.runs(file, workflow, job),
        }
    }

    fn at(&self, place: Place) -> Option<Location> {
        Some(jobs::location(self.file, place))
    }
}

#[cfg(test)]
mod tests;
