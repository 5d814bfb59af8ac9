//! Several images of one workspace, built together.

use std::time::Instant;

use build::{CargoBuild, Compiled, Workspace};
use futures_util::future::try_join_all;

use super::{BuildFailure, BuildPlan, Built, milliseconds};
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
        let workspaces = Self::look_all(&plans).await?;
        let known = workspaces.iter().map(Workspace::compiled);
        let mut compiled: Vec<Option<Compiled>> = known
            .collect::<Result<_, _>>()
            .map_err(BuildFailure::Engine)?;
        let missing: Vec<_> = compiled.iter().map(Option::is_none).collect();
        Self::compile_missing(&workspaces, &missing, &mut compiled, observe).await?;
        let compile_milliseconds = milliseconds(started);
        let mut images = Vec::new();
        for (place, plan) in plans.iter().enumerate() {
            let Some(compiled) = &compiled[place] else {
                let lost = "a program was lost".to_owned();
                return Err(BuildFailure::Interrupted(lost));
            };
            let mut built = plan.finish(&workspaces[place], compiled, observe).await?;
            built.receipt.compiled = missing[place];
            built.receipt.compile_milliseconds = compile_milliseconds;
            images.push(built);
        }
        Ok(images)
    }

    /// Looks at everything that the images would be made from, and at what they share
    /// once.
    pub(crate) async fn look_all(plans: &[&Self]) -> Result<Vec<Workspace>, BuildFailure> {
        let engines: Vec<_> = plans.iter().map(|plan| plan.engine()).collect();
        let workspaces = async {
            let workspaces = Workspace::read_all(&engines).await;
            workspaces.map_err(BuildFailure::Engine)
        };
        let bases = try_join_all(plans.iter().map(|plan| plan.read_base()));
        let (workspaces, _) = tokio::try_join!(workspaces, bases)?;
        Ok(workspaces)
    }

    /// Compiles, together, those of `workspaces` that are `missing`.
    pub(crate) async fn compile_missing(
        workspaces: &[Workspace],
        missing: &[bool],
        compiled: &mut [Option<Compiled>],
        observe: Observer<'_>,
    ) -> Result<(), BuildFailure> {
        let wanted = workspaces.iter().zip(missing);
        let wanted: Vec<_> = wanted
            .filter_map(|(workspace, missing)| missing.then_some(workspace))
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
