//! `longshore publish`.

mod several;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws::{Client, session_name};
use image::Layout;
use oci::{NameError, RepositoryName};
use pipeline::{
    BuildPlan, Cloud, ConfigurationError, Gate, IdentityPlan, ImageTable, PublishFailure,
    PublishPlan, RegistryAddress, Signer, SourcePublish,
};
use receipts::{ExitCode, Problem, ProblemCode, PublishReceipt};
use serde::Serialize;

use crate::arguments::{Format, Publish};
use crate::commands::build::{self, AtHand};
use crate::commands::explain::{ANY_REGION, with_explanation};
use crate::environment::Environment;
use crate::progress::Progress;
use crate::project::Project;
use crate::settings::Settings;
use crate::{github_actions, printer, render, signing};

/// Where an image that is built on the way goes.
const LAYOUT: &str = "target/longshore/layout";
/// What is said of a source that is not what its commit says.
const UNCOMMITTED: &str = "there are uncommitted changes: the tag says so, and no other tag moves";

/// Publishes; stdout carries the image's reference by digest.
pub(crate) async fn run(arguments: &Publish, settings: &Settings) -> Result<ExitCode, Problem> {
    let project = Project::find(&settings.directory)?;
    let images = project.images(&arguments.images)?;
    let goal = Goal::new(arguments.to.as_ref(), &project, &images, settings)?;
    let signer = signing::signer(&project, settings)?;
    refused_early(arguments, &goal, signer.as_ref())?;
    if project.configuration.has_several() {
        return several::run(arguments, (&project, &images), (goal, signer), settings).await;
    }
    let progress = Progress::new(settings);
    let publish = Publishing {
        arguments,
        settings,
        project: &project,
        goal: &goal,
        signer,
        progress: &progress,
    };
    let receipt = match (&arguments.layout, arguments.dry_run) {
        (_, true) => publish.show_plan().await,
        (Some(layout), false) => publish.layout(layout).await.map(Some),
        (None, false) => publish.source().await.map(Some),
    };
    progress.finish();
    match receipt? {
        Some(receipt) => report(&receipt, arguments, settings),
        None => Ok(ExitCode::Success),
    }
}

/// Where the images go, or went.
pub(crate) struct Goal {
    /// The repository of each image.
    pub(crate) repositories: Vec<RepositoryName>,
    pub(crate) identity: IdentityPlan,
    /// Of the AWS that is asked, where any is.
    pub(crate) region: String,
}

impl Goal {
    /// What `--to` names; otherwise the repositories in AWS that the project is about.
    pub(crate) fn new(
        to: Option<&RegistryAddress>,
        project: &Project,
        images: &[&ImageTable],
        settings: &Settings,
    ) -> Result<Self, Problem> {
        let Some(registry) = to else {
            let resources = project.resources()?;
            let cloud = project.cloud(images, resources.as_ref());
            let cloud = cloud.map_err(|problem| match resources {
                None => problem
                    .hint("or name a registry that is not ECR: `--to HOST[:PORT]/REPOSITORY`"),
                Some(_) => problem,
            })?;
            return Ok(Self {
                identity: identity(settings, &cloud),
                repositories: cloud.repositories,
                region: cloud.region,
            });
        };
        let repositories = if project.configuration.has_several() {
            let below = images.iter().map(|image| {
                let name = format!("{}/{}", registry.repository, image.name());
                name.parse().map_err(|error| no_repository(&name, &error))
            });
            below.collect::<Result<_, _>>()?
        } else {
            vec![registry.repository.clone()]
        };
        Ok(Self {
            repositories,
            identity: IdentityPlan::Login {
                registry: registry.clone(),
                logins: settings.logins(),
            },
            region: ANY_REGION.to_owned(),
        })
    }
}

/// Refuses what would only fail once everything is done: a signer whom this identity
/// cannot be, a receipt that cannot be written.
fn refused_early(arguments: &Publish, goal: &Goal, signer: Option<&Signer>) -> Result<(), Problem> {
    if arguments.dry_run {
        return Ok(());
    }
    if let Some(signer) = signer {
        let able = signer.able(&goal.identity);
        able.map_err(|failure| PublishFailure::from(failure).problem())?;
    }
    let Some(file) = &arguments.receipt else {
        return Ok(());
    };
    let existed = file.exists();
    let mut options = fs_err::OpenOptions::new();
    let opened = options.create(true).append(true).open(file);
    opened.map_err(|error| {
        let what = "nothing was pushed: the receipt could not be written";
        Problem::new(ProblemCode::Io, what).caused_by(&error)
    })?;
    if !existed {
        // Whoever finds a receipt may believe in a publish.
        let _ = fs_err::remove_file(file);
    }
    Ok(())
}

fn no_repository(name: &str, error: &NameError) -> Problem {
    let what = "nothing was pushed: an image cannot go where `--to` says";
    let problem = Problem::new(ProblemCode::BadConfiguration, what);
    problem.fact("repository", name).caused_by(error)
}

/// One run of the command.
struct Publishing<'a> {
    arguments: &'a Publish,
    settings: &'a Settings,
    project: &'a Project,
    goal: &'a Goal,
    /// Who signs what is said about the image.
    signer: Option<Signer>,
    progress: &'a Progress,
}

