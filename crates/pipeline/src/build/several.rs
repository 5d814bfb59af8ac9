//! Several images of one workspace, built together.

use std::time::Instant;

use build::{CargoBuild, Compiled, Workspace};
use futures_util::future::try_join_all;

use super::{BuildFailure, BuildPlan, Built, Materials, blocking, milliseconds};
use crate::event::{Event, Observer, Stage};

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
        let known = materials.iter().map(Materials::compiled);
        let mut compiled: Vec<Option<Compiled>> = known
            .collect::<Result<_, _>>()
            .map_err(BuildFailure::Engine)?;
        let missing = materials.iter().zip(&compiled);
        let missing: Vec<_> = missing
            .map(|(materials, compiled)| compiled.is_none() && materials.has_program())
            .collect();
        Self::compile_missing(&materials, &missing, &mut compiled, observe).await?;
        let compile_milliseconds = milliseconds(started);
        let mut images = Vec::new();
        for (place, plan) in plans.iter().enumerate() {
            let made = plan.finish(&materials[place], compiled[place].as_ref(), observe);
            let mut built = Box::pin(made).await?;
            built.receipt.compiled = missing[place];
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

    /// Compiles, together, those of `materials` that are `missing`.
    pub(crate) async fn compile_missing(
        materials: &[Materials],
        missing: &[bool],
        compiled: &mut [Option<Compiled>],
        observe: Observer<'_>,
    ) -> Result<(), BuildFailure> {
        let wanted = materials.iter().zip(missing);
        let wanted: Vec<_> = wanted
            .filter(|(_, missing)| **missing)
            .filter_map(|(materials, _)| materials.workspace.as_ref())
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        observe(Event::Stage(Stage::Compile));
        let observe = |progress: build::Progress<'_>| observe(Event::Compiled(progress));
        let programs = CargoBuild::run(&wanted, &observe).await;
        let mut programs = programs.map_err(BuildFailure::Engine)?.into_iter();
        let places = compiled.iter_mut().zip(missing);
        for (place, _) in places.filter(|(_, missing)| **missing) {
            *place = programs.next();
        }
        Ok(())
    }
}
