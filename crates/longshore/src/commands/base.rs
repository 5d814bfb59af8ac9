//! `longshore base`.

use receipts::{ExitCode, Problem};

use crate::arguments::{BaseArguments, BaseCommand, Format};
use crate::commands::publish::now;
use crate::project::Project;
use crate::settings::Settings;
use crate::{printer, render};

/// Pins the base; stdout carries what changed.
pub(crate) async fn run(
    arguments: &BaseArguments,
    settings: &Settings,
) -> Result<ExitCode, Problem> {
    let BaseCommand::Update = arguments.command;
    let project = Project::find(&settings.directory)?;
    let logins = logins(settings);
    let images = &project.configuration.images;
    let reports = pipeline::update_bases(images, &project.root, &logins)
        .await
        .map_err(|failure| failure.problem("longshore.lock is as it was"))?;
    if reports.is_empty() {
        printer::message("no base image is named any more: longshore.lock was removed");
    }
    match (settings.format, reports.as_slice()) {
        (Format::Text | Format::Sarif, []) => {}
        (Format::Json, [report]) => printer::json(report),
        (Format::Json, reports) => printer::json(&reports),
        (Format::Text | Format::Sarif, reports) => {
            let texts = reports.iter().map(render::base::text);
            printer::data(&texts.collect::<Vec<_>>().join("\n\n"));
        }
    }
    Ok(ExitCode::Success)
}

/// Who may read the registry of a base.
pub(crate) fn logins(settings: &Settings) -> pipeline::Logins {
    let lookup = |name: &str| settings.environment.get(name).map(str::to_owned);
    let aws = aws::Settings::from_environment(&lookup);
    pipeline::Logins::of(settings.logins()).with_chain(aws, now)
}
