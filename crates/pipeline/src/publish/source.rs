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

use attest::Dependencies;
use aws::Client;
use build::{Compiled, Declared};
use futures_util::{StreamExt as _, stream};
use image::{Layout, Recipe, StoredImage};
use oci::{Digest, RepositoryName, Tag, annotation};
use receipts::PublishReceipt;
use registry::{Blob, Pushed};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::push::{ALL_TAGS, Complete, Held, Local, Push};
use super::session::Session;
use super::signer::ReadySigner;
use super::{Destination, Gate, IdentityPlan, PublishFailure, Signer};
use crate::build::{
    BuildFailure, BuildPlan, Materials, base_failed, imprint_receipts, milliseconds,
};
use crate::configuration::ConfigurationError;
use crate::event::{Event, Observer, Stage};
use crate::inputs::{Expected, declared_of};
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

/// A registry that is being looked at.
pub(super) type Looking = JoinHandle<Result<Found, PublishFailure>>;

/// The registry as it was found.
pub(super) struct Found {
    pub(super) session: Arc<Session>,
    held: Vec<Option<Held>>,
}

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The image is there; at most tags are to be moved.
    There,
    /// The image is to be made, with the program of the one published last.
    Borrow,
    /// The image is to be made, and its program compiled.
    Make,
}

