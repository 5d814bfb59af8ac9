//! `longshore rehearse`: the repository's own workflow, against the built-in
//! AWS under the repository's own Terraform, for every caller.
//!
//! The publish goes through the same code as a real one: only the standard
//! environment variables say that AWS is elsewhere.

mod attempt;
mod stage;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use github::SubjectForm;
use pipeline::{BuildPlan, Built, Cloud, Event, IdentityPlan, Named, PublishPlan, SeveralFailure};
use receipts::{ExitCode, Problem, ProblemCode, RehearsalReceipt, RehearsedImage, Verdict};

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

/// Where images are built for it, each below its name.
const LAYOUTS: &str = "target/longshore/rehearsal";

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
    let images = project.images(&arguments.images)?;
    let cloud = project.cloud(&images, Some(&resources))?;
    let source = build::source_of(project, true).await?;
    let at_hand = AtHand::new(settings, &arguments.binaries)?;
    let builds = at_hand.plans(project, &images, &source, &project.at(Path::new(LAYOUTS)))?;
    let job = project.publishing_job(&source.commit)?;
    let unknowns = unknowns(&resources);

    let show = |event: Event<'_>| progress.show(&event);
    let built = Box::pin(BuildPlan::execute_all(&builds, &show));
    let built = built.await.map_err(|failure| failure.problem())?;
    let rehearsal = Rehearsal::open(arguments.data.as_deref(), &cloud, resources).await?;
    progress.say(&format!("the emulator listens on {}", rehearsal.url));

    let plans = plans((&builds, &built), project, &cloud)?;
    let environment = rehearsal
        .environment(&job.run, SubjectForm::Immutable)
        .await?;
    let client = Arc::new(client(&environment, &cloud.region)?);
    let published = PublishPlan::execute_all(&plans, &client, &show).await;
    let attempts = rehearsal.attempts(&cloud, &job.run).await?;
    rehearsal.close().await?;

    let (published, problem) = match published {
        Ok(receipts) => (receipts, None),
        Err(failure) => (Vec::new(), Some(told(&failure, project))),
    };
    let as_intended = attempts
        .iter()
        .all(|attempt| attempt.verdict == Verdict::AsIntended);
    let mut published = published.into_iter();
    let names = plans.into_iter().map(|plan| plan.name);
    let images = names.zip(built).map(|(name, built)| {
        let (build, publish) = (built.receipt, published.next());
        (name, RehearsedImage { build, publish })
    });
    Ok(RehearsalReceipt {
        passed: problem.is_none() && as_intended,
        workflow: job.workflow.display().to_string(),
        job: job.job,
        role: cloud.role,
        images: images.collect(),
        problem,
        attempts,
        unknowns,
    })
}

/// The publish of each image as the workflow's job would do it.
fn plans(
    (builds, built): (&[BuildPlan], &[Built]),
    project: &Project,
    cloud: &Cloud,
) -> Result<Vec<Named<(PathBuf, PublishPlan)>>, Problem> {
    let identity = IdentityPlan::Github {
        account: cloud.account.clone(),
        role: cloud.role.clone(),
        session_name: aws::session_name("rehearsal", "1"),
    };
    let table = &project.configuration.publish;
    let images = builds.iter().zip(built).zip(&cloud.repositories);
    let plans = images.map(|((build, built), repository)| {
        let plan = PublishPlan::new(&built.stored, table, repository, identity.clone());
        let plan = plan.map_err(|error| {
            let what = "nothing was rehearsed: a tag cannot be made";
            Problem::new(ProblemCode::BadConfiguration, what).caused_by(&error)
        })?;
        Ok(Named {
            name: build.image.name().to_owned(),
            publish: (build.layout.clone(), plan),
        })
    });
    plans.collect()
}

/// Why nothing was published: of one image without the names of several.
fn told(failure: &SeveralFailure, project: &Project) -> Problem {
    let Some(first) = failure.first() else {
        return Problem::new(ProblemCode::Io, "nothing was pushed");
    };
    let problem = with_explanation(first, project);
    if project.configuration.has_several() {
        failure.problem(problem)
    } else {
        problem
    }
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
