//! `longshore publish` where `longshore.toml` has several images.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::Layout;
use pipeline::{
    BuildPlan, Gate, ImageTable, Named, PublishPlan, SeveralFailure, Signer, SourcePublish,
};
use receipts::{ExitCode, PlannedPublishes, Problem, ProblemCode, PublishReceipt, PublishReceipts};

use super::{Goal, LAYOUT, UNCOMMITTED, client, keep, no_tag};
use crate::arguments::{Format, Publish};
use crate::commands::build::{self, AtHand};
use crate::commands::explain::with_explanation;
use crate::progress::Progress;
use crate::project::Project;
use crate::settings::Settings;
use crate::{github_actions, printer, render};

/// Publishes the images that are chosen; stdout carries the reference of each.
pub(super) async fn run(
    arguments: &Publish,
    (project, images): (&Project, &[&ImageTable]),
    (goal, signer): (Goal, Option<Signer>),
    settings: &Settings,
) -> Result<ExitCode, Problem> {
    let progress = Progress::new(settings);
    let publish = Publishing {
        arguments,
        settings,
        project,
        images,
        goal: &goal,
        signer,
        progress: &progress,
    };
    let receipts = match (&arguments.layout, arguments.dry_run) {
        (_, true) => publish.show_plans().await.map(|()| None),
        (Some(layouts), false) => publish.layouts(layouts).await.map(Some),
        (None, false) => publish.source().await.map(Some),
    };
    progress.finish();
    match receipts? {
        Some(receipts) => publish.report(receipts),
        None => Ok(ExitCode::Success),
    }
}

/// One run of the command.
struct Publishing<'a> {
    arguments: &'a Publish,
    settings: &'a Settings,
    project: &'a Project,
    images: &'a [&'a ImageTable],
    goal: &'a Goal,
    /// Who signs what is said about the images.
    signer: Option<Signer>,
    progress: &'a Progress,
}

