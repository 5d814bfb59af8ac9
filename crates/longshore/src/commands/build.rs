//! `longshore build`.

use pipeline::BuildPlan;
use receipts::{ExitCode, Problem};

use crate::arguments::{Build, Format};
use crate::progress::Progress;
use crate::project::Project;
use crate::settings::Settings;
use crate::{github_actions, printer, render};

/// Builds the image; stdout carries its digest.
pub(crate) async fn run(arguments: &Build, settings: &Settings) -> Result<ExitCode, Problem> {
    let project = Project::find(&settings.directory)?;
    let layout = project.at(&arguments.layout);
    let mut plan = BuildPlan::new(
        &project.root,
        &project.configuration,
        layout,
        arguments.allow_dirty,
    )
    .await
    .map_err(|failure| failure.problem())?;
    plan.archives = arguments.archive.clone();
    for archive in &mut plan.archives {
        archive.file = settings.directory.join(&archive.file);
    }
    let progress = Progress::new(settings);
    let built = plan.execute(&|event| progress.show(&event)).await;
    progress.finish();
    let receipt = built.map_err(|failure| failure.problem())?.receipt;
    match settings.format {
        Format::Json => printer::json(&receipt),
        Format::Text | Format::Sarif => {
            printer::message(&render::build::text(&receipt));
            printer::data(&receipt.digest);
        }
    }
    github_actions::output(settings, "digest", &receipt.digest);
    github_actions::output(settings, "layout", &receipt.layout);
    Ok(ExitCode::Success)
}
