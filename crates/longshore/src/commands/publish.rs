//! `longshore publish`.

use std::path::{Path, PathBuf};

use aws::{Client, session_name};
use image::Layout;
use pipeline::{BuildPlan, Cloud, IdentityPlan, PublishPlan};
use receipts::{ExitCode, Problem, ProblemCode, PublishReceipt};

use crate::arguments::{Format, Publish};
use crate::commands::explain::with_explanation;
use crate::environment::Environment;
use crate::progress::Progress;
use crate::project::Project;
use crate::settings::Settings;
use crate::{github_actions, printer, render};

/// Where an image that is built on the way goes.
const LAYOUT: &str = "target/longshore/layout";

/// Publishes; stdout carries the image's reference by digest.
pub(crate) async fn run(arguments: &Publish, settings: &Settings) -> Result<ExitCode, Problem> {
    let project = Project::find(&settings.directory)?;
    let cloud = project.cloud(project.resources()?.as_ref())?;
    let progress = Progress::new(settings);
    let layout = layout(arguments, &project, &progress).await?;
    let plan = plan(arguments, &project, &cloud, &layout, settings);
    let plan = plan.inspect_err(|_| progress.finish())?;
    if arguments.dry_run {
        progress.finish();
        printer::message("nothing was pushed: this is the plan");
        printer::data(&plan.to_string());
        return Ok(ExitCode::Success);
    }
    let client = client(&settings.environment, &cloud.region);
    let client = client.inspect_err(|_| progress.finish())?;
    let receipt = plan
        .execute(&layout, &client, &|event| progress.show(&event))
        .await;
    progress.finish();
    match receipt {
        Ok(receipt) => report(&receipt, arguments, settings),
        Err(failure) => {
            let problem = with_explanation(&failure, &project);
            if let Some(explanation) = &problem.explanation {
                github_actions::summary(settings, &render::explain::markdown(explanation));
            }
            Err(problem)
        }
    }
}

/// The layout given, or one built now.
async fn layout(
    arguments: &Publish,
    project: &Project,
    progress: &Progress,
) -> Result<PathBuf, Problem> {
    if let Some(layout) = &arguments.layout {
        return Ok(layout.clone());
    }
    let layout = project.at(Path::new(LAYOUT));
    let plan = BuildPlan::new(
        &project.root,
        &project.configuration,
        layout.clone(),
        arguments.allow_dirty,
    );
    let plan = plan.await.map_err(|failure| failure.problem())?;
    let built = plan.execute(&|event| progress.show(&event)).await;
    built.map_err(|failure| {
        progress.finish();
        failure.problem()
    })?;
    Ok(layout)
}

fn plan(
    arguments: &Publish,
    project: &Project,
    cloud: &Cloud,
    layout: &Path,
    settings: &Settings,
) -> Result<PublishPlan, Problem> {
    let image = Layout::open(layout)
        .and_then(|layout| layout.image())
        .map_err(|error| pipeline::layout_problem(&error))?;
    let identity = identity(settings, cloud);
    let plan = PublishPlan::new(&image, &project.configuration.publish, cloud, identity);
    let mut plan = plan.map_err(|error| {
        Problem::new(
            ProblemCode::BadConfiguration,
            "nothing was pushed: a tag cannot be made",
        )
        .caused_by(&error)
    })?;
    // The layout is checked against the digest that the build job printed.
    plan.digest = arguments.digest.unwrap_or(plan.digest);
    Ok(plan)
}

/// In a workflow the run is the identity, and a missing token is an error that
/// no other credential may paper over. Elsewhere the standard chain decides.
fn identity(settings: &Settings, cloud: &Cloud) -> IdentityPlan {
    let environment = &settings.environment;
    let has_token = environment.get("ACTIONS_ID_TOKEN_REQUEST_URL").is_some();
    if !settings.in_github_actions() && !has_token {
        return IdentityPlan::Chain;
    }
    let run = environment.get("GITHUB_RUN_ID").unwrap_or("0");
    let attempt = environment.get("GITHUB_RUN_ATTEMPT").unwrap_or("1");
    IdentityPlan::Github {
        role: cloud.role.clone(),
        session_name: session_name(run, attempt),
    }
}

/// A client for the environment's AWS.
pub(crate) fn client(environment: &Environment, region: &str) -> Result<Client, Problem> {
    let lookup = |name: &str| environment.get(name).map(str::to_owned);
    let wrong = |error: &dyn std::error::Error| {
        Problem::new(
            ProblemCode::BadConfiguration,
            "nothing was pushed: a variable has a wrong value",
        )
        .caused_by(error)
    };
    // The repository's region decides: a registry's authorization is regional.
    let settings = aws::Settings::from_environment(&lookup)
        .and_then(|settings| settings.with_region(region))
        .map_err(|error| wrong(&error))?;
    Client::new(settings, now).map_err(|error| wrong(&error))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one clock that is passed to the libraries"
)]
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

fn report(
    receipt: &PublishReceipt,
    arguments: &Publish,
    settings: &Settings,
) -> Result<ExitCode, Problem> {
    match settings.format {
        Format::Json => printer::json(receipt),
        Format::Text | Format::Sarif => {
            printer::message(&render::publish::text(receipt));
            printer::data(&receipt.reference);
        }
    }
    github_actions::output(settings, "digest", &receipt.digest);
    github_actions::output(settings, "reference", &receipt.reference);
    github_actions::summary(settings, &render::publish::markdown(receipt));
    if let Some(file) = &arguments.receipt {
        let text = serde_json::to_vec_pretty(receipt).unwrap_or_default();
        fs_err::write(file, text).map_err(|error| {
            Problem::new(
                ProblemCode::Io,
                "the image was published, but its receipt was not written",
            )
            .caused_by(&error)
        })?;
    }
    Ok(ExitCode::Success)
}
