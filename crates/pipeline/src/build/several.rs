//! Several images of one workspace, built together.

use std::time::Instant;

use build::{CargoBuild, Compiled, Workspace};
use futures_util::future::try_join_all;

use super::{BuildFailure, BuildPlan, Built, Materials, blocking, milliseconds};
use crate::event::{Event, Observer, Stage};

/// The program of one image among several.
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
        let programs = Self::programs(&materials, &vec![true; plans.len()], observe).await?;
        let compile_milliseconds = milliseconds(started);
        let mut images = Vec::new();
        for ((plan, materials), program) in plans.iter().zip(&materials).zip(programs) {
            let made = plan.finish(materials, program.compiled.as_ref(), observe);
            let mut built = Box::pin(made).await?;
            built.receipt.compiled = program.is_new;
            built.receipt.compile_milliseconds = compile_milliseconds;
            images.push(built);
        }
        Ok(images)
    }

    /// Looks at everything that the images would be made from, and at what they share
    /// once.
    pub(crate) async fn look_all(plans: &[&Self]) -> Result<Vec<Materials>, BuildFailure> {
        let engines: Vec<_> = plans.iter().filter_map(|plan| plan.engine()).collect();
        let workspaces = async {
            let workspaces = Workspace::read_all(&engines).await;
            workspaces.map_err(BuildFailure::Engine)
        };
        let bases = try_join_all(plans.iter().map(|plan| plan.read_base()));
        let dockerfiles = try_join_all(plans.iter().map(|plan| {
            let plan = (*plan).clone();
            blocking(move || plan.look_at_dockerfile())
        }));
        let (workspaces, _, dockerfiles) = tokio::try_join!(workspaces, bases, dockerfiles)?;
        let mut workspaces = workspaces.into_iter();
        let materials = plans.iter().zip(dockerfiles).map(|(plan, dockerfile)| {
            let has_program = plan.image.package.is_some();
            Materials {
                workspace: has_program.then(|| workspaces.next()).flatten(),
                dockerfile,
            }
        });
        Ok(materials.collect())
    }

    /// The programs that are `wanted` of `materials`: those that this machine has not,
    /// compiled together.
    pub(crate) async fn programs(
        materials: &[Materials],
        wanted: &[bool],
        observe: Observer<'_>,
    ) -> Result<Vec<MadeProgram>, BuildFailure> {
        let mut programs = Vec::new();
        let mut missing = Vec::new();
        for (materials, wanted) in materials.iter().zip(wanted) {
            let known = wanted.then(|| materials.compiled()).transpose();
            let compiled = known.map_err(BuildFailure::Engine)?.flatten();
            let workspace = materials.workspace.as_ref();
            let workspace = workspace.filter(|_| *wanted && compiled.is_none());
            missing.extend(workspace);
            let is_new = workspace.is_some();
            programs.push(MadeProgram { compiled, is_new });
        }
        if missing.is_empty() {
            return Ok(programs);
        }
        observe(Event::Stage(Stage::Compile));
        let observe = |progress: build::Progress<'_>| observe(Event::Compiled(progress));
        let compiled = CargoBuild::run(&missing, &observe).await;
        let mut compiled = compiled.map_err(BuildFailure::Engine)?.into_iter();
        for program in programs.iter_mut().filter(|program| program.is_new) {
            program.compiled = compiled.next();
        }
        Ok(programs)
    }
}