impl SourcePublish {
    /// Plans to publish what `build` makes.
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
        let (found, verdict, compiled) = Box::pin(self.begin(looking, &materials, observe)).await?;
        let push = Push {
            destination: &self.destination,
            session: &found.session,
            observe,
        };
        let made = (verdict, compiled);
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
        materials: &Materials,
        (verdict, compiled): (Verdict, Option<Compiled>),
    ) -> Result<Complete, PublishFailure> {
        match (verdict, found.own()) {
            (Verdict::There, Some(own)) => {
                let nothing = Local::default();
                let held = found.digests();
                push.image(own, &nothing, &held, Pushed::default()).await
            }
            _ => Box::pin(self.make(push, found, materials, compiled)).await,
        }
    }

    /// Begins to open a session, and to read what the tags point to.
    pub(super) fn look_up(&self, client: &Arc<Client>) -> Looking {
        let (destination, client) = (self.destination.clone(), Arc::clone(client));
        tokio::spawn(async move {
            let session = destination.open(&client).await?;
            Found::read(&destination, Arc::new(session)).await
        })
    }

    /// Looks at the registry. Cargo runs beside that where this machine has
    /// compiled the program before and it has changed since, and is stopped where
    /// the registry shows that it need not run. Where it would have to compile
    /// everything, it waits for the answer. A program of before is not looked at
    /// where the answer is there first.
    async fn begin(
        &self,
        looking: Looking,
        materials: &Materials,
        observe: Observer<'_>,
    ) -> Result<(Found, Verdict, Option<Compiled>), PublishFailure> {
        let answered = looking.is_finished();
        let look = async {
            let found = finished(looking).await?;
            let verdict = self.verdict(&found, materials).await?;
            Ok::<_, PublishFailure>((found, verdict))
        };
        if answered {
            let (found, verdict) = look.await?;
            let known = match verdict {
                Verdict::There | Verdict::Borrow => None,
                Verdict::Make => materials.compiled().map_err(engine)?,
            };
            return Ok((found, verdict, known));
        }
        let known = materials.compiled().map_err(engine)?;
        if known.is_some() || materials.declared().is_none() {
            let (found, verdict) = look.await?;
            return Ok((found, verdict, known));
        }
        let mut look = pin!(look);
        let mut compile = pin!(self.build.compile(materials, observe));
        tokio::select! {
            looked = &mut look => {
                let (found, verdict) = looked?;
                let compiled = match verdict {
                    Verdict::There | Verdict::Borrow => None,
                    Verdict::Make => Some(compile.await.map_err(PublishFailure::Build)?),
                };
                Ok((found, verdict, compiled))
            }
            compiled = &mut compile => {
                let compiled = compiled.map_err(PublishFailure::Build)?;
                let (found, verdict) = look.await?;
                Ok((found, verdict, Some(compiled)))
            }
        }
    }

    pub(super) async fn verdict(
        &self,
        found: &Found,
        materials: &Materials,
    ) -> Result<Verdict, PublishFailure> {
        if let Some(own) = found.own()
            && let Some(expected) = self.expected_like(own, materials).await?
        {
            if recorded(own) == Some(expected.inputs.digest()) {
                return Ok(Verdict::There);
            }
            return Err(self.taken(found, own, &expected).await);
        }
        if let Some(last) = found.last()
            && let Some(expected) = self.expected_like(last, materials).await?
            && let Some(program) = expected.layers.last()
            && lends(last, program)
        {
            return Ok(Verdict::Borrow);
        }
        Ok(Verdict::Make)
    }

    /// The image that would be made, were the compile to look at what that of
    /// `published` did; none where `published` does not say.
    pub(super) async fn expected_like(
        &self,
        published: &StoredImage,
        materials: &Materials,
    ) -> Result<Option<Expected>, PublishFailure> {
        let declared = published.manifest.annotations.get(annotation::DECLARED);
        let Some(declared) = declared.and_then(|text| declared_of(text)) else {
            return Ok(None);
        };
        let expected = self.build.expected_before(materials, declared).await;
        expected.map(Some).map_err(PublishFailure::Build)
    }

    /// Makes the image and pushes it. A registry that turns out to have lost what
    /// its last image is made of gets all of this one.
    async fn make(
        &self,
        push: &Push<'_>,
        found: &Found,
        materials: &Materials,
        mut compiled: Option<Compiled>,
    ) -> Result<Complete, PublishFailure> {
        let advisories = match Gate::new(&self.build.configuration.audit, &self.build.checkout) {
            Some(gate) => {
                let dependencies = materials.dependencies().await.map_err(engine)?;
                gate.pass(dependencies.as_ref()).await?
            }
            None => Vec::new(),
        };
        let signer = match &self.signer {
            Some(signer) => Some(signer.ready(push.session).await?),
            None => None,
        };
        let signer = signer.as_ref();
        let lender = found.last();
        let first = self.attempt(push, found, materials, (lender, &mut compiled, signer));
        let mut complete = match first.await {
            Err(failure) if failure.is_lost_blob() && lender.is_some() => {
                let again = self.attempt(push, found, materials, (None, &mut compiled, signer));
                again.await?
            }
            complete => complete?,
        };
        complete.advisories = advisories;
        let imprints = compiled
            .map(|compiled| compiled.imprints)
            .unwrap_or_default();
        complete.imprints = imprint_receipts(self.build.image.reproducible, &imprints);
        Ok(complete)
    }

    async fn attempt(
        &self,
        push: &Push<'_>,
        found: &Found,
        materials: &Materials,
        (lender, compiled, signer): (
            Option<&StoredImage>,
            &mut Option<Compiled>,
            Option<&ReadySigner<'_>>,
        ),
    ) -> Result<Complete, PublishFailure> {
        let mut expected = self.expected(push, materials, lender, compiled).await?;
        let settled = self
            .build
            .settle(materials, &mut expected.recipe, push.observe);
        settled.await.map_err(PublishFailure::Build)?;
        (push.observe)(Event::Stage(Stage::Assemble));
        if let Some(lender) = lender {
            image::take_over(&mut expected.recipe, &expected.layers, &lender.manifest);
        }
        let held = found.digests();
        let elsewhere = self.base_layers(lender).await?;
        let dependencies = materials.dependencies().await.map_err(engine)?;
        let ((image, local), sent) = self
            .pack(
                push,
                expected.recipe,
                (dependencies.as_ref(), signer),
                (&held, elsewhere),
            )
            .await?;
        push.image(&image, &local, &held, sent).await
    }

    /// The layers of the base that are not on this machine, but for those that
    /// `lender` shows the repository to have.
    async fn base_layers(&self, lender: Option<&StoredImage>) -> Result<Vec<Blob>, PublishFailure> {
        let Some(base) = &self.build.base else {
            return Ok(Vec::new());
        };
        let published = lender.map(|image| &image.manifest);
        let layers = base.elsewhere(&self.build.logins, published);
        let layers = layers.await;
        layers.map_err(|error| PublishFailure::Build(base_failed(error)))
    }

    /// Packs the image and attests it, and sends each blob as soon as it is made: the
    /// small ones go while the last layers still do. Where the immutable tag holds an
    /// image that does not say what it was made from, nothing is sent before it is
    /// known to be this one.
    async fn pack(
        &self,
        push: &Push<'_>,
        recipe: Recipe,
        (dependencies, signer): (Option<&Dependencies>, Option<&ReadySigner<'_>>),
        (held, elsewhere): (&[Option<Digest>], Vec<Blob>),
    ) -> Result<((StoredImage, Local), Pushed), PublishFailure> {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let made = stream::poll_fn(move |context| receiver.poll_recv(context));
        let early = held.first() == Some(&None);
        let first = if early { elsewhere.clone() } else { Vec::new() };
        let layers = sender.clone();
        let assemble = self.build.assemble(recipe, dependencies, move |layer| {
            if early {
                let blob = Blob::of_file(layer.descriptor.clone(), layer.blob.clone());
                // A push that has failed takes no more.
                let _ = layers.send(blob);
            }
        });
        let make = async move {
            let image = assemble.await.map_err(PublishFailure::Build)?;
            let layout = Layout::open(&self.build.layout).map_err(PublishFailure::Layout)?;
            let mut local = Local::of(&layout, &image);
            local.blobs.extend(elsewhere);
            local.attest(&image, dependencies, push, signer).await?;
            for blob in local.all().into_iter().filter(|_| early) {
                let _ = sender.send(blob);
            }
            Ok((image, local))
        };
        tokio::try_join!(make, push.blobs(stream::iter(first).chain(made)))
    }

    /// The image to make: of the program that is compiled, or of one that need not
    /// be, because `lender` has its layer.
    async fn expected(
        &self,
        push: &Push<'_>,
        materials: &Materials,
        lender: Option<&StoredImage>,
        compiled: &mut Option<Compiled>,
    ) -> Result<Expected, PublishFailure> {
        if !materials.has_program() {
            let expected = self.build.expected_before(materials, Declared::default());
            return expected.await.map_err(PublishFailure::Build);
        }
        if compiled.is_none()
            && let Some(lender) = lender
            && let Some(expected) = self.expected_like(lender, materials).await?
            && let Some(program) = expected.layers.last()
            && lends(lender, program)
        {
            return Ok(expected);
        }
        let compiled = if let Some(compiled) = compiled {
            compiled
        } else {
            let compile = self.build.compile(materials, push.observe).await;
            compiled.insert(compile.map_err(PublishFailure::Build)?)
        };
        let expected = self.build.expected_of(materials, compiled).await;
        expected.map_err(PublishFailure::Build)
    }

    /// The immutable tag is taken by an image that was made from something else.
    async fn taken(&self, found: &Found, own: &StoredImage, expected: &Expected) -> PublishFailure {
        let (registry, digest) = (&found.session.registry, own.descriptor.digest);
        let before = self.destination.published_inputs(registry, &digest).await;
        // Without the document it is not known what differs, but that it does is.
        let before = before.ok().flatten();
        let changes = before.map(|before| expected.inputs.changes_since(&before));
        PublishFailure::OtherInputs {
            tag: self.destination.immutable_tag.clone(),
            repository: self.destination.repository.clone(),
            holds: digest,
            changed: changes
                .unwrap_or_default()
                .into_iter()
                .map(|change| change.name)
                .collect(),
        }
    }
}

