//! `longshore emulator usage`.

use std::io;
use std::path::{Path, PathBuf};

use audit::usage::Activity;
use jiff::Timestamp;
use receipts::{ExitCode, Problem, ProblemCode, RoleUsage, UsageReport};
use reqwest::Method;
use serde_json::Value;

use super::controls::Controls;
use crate::arguments::{Format, Usage};
use crate::printer;
use crate::project::Project;
use crate::render;
use crate::settings::Settings;

/// Reports what roles used, or writes the smallest policy of one.
pub(super) async fn run(arguments: &Usage, settings: &Settings) -> Result<ExitCode, Problem> {
    let activity = match &arguments.url {
        Some(url) => ask(url, arguments.since, settings).await?,
        None => read(&data(arguments, settings)?, arguments.since)?,
    };
    let mut report = audit::usage::usage(&activity, arguments.since);
    if let Some(role) = &arguments.role {
        report = only(report, role)?;
    }
    if arguments.policy {
        printer::json(&smallest_policy(&report)?);
        return Ok(ExitCode::Success);
    }
    match settings.format {
        Format::Json => printer::json(&report),
        Format::Text | Format::Sarif => {
            printer::data(&render::usage::text(&report));
            if let Some(hint) = render::usage::hint(&report) {
                printer::message(&hint);
            }
        }
    }
    Ok(ExitCode::Success)
}

/// A path of its own, or one that is seen from `longshore.toml`, where there is one.
fn data(arguments: &Usage, settings: &Settings) -> Result<PathBuf, Problem> {
    if arguments.data.is_absolute() {
        return Ok(arguments.data.clone());
    }
    let project = Project::find_if_any(&settings.directory)?;
    let directory = &settings.directory;
    Ok(Project::at_if_any(
        project.as_ref(),
        directory,
        &arguments.data,
    ))
}

fn read(data: &Path, since: Option<Timestamp>) -> Result<Activity, Problem> {
    let read = ::emulator::Activity::read(data, since).and_then(|activity| {
        let activity = serde_json::to_value(activity)?;
        Ok(serde_json::from_value(activity)?)
    });
    read.map_err(|error: io::Error| {
        silent(&error).fact("data", data.display().to_string()).hint(
            "start `longshore emulator` and let something call it, or name its directory with `--data DIR`",
        )
    })
}

/// Asks the controls of a running emulator.
async fn ask(
    url: &str,
    since: Option<Timestamp>,
    settings: &Settings,
) -> Result<Activity, Problem> {
    let controls = Controls::of(Some(url), settings, "nothing was reported")?;
    let mut request = controls.request(Method::GET, "activity");
    if let Some(since) = since {
        request = request.query(&[("since", since.to_string())]);
    }
    controls.ask(request).await
}

fn silent(error: &dyn std::error::Error) -> Problem {
    Problem::new(
        ProblemCode::EmulatorSilent,
        "nothing was reported: the emulator's trail cannot be read",
    )
    .caused_by(error)
}

/// The report of the role with this name or ARN.
fn only(report: UsageReport, wanted: &str) -> Result<UsageReport, Problem> {
    let is_wanted = |role: &&RoleUsage| role.role == wanted || render::usage::name(role) == wanted;
    let roles: Vec<RoleUsage> = report.roles.iter().filter(is_wanted).cloned().collect();
    if roles.is_empty() {
        let problem = Problem::new(
            ProblemCode::RoleUnknown,
            format!("nothing was reported: the trail and the emulator know no role `{wanted}`"),
        );
        return Err(with_roles(problem, &report.roles));
    }
    Ok(UsageReport { roles, ..report })
}

/// The smallest policy of the one role that needs one.
fn smallest_policy(report: &UsageReport) -> Result<Value, Problem> {
    let needy: Vec<&RoleUsage> = report
        .roles
        .iter()
        .filter(|role| role.smallest_policy.is_some())
        .collect();
    match needy.as_slice() {
        [one] => Ok(one.smallest_policy.clone().unwrap_or_default()),
        [] => {
            let problem = Problem::new(
                ProblemCode::NothingUsed,
                "no policy was written: no call in the trail needed one",
            )
            .hint("let the role do its work against the emulator first");
            Err(with_roles(problem, &report.roles))
        }
        _ => {
            let problem = Problem::new(
                ProblemCode::RoleUnknown,
                "no policy was written: several roles need one",
            )
            .hint("choose one with `--role NAME`");
            let needy: Vec<RoleUsage> = needy.into_iter().cloned().collect();
            Err(with_roles(problem, &needy))
        }
    }
}

fn with_roles(problem: Problem, roles: &[RoleUsage]) -> Problem {
    roles.iter().fold(problem, |problem, role| {
        problem.fact("role", render::usage::name(role))
    })
}