impl Publishing<'_> {
    /// Publishes the commit, building what is not there yet. An image of uncommitted
    /// changes is built first: its tag has its digest.
    async fn source(&self) -> Result<PublishReceipt, Problem> {
        let build = self.build_plan().await?;
        if build.source.dirty() {
            self.progress.say(UNCOMMITTED);
            let layout = self.built(build).await?;
            return self.layout(&layout).await;
        }
        let (repository, identity) = (&self.goal.repositories[0], self.goal.identity.clone());
        let mut publish =
            SourcePublish::new(build, repository, identity).map_err(|error| no_tag(&error))?;
        publish.signer.clone_from(&self.signer);
        let client = Arc::new(client(&self.settings.environment, &self.goal.region)?);
        let receipt = publish
            .execute(&client, &|event| self.progress.show(&event))
            .await;
        receipt.map_err(|failure| self.explained(&failure))
    }

    /// Publishes what another job built.
    async fn layout(&self, layout: &Path) -> Result<PublishReceipt, Problem> {
        let plan = self.plan(layout)?;
        let client = Arc::new(client(&self.settings.environment, &self.goal.region)?);
        let receipt = plan
            .execute(layout, &client, &|event| self.progress.show(&event))
            .await;
        receipt.map_err(|failure| self.explained(&failure))
    }

    /// Shows what would be done with the layout given, or with one built now.
    async fn show_plan(&self) -> Result<Option<PublishReceipt>, Problem> {
        let layout = if let Some(layout) = &self.arguments.layout {
            layout.clone()
        } else {
            self.built(self.build_plan().await?).await?
        };
        let plan = self.plan(&layout)?;
        self.progress.finish();
        printer::message("nothing was pushed: this is the plan");
        match self.settings.format {
            Format::Json => printer::json(&plan.planned()),
            Format::Text | Format::Sarif => printer::data(&plan.to_string()),
        }
        Ok(None)
    }

    /// The layout of the image that `plan` makes.
    async fn built(&self, plan: BuildPlan) -> Result<PathBuf, Problem> {
        let built = plan.execute(&|event| self.progress.show(&event)).await;
        built.map_err(|failure| failure.problem())?;
        Ok(plan.layout)
    }

    async fn build_plan(&self) -> Result<BuildPlan, Problem> {
        let layout = self.project.at(Path::new(LAYOUT));
        let image = self.project.image(&self.arguments.images)?;
        let source = build::source_of(self.project, self.arguments.allow_dirty).await?;
        let at_hand = AtHand::new(self.settings, &self.arguments.binaries)?;
        at_hand.plan(self.project, image, &source, layout)
    }

    fn plan(&self, layout: &Path) -> Result<PublishPlan, Problem> {
        let stored = Layout::open(layout)
            .and_then(|layout| layout.stored())
            .map_err(|error| pipeline::layout_problem(&error))?;
        let (repository, identity) = (&self.goal.repositories[0], self.goal.identity.clone());
        let table = &self.project.configuration.publish;
        let plan = PublishPlan::new(&stored, table, repository, identity);
        let mut plan = plan.map_err(|error| no_tag(&error))?;
        plan.signer.clone_from(&self.signer);
        plan.gate = Gate::new(&self.project.configuration.audit, &self.project.root);
        // The layout is checked against the digest that the build job printed.
        let expected = self.arguments.digests.first();
        plan.digest = expected.map_or(plan.digest, |expected| expected.digest);
        Ok(plan)
    }

    /// A failure with the explanation of why AWS refused, where it did; the step
    /// summary shows it too.
    fn explained(&self, failure: &PublishFailure) -> Problem {
        let problem = with_explanation(failure, self.project);
        if let Some(explanation) = &problem.explanation {
            let markdown = render::explain::markdown(explanation);
            github_actions::summary(self.settings, &markdown);
        }
        problem
    }
}

pub(crate) fn no_tag(error: &ConfigurationError) -> Problem {
    Problem::new(
        ProblemCode::BadConfiguration,
        "nothing was pushed: a tag cannot be made",
    )
    .caused_by(error)
}

/// In a workflow the run is the identity, and a missing token is an error that
/// no other credential may paper over. Elsewhere the standard chain decides.
pub(crate) fn identity(settings: &Settings, cloud: &Cloud) -> IdentityPlan {
    let environment = &settings.environment;
    let has_token = environment.get("ACTIONS_ID_TOKEN_REQUEST_URL").is_some();
    if !settings.in_github_actions() && !has_token {
        return IdentityPlan::Chain {
            account: cloud.account.clone(),
        };
    }
    let run = environment.get("GITHUB_RUN_ID").unwrap_or("0");
    let attempt = environment.get("GITHUB_RUN_ATTEMPT").unwrap_or("1");
    IdentityPlan::Github {
        account: cloud.account.clone(),
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
            build::imprints(&receipt.imprints, settings);
            printer::message(&render::publish::text(receipt));
            printer::data(&receipt.reference);
        }
    }
    github_actions::imprints(settings, &receipt.imprints);
    github_actions::output(settings, "digest", &receipt.digest);
    github_actions::output(settings, "reference", &receipt.reference);
    github_actions::summary(settings, &render::publish::markdown(receipt));
    keep(receipt, arguments)?;
    Ok(ExitCode::Success)
}

/// Writes the receipt to the file that was named.
fn keep(receipt: &impl Serialize, arguments: &Publish) -> Result<(), Problem> {
    let Some(file) = &arguments.receipt else {
        return Ok(());
    };
    let text = serde_json::to_vec_pretty(receipt).unwrap_or_default();
    fs_err::write(file, text).map_err(|error| {
        let what = "the image was published, but its receipt was not written";
        Problem::new(ProblemCode::Io, what).caused_by(&error)
    })
}
