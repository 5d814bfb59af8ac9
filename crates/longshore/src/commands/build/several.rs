//! `longshore build` where `longshore.toml` has several images.

use std::collections::BTreeMap;

use pipeline::BuildPlan;
use receipts::{BuildReceipts, ExitCode, Problem, ProblemCode};

use super::programs::{self, AtHand};
use crate::arguments::{Build, Format};
use crate::progress::Progress;
use crate::project::Project;
use crate::settings::Settings;
use crate::{github_actions, printer, render};

/// Builds the images that are chosen, each into a layout of its own below the one that
/// is named; stdout carries the digest of each behind its name.
pub(super) async fn run(
    arguments: &Build,
    project: &Project,
    settings: &Settings,
) -> Result<ExitCode, Problem> {
    if arguments.verify.is_some() || !arguments.archive.is_empty() {
        return one(arguments, project, settings).await;
    }
    let plans = plans(arguments, project, settings).await?;
    if arguments.why {
        return why(plans, arguments, project, settings).await;
    }
    let progress = Progress::new(settings);
    let built = BuildPlan::execute_all(&plans, &|event| progress.show(&event)).await;
    progress.finish();
    let built = built.map_err(|failure| failure.problem())?;
    let names = plans.iter().map(|plan| plan.image.name().to_owned());
    let receipts = built.into_iter().map(|built| built.receipt);
    let images: BTreeMap<_, _> = names.zip(receipts).collect();
    for receipt in images.values() {
        github_actions::imprints(settings, &receipt.imprints);
    }
    let digests: Vec<_> = images
        .iter()
        .map(|(name, receipt)| format!("{name}@{}", receipt.digest))
        .collect();
    match settings.format {
        Format::Json => printer::json(&BuildReceipts { images }),
        Format::Text | Format::Sarif => {
            for (name, receipt) in &images {
                super::imprints(&receipt.imprints, settings);
                let text = render::build::text(receipt);
                printer::message(&format!("image   {name}\n{text}\n"));
            }
            printer::data(&digests.join("\n"));
        }
    }
    let layout = project.at(&arguments.layout);
    github_actions::output(settings, "digest", &digests.join(","));
    github_actions::output(settings, "layout", &layout.display().to_string());
    Ok(ExitCode::Success)
}

/// The plan of each image that is chosen.
async fn plans(
    arguments: &Build,
    project: &Project,
    settings: &Settings,
) -> Result<Vec<BuildPlan>, Problem> {
    let images = project.images(&arguments.images)?;
    let only = |image| programs::only(image, arguments.platform.as_ref());
    let images: Vec<_> = images.into_iter().map(only).collect::<Result<_, _>>()?;
    let images: Vec<_> = images.iter().collect();
    let layouts = project.at(&arguments.layout);
    let source = super::source(arguments, project).await?;
    let at_hand = AtHand::new(settings, &arguments.binaries)?;
    at_hand.plans(project, &images, &source, &layouts)
}

/// What is about one image: an archive, a comparison.
async fn one(
    arguments: &Build,
    project: &Project,
    settings: &Settings,
) -> Result<ExitCode, Problem> {
    project.image(&arguments.images)?;
    let mut plans = plans(arguments, project, settings).await?;
    let lost = || {
        Problem::new(
            ProblemCode::BadConfiguration,
            "nothing was done: there is no image",
        )
    };
    let plan = plans.pop().ok_or_else(lost)?;
    super::one(plan, arguments, project, settings).await
}

/// Names what changed for each image.
async fn why(
    plans: Vec<BuildPlan>,
    arguments: &Build,
    project: &Project,
    settings: &Settings,
) -> Result<ExitCode, Problem> {
    let mut reports = BTreeMap::new();
    for plan in plans {
        let name = plan.image.name().to_owned();
        let report = super::changes(plan, arguments, project, settings).await?;
        reports.insert(name, report);
    }
    match settings.format {
        Format::Json => printer::json(&reports),
        Format::Text | Format::Sarif => {
            let texts = reports.iter().map(|(name, report)| {
                format!("image      {name}\n{}", render::inputs::text(report))
            });
            printer::data(&texts.collect::<Vec<_>>().join("\n\n"));
        }
    }
    Ok(ExitCode::Success)
}
