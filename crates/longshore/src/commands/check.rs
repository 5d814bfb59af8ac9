//! `longshore check`: workflows, Terraform and policies together.

mod configuration;
mod files;
mod load;
mod relative;
mod report;
mod roots;
mod texts;
mod zizmor;

use std::path::Path;

use jiff::civil::Date;
use receipts::{CheckReport, ExitCode, Problem, Severity};

use crate::arguments::{Check, FailOn, Format};
use crate::render::check::Sources;
use crate::settings::Settings;
use crate::{github_actions, printer, render};

use load::Loaded;

/// Checks, prints what was found, and fails if that is bad enough.
pub(crate) async fn run(arguments: &Check, settings: &Settings) -> Result<ExitCode, Problem> {
    if let Some(rule) = &arguments.explain {
        printer::data(configuration::page(rule)?.trim_end());
        return Ok(ExitCode::Success);
    }
    let root = load::find(&settings.directory)?;
    // zizmor works while the files are read.
    let wanted = !arguments.no_zizmor && root.join(load::WORKFLOWS).is_dir();
    let zizmor = wanted.then(|| {
        let root = root.clone();
        tokio::spawn(
            async move { zizmor::run("zizmor", &root, load::WORKFLOWS, zizmor::LONGEST).await },
        )
    });
    let loaded = load::load(&root)?;
    let zizmor = match zizmor {
        Some(running) => running.await.ok(),
        None => None,
    };
    let report = check(arguments, &root, &loaded, zizmor);
    print(&report, &loaded, settings);
    if let Some(file) = &arguments.report {
        report::write(file, &report, &loaded, &root, today()).await?;
    }
    Ok(if report.passed {
        ExitCode::Success
    } else {
        ExitCode::CheckFailed
    })
}

/// The report, from what was read and what zizmor said.
fn check(
    arguments: &Check,
    root: &Path,
    loaded: &Loaded,
    zizmor: Option<Result<Vec<u8>, String>>,
) -> CheckReport {
    let mut skipped = loaded.skipped.clone();
    let (mut findings, mut proofs) = if arguments.prove {
        audit::check_and_prove(&loaded.setup)
    } else {
        (audit::check(&loaded.setup), Vec::new())
    };
    match zizmor.map(|answer| zizmor::findings(&answer?, &loaded.setup)) {
        Some(Ok(found)) => findings.extend(audit::zizmor::beyond(&findings, found)),
        Some(Err(why)) => skipped.push(why),
        None => {}
    }
    relative::findings(&mut findings, root);
    let (findings, suppressed) = audit::suppress(findings, &loaded.suppressions, today());
    let least = match arguments.fail_on {
        FailOn::Note => Severity::Note,
        FailOn::Warning => Severity::Warning,
        FailOn::Error => Severity::Error,
    };
    relative::proofs(&mut proofs, root);
    CheckReport {
        passed: findings.iter().all(|finding| finding.severity < least),
        findings,
        suppressed,
        proofs,
        skipped,
    }
}

/// The day in UTC, so that a suppression ends everywhere at once.
fn today() -> Date {
    jiff::tz::Offset::UTC
        .to_datetime(super::publish::now())
        .date()
}

fn print(report: &CheckReport, loaded: &Loaded, settings: &Settings) {
    let sources = Sources::new(&loaded.setup);
    match settings.format {
        Format::Json => printer::json(report),
        Format::Sarif => printer::json(&render::sarif::log(report, &sources)),
        Format::Text => {
            printer::message(&render::check::scope(&loaded.setup));
            let text = render::check::text(report, &sources);
            printer::data(&github_actions::inert(settings, text));
        }
    }
    github_actions::findings(settings, &report.findings);
    github_actions::summary(settings, &render::check::markdown(report));
}
