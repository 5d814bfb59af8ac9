//! What a build has at hand: this machine, and programs that were compiled elsewhere.

use std::path::{Path, PathBuf};

use build::{Builder, BuilderError, Source};
use oci::Platform;
use pipeline::{BuildPlan, ImageTable, Machine};
use receipts::{Problem, ProblemCode};

use crate::arguments::GivenBinary;
use crate::commands::base::logins;
use crate::project::Project;
use crate::settings::Settings;

/// What a build has at hand.
pub(crate) struct AtHand<'a> {
    machine: Machine,
    binaries: &'a [GivenBinary],
    /// Where paths of programs are seen from.
    directory: &'a Path,
}

impl<'a> AtHand<'a> {
    pub(crate) fn new(
        settings: &'a Settings,
        binaries: &'a [GivenBinary],
    ) -> Result<Self, Problem> {
        Ok(Self {
            machine: Machine {
                environment: settings.environment.of_compiler(),
                logins: logins(settings),
                builder: builder(settings)?,
            },
            binaries,
            directory: &settings.directory,
        })
    }

    /// The plan to build `image` into `layout`.
    pub(crate) fn plan(
        &self,
        project: &Project,
        image: &ImageTable,
        source: &Source,
        layout: PathBuf,
    ) -> Result<BuildPlan, Problem> {
        self.check_names(project)?;
        let (root, configuration) = (&project.root, &project.configuration);
        let machine = self.machine.clone();
        let plan = BuildPlan::new(root, configuration, (image, source), layout, machine);
        let mut plan = plan.map_err(|failure| failure.problem())?;
        for given in self.binaries {
            if given
                .name
                .as_deref()
                .is_none_or(|name| name == image.name())
            {
                let mut program = given.program.clone();
                program.file = self.directory.join(&program.file);
                let prepared = plan.prepare(program);
                prepared.map_err(|failure| failure.problem())?;
            }
        }
        Ok(plan)
    }

    /// The plan of each of `images`, whose layouts go below `layouts`.
    pub(crate) fn plans(
        &self,
        project: &Project,
        images: &[&ImageTable],
        source: &Source,
        layouts: &Path,
    ) -> Result<Vec<BuildPlan>, Problem> {
        let plans = images.iter().map(|image| {
            let layout = layouts.join(image.name());
            self.plan(project, image, source, layout)
        });
        plans.collect()
    }

    /// Each program must be for an image that is there, and say which of several.
    fn check_names(&self, project: &Project) -> Result<(), Problem> {
        let images = &project.configuration.images;
        let clear = |given: &&GivenBinary| match &given.name {
            Some(name) => images.iter().any(|image| image.name() == name),
            None => images.len() == 1,
        };
        let Some(unclear) = self.binaries.iter().find(|given| !clear(given)) else {
            return Ok(());
        };
        let what = "nothing was done: it is not clear which image a program is for";
        let names: Vec<_> = images.iter().map(ImageTable::name).collect();
        Err(Problem::new(ProblemCode::BadConfiguration, what)
            .fact("program", unclear.program.file.display().to_string())
            .fact("images", names.join(", "))
            .hint("name the image before the platform: `--binary NAME@linux/arm64=FILE`"))
    }
}

/// `image` for one of its platforms, where one is named.
pub(super) fn only(image: &ImageTable, platform: Option<&Platform>) -> Result<ImageTable, Problem> {
    let mut image = image.clone();
    let Some(platform) = platform else {
        return Ok(image);
    };
    if !image.platforms.contains(platform) {
        let listed: Vec<_> = image.platforms.iter().map(ToString::to_string).collect();
        let what = format!("no image was built: `image.platforms` does not list {platform}");
        return Err(Problem::new(ProblemCode::BadConfiguration, what)
            .fact("image", image.name())
            .fact("platforms", listed.join(", ")));
    }
    image.platforms = vec![platform.clone()];
    Ok(image)
}

/// What builds Dockerfiles, where a variable says so.
fn builder(settings: &Settings) -> Result<Option<Builder>, Problem> {
    let name = settings.environment.get("LONGSHORE_BUILDER");
    name.map(str::parse)
        .transpose()
        .map_err(|error: BuilderError| {
            let what = "nothing was built: `LONGSHORE_BUILDER` has a wrong value";
            Problem::new(ProblemCode::BadConfiguration, what).caused_by(&error)
        })
}