impl Publishing<'_> {
    /// Publishes the commit, building what is not there yet.
    async fn source(&self) -> Result<Vec<PublishReceipt>, Problem> {
        let builds = self.builds().await?;
        if builds.iter().any(|build| build.source.dirty()) {
            self.progress.say(UNCOMMITTED);
            let layouts = self.built(&builds).await?;
            return self.layouts(&layouts).await;
        }
        let mut publishes = Vec::new();
        for (build, repository) in builds.into_iter().zip(&self.goal.repositories) {
            let name = build.image.name().to_owned();
            let publish = SourcePublish::new(build, repository, self.goal.identity.clone());
            let mut publish = publish.map_err(|error| no_tag(&error))?;
            publish.signer.clone_from(&self.signer);
            publishes.push(Named { name, publish });
        }
        let client = Arc::new(client(&self.settings.environment, &self.goal.region)?);
        let observe = |event: pipeline::Event<'_>| self.progress.show(&event);
        let receipts = SourcePublish::execute_all(&publishes, &client, &observe).await;
        receipts.map_err(|failure| self.told(&failure))
    }

    /// Publishes what another job built.
    async fn layouts(&self, layouts: &Path) -> Result<Vec<PublishReceipt>, Problem> {
        let plans = self.plans(layouts)?;
        let client = Arc::new(client(&self.settings.environment, &self.goal.region)?);
        let observe = |event: pipeline::Event<'_>| self.progress.show(&event);
        let receipts = PublishPlan::execute_all(&plans, &client, &observe).await;
        receipts.map_err(|failure| self.told(&failure))
    }

    /// Shows what would be done with the layouts given, or with some built now.
    async fn show_plans(&self) -> Result<(), Problem> {
        let layouts = if let Some(layouts) = &self.arguments.layout {
            layouts.clone()
        } else {
            self.built(&self.builds().await?).await?
        };
        let plans = self.plans(&layouts)?;
        self.progress.finish();
        printer::message("nothing was pushed: this is the plan");
        let plans = plans.iter().map(|named| (&named.name, &named.publish.1));
        if self.settings.format == Format::Json {
            let images = plans.map(|(name, plan)| (name.clone(), plan.planned()));
            let images = images.collect();
            printer::json(&PlannedPublishes { images });
        } else {
            let texts = plans.map(|(name, plan)| format!("name        {name}\n{plan}"));
            printer::data(&texts.collect::<Vec<_>>().join("\n\n"));
        }
        Ok(())
    }

    /// The directory with the layouts of what `builds` make.
    async fn built(&self, builds: &[BuildPlan]) -> Result<PathBuf, Problem> {
        let observe = |event: pipeline::Event<'_>| self.progress.show(&event);
        let built = BuildPlan::execute_all(builds, &observe).await;
        built.map_err(|failure| failure.problem())?;
        Ok(self.project.at(Path::new(LAYOUT)))
    }

    async fn builds(&self) -> Result<Vec<BuildPlan>, Problem> {
        let layouts = self.project.at(Path::new(LAYOUT));
        let source = build::source_of(self.project, self.arguments.allow_dirty).await?;
        let at_hand = AtHand::new(self.settings, &self.arguments.binaries)?;
        at_hand.plans(self.project, self.images, &source, &layouts)
    }

    /// A plan for each image, from the layout of its name below `layouts`.
    fn plans(&self, layouts: &Path) -> Result<Vec<Named<(PathBuf, PublishPlan)>>, Problem> {
        let configuration = &self.project.configuration;
        let mut plans = Vec::new();
        for (image, repository) in self.images.iter().zip(&self.goal.repositories) {
            let name = image.name();
            let layout = layouts.join(name);
            let stored = Layout::open(&layout).and_then(|layout| layout.stored());
            let stored = stored.map_err(|error| pipeline::layout_problem(&error))?;
            let identity = self.goal.identity.clone();
            let plan = PublishPlan::new(&stored, &configuration.publish, repository, identity);
            let mut plan = plan.map_err(|error| no_tag(&error))?;
            plan.signer.clone_from(&self.signer);
            plan.gate = Gate::new(&configuration.audit, &self.project.root);
            // Each layout is checked against the digest that the build job printed.
            if self.arguments.layout.is_some() {
                plan.digest = self.expected(name)?;
            }
            plans.push(Named {
                name: name.to_owned(),
                publish: (layout, plan),
            });
        }
        Ok(plans)
    }

    fn expected(&self, name: &str) -> Result<oci::Digest, Problem> {
        let mut digests = self.arguments.digests.iter();
        let found = digests.find(|expected| expected.name.as_deref() == Some(name));
        let what = "nothing was pushed: it is not known which image is expected";
        let missing = || {
            Problem::new(ProblemCode::UnexpectedDigest, what)
                .fact("image", name)
                .hint("pass what `longshore build` printed: `--digest NAME@sha256:...` for each image")
                .hint("or choose images with `--image NAME`")
        };
        found.map(|expected| expected.digest).ok_or_else(missing)
    }

    /// A failure, with why AWS refused, where it did; the step summary shows it too.
    fn told(&self, failure: &SeveralFailure) -> Problem {
        let Some(first) = failure.first() else {
            return Problem::new(ProblemCode::Io, "nothing was pushed");
        };
        let problem = with_explanation(first, self.project);
        if let Some(explanation) = &problem.explanation {
            let markdown = render::explain::markdown(explanation);
            github_actions::summary(self.settings, &markdown);
        }
        failure.problem(problem)
    }

    fn report(&self, receipts: Vec<PublishReceipt>) -> Result<ExitCode, Problem> {
        let names = self.images.iter().map(|image| image.name().to_owned());
        let images = names.zip(receipts).collect();
        let receipts = PublishReceipts { images };
        for receipt in receipts.images.values() {
            if self.settings.format != Format::Json {
                build::imprints(&receipt.imprints, self.settings);
            }
            github_actions::imprints(self.settings, &receipt.imprints);
        }
        let images = receipts.images.values();
        let references: Vec<_> = images.map(|receipt| &*receipt.reference).collect();
        match self.settings.format {
            Format::Json => printer::json(&receipts),
            Format::Text | Format::Sarif => {
                printer::message(&render::publish::texts(&receipts));
                printer::data(&references.join("\n"));
            }
        }
        let digest =
            |(name, receipt): (&String, &PublishReceipt)| format!("{name}@{}", receipt.digest);
        let digests: Vec<_> = receipts.images.iter().map(digest).collect();
        github_actions::output(self.settings, "digest", &digests.join(","));
        github_actions::output(self.settings, "reference", &references.join(","));
        github_actions::summary(self.settings, &render::publish::table(&receipts));
        keep(&receipts, self.arguments)?;
        Ok(ExitCode::Success)
    }
}
