//! `longshore base`.

use receipts::{ExitCode, Problem};

use crate::arguments::{BaseArguments, BaseCommand, Format};
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
    let table = &project.configuration.image;
    let logins = settings.docker_configuration();
    let report = pipeline::update_base(table, &project.root, logins.as_deref())
        .await
        .map_err(|failure| failure.problem("longshore.lock is as it was"))?;
    match settings.format {
        Format::Json => printer::json(&report),
        Format::Text | Format::Sarif => printer::data(&render::base::text(&report)),
    }
    Ok(ExitCode::Success)
}
