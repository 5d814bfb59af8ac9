//! Publishing a source: nothing is compiled, packed or sent that an image in the
//! registry shows to be there.
//!
//! A published image records what it was made from. The one under the tag of this
//! very commit settles whether there is anything to do. The one that was published
//! last, which a moving tag points to, lends the layers that would come out the
//! same. Whoever may push to the repository is believed in this, as by everybody
//! who pulls from it.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use aws::Client;
use build::Compiled;
use oci::RepositoryName;
use receipts::PublishReceipt;
use registry::Pushed;

use super::found::{Found, Looking, Verdict, finished};
use super::push::{ALL_TAGS, Complete, Local, Push};
use super::{Destination, IdentityPlan, PublishFailure, Signer};
use crate::build::{BuildFailure, BuildPlan, Materials, milliseconds};
use crate::configuration::ConfigurationError;
use crate::event::{Event, Observer, Stage};
use crate::recipe::placeholders;

/// A build, and where its image goes.
#[derive(Debug, Clone)]
pub struct SourcePublish {
    /// The build.
    pub build: BuildPlan,
    /// Where its image goes.
    pub destination: Destination,
    /// Who says so; without a signer what is said is not signed.
    pub signer: Option<Signer>,
}

/// The program of each platform, where it is there.
pub(super) type Programs = Vec<Option<Compiled>>;

impl SourcePublish {
    /// Plans to publish what `build` makes. A source with uncommitted changes is only
    /// compared this way: its tag depends on the image ([`PublishPlan`](super::PublishPlan)).
    pub fn new(
        build: BuildPlan,
        repository: &RepositoryName,
        identity: IdentityPlan,
    ) -> Result<Self, ConfigurationError> {
        let placeholders = placeholders(&build.source);
        let table = &build.configuration.publish;
        let destination = Destination::new(&placeholders, table, repository, identity)?;
        Ok(Self {
            build,
            destination,
            signer: None,
        })
    }

    /// Publishes the source.
    pub async fn execute(
        &self,
        client: &Arc<Client>,
        observe: Observer<'_>,
    ) -> Result<PublishReceipt, PublishFailure> {
        let started = Instant::now();
        observe(Event::Stage(Stage::Inputs));
        // The registry is asked beside everything else that takes time.
        let looking = self.look_up(client);
        let materials = self.build.look().await.map_err(PublishFailure::Build)?;
        let (found, verdict, programs) = Box::pin(self.begin(looking, &materials, observe)).await?;
        let push = Push {
            destination: &self.destination,
            session: &found.session,
            observe,
        };
        let made = (&verdict, programs);
        let complete = self.content(&push, &found, &materials, made).await?;
        let tags = push.tags(&complete, ALL_TAGS).await;
        let tags = tags.map_err(|(_, failure)| failure)?;
        Ok(complete.receipt(tags, &push, milliseconds(started)))
    }

    /// Pushes everything of the image but its tags, as `verdict` has it.
    pub(super) async fn content(
        &self,
        push: &Push<'_>,
        found: &Found,
        materials: &[Materials],
        (verdict, programs): (&Verdict, Programs),
    ) -> Result<Complete, PublishFailure> {
        match verdict {
            Verdict::There(own) => {
                let nothing = Local::default();
                let held = found.digests();
                push.image(own, &nothing, &held, Pushed::default()).await
            }
            Verdict::Make(lenders) => {
                Box::pin(self.make(push, found, materials, (lenders, programs))).await
            }
        }
    }

    /// Begins to open a session, and to read what the tags point to.
    pub(super) fn look_up(&self, client: &Arc<Client>) -> Looking {
        self.reads_base_by(client);
        let (destination, client) = (self.destination.clone(), Arc::clone(client));
        tokio::spawn(async move {
            let session = destination.open(&client).await?;
            Found::read(&destination, Arc::new(session)).await
        })
    }

    /// Has a base in ECR read as whoever publishes, where no file has a login for it.
    pub(super) fn reads_base_by(&self, client: &Arc<Client>) {
        for plan in &self.build.platforms {
            let logins = &plan.machine.logins;
            logins.are_those_of(&self.destination, client);
        }
    }

    /// Looks at the registry. Cargo runs beside that where this machine has
    /// compiled the program before and it has changed since, and is stopped where
    /// the registry shows that it need not run. Where it would have to compile
    /// everything, it waits for the answer. A program of before is not looked at
    /// where the answer is there first.
    async fn begin(
        &self,
        looking: Looking,
        materials: &[Materials],
        observe: Observer<'_>,
    ) -> Result<(Found, Verdict, Programs), PublishFailure> {
        let answered = looking.is_finished();
        let look = async {
            let found = finished(looking).await?;
            let verdict = self.verdict(&found, materials).await?;
            Ok::<_, PublishFailure>((found, verdict))
        };
        let none = || vec![None; materials.len()];
        if answered {
            let (found, verdict) = look.await?;
            let programs = if verdict.compiles() {
                known(materials)?
            } else {
                none()
            };
            return Ok((found, verdict, programs));
        }
        let programs = known(materials)?;
        let wanted: Vec<_> = programs.iter().map(Option::is_none).collect();
        let missing = materials.iter().zip(&wanted).filter(|(_, wanted)| **wanted);
        let mut missing = missing.map(|(materials, _)| materials.declared());
        if !wanted.contains(&true) || missing.any(|declared| declared.is_none()) {
            let (found, verdict) = look.await?;
            return Ok((found, verdict, programs));
        }
        let mut look = pin!(look);
        let mut compile = pin!(self.compile(materials, &wanted, programs, observe));
        tokio::select! {
            looked = &mut look => {
                let (found, verdict) = looked?;
                let programs = if verdict.compiles() {
                    compile.await.map_err(PublishFailure::Build)?
                } else {
                    none()
                };
                Ok((found, verdict, programs))
            }
            compiled = &mut compile => {
                let programs = compiled.map_err(PublishFailure::Build)?;
                let (found, verdict) = look.await?;
                Ok((found, verdict, programs))
            }
        }
    }

    /// `programs` with those that are `wanted` besides. Dropping the future stops cargo.
    pub(super) async fn compile(
        &self,
        materials: &[Materials],
        wanted: &[bool],
        mut programs: Programs,
        observe: Observer<'_>,
    ) -> Result<Programs, BuildFailure> {
        let made = BuildPlan::programs(&[materials], &[wanted], observe).await?;
        for (program, made) in programs.iter_mut().zip(made.into_iter().flatten()) {
            if made.compiled.is_some() {
                *program = made.compiled;
            }
        }
        Ok(programs)
    }
}

/// The programs of earlier compiles here, where nothing has changed since.
fn known(materials: &[Materials]) -> Result<Programs, PublishFailure> {
    let known = materials.iter().map(Materials::compiled);
    let known: Result<_, _> = known.collect();
    known.map_err(|error| PublishFailure::Build(BuildFailure::Engine(error)))
}
