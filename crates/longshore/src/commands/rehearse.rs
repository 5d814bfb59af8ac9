//! `longshore rehearse`: the repository's own workflow, against the built-in
//! AWS under the repository's own Terraform, for every caller.
//!
//! The publish goes through the same code as a real one: only the standard
//! environment variables say that AWS is elsewhere.

mod attempt;
mod stage;

use std::path::Path;
use std::sync::Arc;

use github::SubjectForm;
use image::Stored;
use pipeline::{Cloud, Event, IdentityPlan, PublishPlan};
use receipts::{ExitCode, Problem, ProblemCode, RehearsalReceipt, Verdict};

use crate::arguments::{Format, Rehearse};
use crate::commands::build::{self, AtHand};
use crate::commands::explain::with_explanation;
use crate::commands::publish::client;
use crate::progress::Progress;
use crate::project::Project;
use crate::settings::Settings;
use crate::{github_actions, printer, render};

use stage::Rehearsal;
use terraform::AwsResources;

/// Rehearses, prints the table, and fails if anybody ended where they should not.
pub(crate) async fn run(arguments: &Rehearse, settings: &Settings) -> Result<ExitCode, Problem> {
    let project = Project::find(&settings.directory)?;
    let progress = Progress::new(settings);
    let receipt = rehearse(arguments, &project, &progress, settings).await;
    progress.finish();
    let receipt = receipt?;
    match settings.format {
        Format::Json => printer::json(&receipt),
        Format::Text | Format::Sarif => {
            if let Some(problem) = &receipt.problem {
                let text = render::problem::text(problem);
                printer::message(&github_actions::inert(settings, text));
            }
            let text = render::rehearsal::text(&receipt);
            printer::data(&github_actions::inert(settings, text));
        }
    }
    github_actions::summary(settings, &render::rehearsal::markdown(&receipt));
    Ok(if receipt.passed {
        ExitCode::Success
    } else {
        ExitCode::RehearsalFailed
    })
}

async fn rehearse(
    arguments: &Rehearse,
    project: &Project,
    progress: &Progress,
    settings: &Settings,
) -> Result<RehearsalReceipt, Problem> {
    // What can be wrong without compiling anything is found before it.
    let resources = project.resources()?.ok_or_else(no_terraform)?;
    let image = project.image(&arguments.images)?;
    let cloud = project.cloud(&[image], Some(&resources))?;
    let layout = project.at(Path::new("target/longshore/rehearsal"));
    let source = build::source_of(project, true).await?;
    let at_hand = AtHand::new(settings, &arguments.binaries)?;
    let plan_of_build = at_hand.plan(project, image, &source, layout.clone())?;
    let job = project.publishing_job(&plan_of_build.source.commit)?;
    let unknowns = unknowns(&resources);

    let show = |event: Event<'_>| progress.show(&event);
    let built = Box::pin(plan_of_build.execute(&show));
    let built = built.await.map_err(|failure| failure.problem())?;
    let rehearsal = Rehearsal::open(arguments.data.as_deref(), &cloud, resources).await?;
    progress.say(&format!("the emulator listens on {}", rehearsal.url));

    let plan = plan(&built.stored, project, &cloud)?;
    let environment = rehearsal
        .environment(&job.run, SubjectForm::Immutable)
        .await?;
    let client = Arc::new(client(&environment, &cloud.region)?);
    let published = plan
        .execute(&layout, &client, &|event| progress.show(&event))
        .await;
    let attempts = rehearsal.attempts(&cloud, &job.run).await?;
    rehearsal.close().await?;

    let (publish, problem) = match published {
        Ok(receipt) => (Some(receipt), None),
        Err(failure) => (None, Some(with_explanation(&failure, project))),
    };
    let as_intended = attempts
        .iter()
        .all(|attempt| attempt.verdict == Verdict::AsIntended);
    Ok(RehearsalReceipt {
        passed: publish.is_some() && as_intended,
        workflow: job.workflow.display().to_string(),
        job: job.job,
        role: cloud.role,
        build: built.receipt,
        publish,
        problem,
        attempts,
        unknowns,
    })
}

/// The publish as the workflow's job would do it.
fn plan(stored: &Stored, project: &Project, cloud: &Cloud) -> Result<PublishPlan, Problem> {
    let identity = IdentityPlan::Github {
        account: cloud.account.clone(),
        role: cloud.role.clone(),
        session_name: aws::session_name("rehearsal", "1"),
    };
    let table = &project.configuration.publish;
    PublishPlan::new(stored, table, &cloud.repositories[0], identity).map_err(|error| {
        Problem::new(
            ProblemCode::BadConfiguration,
            "nothing was rehearsed: a tag cannot be made",
        )
        .caused_by(&error)
    })
}

/// What the rehearsal leaves out, as people read it.
fn unknowns(resources: &AwsResources) -> Vec<String> {
    let line = |unknown: &terraform::Unknown| {
        let (address, attribute) = (&unknown.address, &unknown.attribute);
        format!("{address}.{attribute}: {}", unknown.reason)
    };
    resources.unknowns.iter().map(line).collect()
}

fn no_terraform() -> Problem {
    Problem::new(
        ProblemCode::TerraformSilent,
        "nothing was rehearsed: there is no Terraform root",
    )
    .hint("set `aws.terraform` in longshore.toml to the directory of your Terraform root")
}
