//! `longshore build`.

mod programs;
mod several;

use std::sync::Arc;

use aws::Client;
use build::Source;
use oci::Digest;
use pipeline::{BuildPlan, Event, SourcePublish, read_source};
use receipts::{BuildReceipt, ExitCode, Imprint, InputsReport, Problem};

use crate::arguments::{Build, Format};
use crate::commands::explain::with_explanation;
use crate::commands::publish::{Goal, client, no_tag};
use crate::progress::Progress;
use crate::project::Project;
use crate::settings::Settings;
use crate::{github_actions, printer, render};

pub(crate) use programs::AtHand;

/// Builds the image; stdout carries its digest.
pub(crate) async fn run(arguments: &Build, settings: &Settings) -> Result<ExitCode, Problem> {
    let project = Project::find(&settings.directory)?;
    if project.configuration.has_several() {
        return several::run(arguments, &project, settings).await;
    }
    let layout = project.at(&arguments.layout);
    let image = project.image(&arguments.images)?;
    let image = programs::only(image, arguments.platform.as_ref())?;
    let source = source(arguments, &project).await?;
    let at_hand = AtHand::new(settings, &arguments.binaries)?;
    let plan = at_hand.plan(&project, &image, &source, layout)?;
    one(plan, arguments, &project, settings).await
}

/// Does with one image what is asked for.
async fn one(
    mut plan: BuildPlan,
    arguments: &Build,
    project: &Project,
    settings: &Settings,
) -> Result<ExitCode, Problem> {
    plan.archives = arguments.archive.clone();
    for archive in &mut plan.archives {
        archive.file = settings.directory.join(&archive.file);
    }
    if arguments.why {
        return Box::pin(why(plan, arguments, project, settings)).await;
    }
    let progress = Progress::new(settings);
    let built = if let Some(digest) = arguments.verify {
        let published = published(plan, arguments, project, settings)?;
        Box::pin(verify(published, digest, &progress)).await
    } else {
        let show = |event: Event<'_>| progress.show(&event);
        let built = Box::pin(plan.execute(&show)).await;
        built
            .map(|built| built.receipt)
            .map_err(|failure| failure.problem())
    };
    progress.finish();
    report(&built?, settings);
    Ok(ExitCode::Success)
}

/// The commit of the checkout. What changed may well be what is not committed.
async fn source(arguments: &Build, project: &Project) -> Result<Source, Problem> {
    let allow_dirty = arguments.allow_dirty || arguments.why;
    source_of(project, allow_dirty).await
}

pub(crate) async fn source_of(project: &Project, allow_dirty: bool) -> Result<Source, Problem> {
    let source = read_source(&project.root, allow_dirty).await;
    source.map_err(|failure| failure.problem())
}

fn report(receipt: &BuildReceipt, settings: &Settings) {
    match settings.format {
        Format::Json => printer::json(receipt),
        Format::Text | Format::Sarif => {
            imprints(&receipt.imprints, settings);
            printer::message(&render::build::text(receipt));
            printer::data(&receipt.digest);
        }
    }
    github_actions::imprints(settings, &receipt.imprints);
    github_actions::output(settings, "digest", &receipt.digest);
    github_actions::output(settings, "layout", &receipt.layout);
}

/// Warns people of what a program holds of its machine.
pub(crate) fn imprints(imprints: &[Imprint], settings: &Settings) {
    for imprint in imprints {
        let text = render::imprint::text(imprint);
        printer::message(&github_actions::inert(settings, text));
    }
}

/// The published images that a build is compared with, and a client for them.
fn published(
    plan: BuildPlan,
    arguments: &Build,
    project: &Project,
    settings: &Settings,
) -> Result<(SourcePublish, Arc<Client>), Problem> {
    let goal = Goal::new(arguments.to.as_ref(), project, &[&plan.image], settings)?;
    let client = client(&settings.environment, &goal.region)?;
    let source = SourcePublish::new(plan, &goal.repositories[0], goal.identity);
    Ok((source.map_err(|error| no_tag(&error))?, Arc::new(client)))
}

/// Names what changed; stdout carries it.
async fn why(
    plan: BuildPlan,
    arguments: &Build,
    project: &Project,
    settings: &Settings,
) -> Result<ExitCode, Problem> {
    let report = changes(plan, arguments, project, settings).await?;
    match settings.format {
        Format::Json => printer::json(&report),
        Format::Text | Format::Sarif => printer::data(&render::inputs::text(&report)),
    }
    Ok(ExitCode::Success)
}

/// What changed since an image was published; of one platform alone where that is said.
async fn changes(
    plan: BuildPlan,
    arguments: &Build,
    project: &Project,
    settings: &Settings,
) -> Result<InputsReport, Problem> {
    let alone = arguments.platform.is_some();
    let (source, client) = published(plan, arguments, project, settings)?;
    let progress = Progress::new(settings);
    let show = |event: Event<'_>| progress.show(&event);
    let report = source.why(alone, &client, &show).await;
    progress.finish();
    report.map_err(|failure| {
        let mut problem = with_explanation(&failure, project);
        problem.summary = problem
            .summary
            .replace("nothing was pushed", "nothing was compared")
            .replace("no tag was moved", "nothing was compared");
        problem
    })
}

/// Builds everything again; an image other than `digest` is a problem that says how
/// it differs.
async fn verify(
    (source, client): (SourcePublish, Arc<Client>),
    digest: Digest,
    progress: &Progress,
) -> Result<BuildReceipt, Problem> {
    let built = source
        .verify(digest, &client, &|event| progress.show(&event))
        .await
        .map_err(|failure| failure.problem())?;
    let found = &built.receipt.digest;
    let listed = if *found == digest.to_string() {
        String::new()
    } else {
        format!(", which {digest} lists")
    };
    progress.say(&format!("reproduced {found}{listed}"));
    Ok(built.receipt)
}