impl Found {
    /// What the tags of `destination` point to.
    pub(super) async fn read(
        destination: &Destination,
        session: Arc<Session>,
    ) -> Result<Self, PublishFailure> {
        let push = Push {
            destination,
            session: &session,
            observe: &|_| {},
        };
        let held = push.published().await?;
        Ok(Self { session, held })
    }

    /// The image that the immutable tag points to.
    fn own(&self) -> Option<&StoredImage> {
        self.held.first()?.as_ref()?.image.as_ref()
    }

    /// The image that was published last.
    fn last(&self) -> Option<&StoredImage> {
        let mut moving = self.held.iter().skip(1).flatten();
        moving.find_map(|held| held.image.as_ref())
    }

    /// The image that says most about this source, and the tag that it has: the one
    /// of this very commit, or the last one.
    pub(super) fn published<'a>(
        &'a self,
        destination: &'a Destination,
    ) -> Option<(&'a Tag, &'a StoredImage)> {
        let tags = destination.tags().zip(&self.held);
        let images = tags.map(|(tag, held)| Some((tag, held.as_ref()?.image.as_ref()?)));
        images.flatten().next()
    }

    fn digests(&self) -> Vec<Option<Digest>> {
        let held = self.held.iter();
        held.map(|held| held.as_ref().map(|held| held.digest))
            .collect()
    }
}

/// What was found.
pub(super) async fn finished(looking: Looking) -> Result<Found, PublishFailure> {
    looking
        .await
        .map_err(|error| PublishFailure::Interrupted(error.to_string()))?
}

/// The inputs that an image says it was made from.
pub(super) fn recorded(image: &StoredImage) -> Option<Digest> {
    let annotation = image.manifest.annotations.get(annotation::INPUTS)?;
    annotation.parse().ok()
}

/// Whether an image has a layer that was made from these inputs.
fn lends(image: &StoredImage, inputs: &Digest) -> bool {
    let inputs = inputs.to_string();
    let layers = image.manifest.layers.iter();
    layers
        .filter_map(|layer| layer.annotations.get(annotation::INPUTS))
        .any(|recorded| *recorded == inputs)
}

fn engine(error: build::BuildError) -> PublishFailure {
    PublishFailure::Build(BuildFailure::Engine(error))
}
