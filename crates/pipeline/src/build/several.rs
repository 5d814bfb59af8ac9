//! Several images of one workspace, or several platforms of one image, built together.

use std::time::Instant;

use build::{CargoBuild, Compiled, Prepared, Workspace};
use futures_util::future::try_join_all;

use super::{BuildFailure, BuildPlan, Built, Materials, PlatformPlan, blocking, milliseconds};
use crate::event::{Event, Observer, Stage};

/// The program of one image for one platform.
pub(crate) struct MadeProgram {
    /// None where the image has none, or none was wanted.
    pub(crate) compiled: Option<Compiled>,
    /// Whether it was compiled just now.
    pub(crate) is_new: bool,
}

impl BuildPlan {
    /// Builds the image of each plan, each into its own layout. What is compiled of
    /// them is compiled together, and a layer that several have is packed once.
    pub async fn execute_all(
        plans: &[Self],
        observe: Observer<'_>,
    ) -> Result<Vec<Built>, BuildFailure> {
        let started = Instant::now();
        let plans: Vec<_> = plans.iter().collect();
        let materials = Self::look_all(&plans).await?;
        let wanted: Vec<_> = materials.iter().map(|of| vec![true; of.len()]).collect();
        let programs = Self::programs(&materials, &wanted, observe).await?;
        let compile_milliseconds = milliseconds(started);
        let mut images = Vec::new();
        for ((plan, materials), programs) in plans.iter().zip(&materials).zip(&programs) {
            let made = plan.finish(materials, programs, observe);
            let mut built = Box::pin(made).await?;
            built.receipt.compile_milliseconds = compile_milliseconds;
            images.push(built);
        }
        Ok(images)
    }

    /// Looks at everything that the image would be made from, for each platform.
    pub(crate) async fn look(&self) -> Result<Vec<Materials>, BuildFailure> {
        let materials = Self::look_all(&[self]).await?;
        Ok(materials.into_iter().flatten().collect())
    }

    /// Looks at everything that the images would be made from, for each platform of
    /// each, and at what they share once.
    pub(crate) async fn look_all(plans: &[&Self]) -> Result<Vec<Vec<Materials>>, BuildFailure> {
        let all: Vec<_> = plans.iter().flat_map(|plan| &plan.platforms).collect();
        let engines: Vec<_> = all.iter().filter_map(|plan| plan.engine()).collect();
        let workspaces = async {
            let workspaces = Workspace::read_all(&engines).await;
            workspaces.map_err(BuildFailure::Engine)
        };
        // A base that cannot be had is no reason to have compiled.
        let bases = try_join_all(all.iter().map(|plan| plan.read_base()));
        let others = try_join_all(all.iter().map(|plan| {
            let plan: PlatformPlan = (*plan).clone();
            blocking(move || Ok((plan.look_at_dockerfile()?, plan.look_at_program()?)))
        }));
        let (workspaces, _, others) = tokio::try_join!(workspaces, bases, others)?;
        let mut workspaces = workspaces.into_iter();
        let mut materials = all
            .iter()
            .zip(others)
            .map(|(plan, (dockerfile, prepared))| {
                let has_program = plan.image.package.is_some();
                Materials {
                    workspace: has_program.then(|| workspaces.next()).flatten(),
                    prepared,
                    dockerfile,
                }
            });
        let of = |plan: &&Self| materials.by_ref().take(plan.platforms.len()).collect();
        Ok(plans.iter().map(of).collect())
    }

    /// The programs that are `wanted` of `materials`, both by image and platform: those
    /// that this machine has not, compiled together.
    pub(crate) async fn programs(
        materials: &[impl AsRef<[Materials]>],
        wanted: &[impl AsRef<[bool]>],
        observe: Observer<'_>,
    ) -> Result<Vec<Vec<MadeProgram>>, BuildFailure> {
        let mut programs = Vec::new();
        let mut missing = Vec::new();
        for (materials, wanted) in materials.iter().zip(wanted) {
            let mut of_image = Vec::new();
            for (materials, wanted) in materials.as_ref().iter().zip(wanted.as_ref()) {
                let known = wanted.then(|| materials.compiled()).transpose();
                let compiled = known.map_err(BuildFailure::Engine)?.flatten();
                let workspace = materials.workspace.as_ref();
                let workspace = workspace.filter(|_| *wanted && compiled.is_none());
                missing.extend(workspace);
                let is_new = workspace.is_some();
                of_image.push(MadeProgram { compiled, is_new });
            }
            programs.push(of_image);
        }
        if missing.is_empty() {
            return Ok(programs);
        }
        observe(Event::Stage(Stage::Compile));
        let observe = |progress: build::Progress<'_>| observe(Event::Compiled(progress));
        let compiled = CargoBuild::run(&missing, &observe).await;
        let mut compiled = compiled.map_err(BuildFailure::Engine)?.into_iter();
        let missing = programs.iter_mut().flatten();
        for program in missing.filter(|program| program.is_new) {
            program.compiled = compiled.next();
        }
        Ok(programs)
    }
}

impl PlatformPlan {
    /// The program that was compiled elsewhere, if there is one.
    fn look_at_program(&self) -> Result<Option<Prepared>, BuildFailure> {
        let (architecture, linking) = (self.platform().architecture, self.image.linking());
        let read = |file| Prepared::read(file, &architecture, linking, &self.checkout);
        let read = |file| read(file).map_err(BuildFailure::Engine);
        self.prepared.as_deref().map(read).transpose()
    }
}
