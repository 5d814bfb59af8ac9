//! The registry as it was found, and what there is to do then.

use std::collections::BTreeMap;
use std::sync::Arc;

use build::Declared;
use futures_util::future::try_join_all;
use image::{Stored, StoredImage};
use oci::{Digest, ManifestReference, Platform, Tag, annotation};
use tokio::task::JoinHandle;

use super::push::{Held, Push};
use super::session::Session;
use super::{Destination, PublishFailure, SourcePublish};
use crate::build::{Materials, PlatformPlan};
use crate::inputs::{Expected, ExpectedImage, declared_of, declared_of_each};

/// A registry that is being looked at.
pub(super) type Looking = JoinHandle<Result<Found, PublishFailure>>;

/// The registry as it was found.
pub(super) struct Found {
    pub(super) session: Arc<Session>,
    held: Vec<Option<Held>>,
}

/// What there is to do.
pub(super) enum Verdict {
    /// This image is there; at most tags are to be moved.
    There(Stored),
    /// The image is to be made, each platform with what the last image lends it.
    Make(Vec<Lender>),
}

/// What the image that was published last has for one platform.
#[derive(Debug, Clone, Default)]
pub(super) struct Lender {
    /// Its image for that platform.
    pub(super) image: Option<StoredImage>,
    /// Whether it has the program too.
    pub(super) program: bool,
}

impl Verdict {
    /// Whether the program of each platform is needed.
    pub(super) fn wanted(&self, platforms: usize) -> Vec<bool> {
        match self {
            Self::There(_) => vec![false; platforms],
            Self::Make(lenders) => lenders.iter().map(|lender| !lender.program).collect(),
        }
    }

    /// Whether any program is needed.
    pub(super) fn compiles(&self) -> bool {
        match self {
            Self::There(_) => false,
            Self::Make(lenders) => lenders.iter().any(|lender| !lender.program),
        }
    }
}

impl SourcePublish {
    pub(super) async fn verdict(
        &self,
        found: &Found,
        materials: &[Materials],
    ) -> Result<Verdict, PublishFailure> {
        if let Some(own) = found.own()
            && let Some(expected) = self.expected_like(own, materials).await?
        {
            if recorded(own) != Some(expected.inputs.digest()) {
                return Err(self.taken(found, own, &expected).await);
            }
            let push = silent(&self.destination, &found.session);
            if push.has_images(own).await? {
                return Ok(Verdict::There(own.clone()));
            }
        }
        let mut lenders = Vec::new();
        let plans = self.build.platforms.iter();
        let platforms: Vec<_> = plans.clone().map(PlatformPlan::platform).collect();
        let images = self.last_images(found, &platforms).await?;
        for ((plan, materials), image) in plans.zip(materials).zip(images) {
            let lent = match &image {
                Some(image) => expected_like(plan, image, materials).await?,
                None => None,
            };
            let program = lent.is_some();
            lenders.push(Lender { image, program });
        }
        Ok(Verdict::Make(lenders))
    }

    /// The image that would be made, were the compile to look at what that of
    /// `published` did; none where `published` does not say, or is no index where ours is
    /// one.
    async fn expected_like(
        &self,
        published: &Stored,
        materials: &[Materials],
    ) -> Result<Option<ExpectedImage>, PublishFailure> {
        let index = matches!(published, Stored::Index(_));
        match self.declared(published) {
            Some(declared) if index == (self.build.platforms.len() > 1) => {
                self.expected_with(materials, declared).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    /// What the compile for each platform of `published` looked at, where it says so.
    pub(super) fn declared(&self, published: &Stored) -> Option<BTreeMap<String, Declared>> {
        let text = published.annotations().get(annotation::DECLARED)?;
        if let Stored::Index(_) = published {
            return declared_of_each(text);
        }
        let declared = declared_of(text)?;
        let platforms = self.build.platforms.iter();
        let each = platforms.map(|plan| (plan.platform().to_string(), declared.clone()));
        Some(each.collect())
    }

    /// The image that would be made, were the compiles to look at what is `declared`.
    pub(super) async fn expected_with(
        &self,
        materials: &[Materials],
        declared: BTreeMap<String, Declared>,
    ) -> Result<ExpectedImage, PublishFailure> {
        // One that is new since then has nothing: the inputs are others all the same.
        let of = |platform: &Platform| {
            let declared = declared.get(&platform.to_string());
            declared.cloned().unwrap_or_default()
        };
        let expected = self.build.expected_before(materials, of).await;
        expected.map_err(PublishFailure::Build)
    }

    /// The images that were published last, one for each of `platforms`.
    async fn last_images(
        &self,
        found: &Found,
        platforms: &[Platform],
    ) -> Result<Vec<Option<StoredImage>>, PublishFailure> {
        let index = match found.last() {
            None => return Ok(vec![None; platforms.len()]),
            // What it has in common with ours its layers say.
            Some(Stored::Image(image)) => {
                return Ok(vec![Some((**image).clone()); platforms.len()]);
            }
            Some(Stored::Index(index)) => &index.index,
        };
        let read = platforms.iter().map(async |platform| {
            let mut listed = index.manifests.iter();
            let Some(listed) = listed.find(|listed| listed.platform.as_ref() == Some(platform))
            else {
                return Ok(None);
            };
            let reference = ManifestReference::Digest(listed.digest);
            let registry = &found.session.registry;
            let read = registry.manifest(&self.destination.repository, &reference);
            let Some((descriptor, bytes)) = read.await? else {
                return Ok(None);
            };
            Ok(match Stored::received(descriptor, bytes.to_vec()) {
                Ok(Stored::Image(image)) => Some(*image),
                _ => None,
            })
        });
        let failed = self.destination.failed("reading the last image", 0);
        try_join_all(read).await.map_err(failed)
    }

    /// The immutable tag is taken by an image that was made from something else.
    async fn taken(&self, found: &Found, own: &Stored, expected: &ExpectedImage) -> PublishFailure {
        let (registry, digest) = (&found.session.registry, own.descriptor().digest);
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

/// The image of one platform that would be made with the program that `image` has;
/// none where it does not have that program.
pub(super) async fn expected_like(
    plan: &PlatformPlan,
    image: &StoredImage,
    materials: &Materials,
) -> Result<Option<Expected>, PublishFailure> {
    let declared = image.manifest.annotations.get(annotation::DECLARED);
    let Some(declared) = declared.and_then(|text| declared_of(text)) else {
        return Ok(None);
    };
    let expected = plan.expected_before(materials, declared).await;
    let expected = expected.map_err(PublishFailure::Build)?;
    let has_program = expected
        .layers
        .last()
        .is_some_and(|program| lends(image, program));
    Ok(has_program.then_some(expected))
}

impl Found {
    /// What the tags of `destination` point to.
    pub(super) async fn read(
        destination: &Destination,
        session: Arc<Session>,
    ) -> Result<Self, PublishFailure> {
        let held = silent(destination, &session).published().await?;
        Ok(Self { session, held })
    }

    /// What the immutable tag points to.
    pub(super) fn own(&self) -> Option<&Stored> {
        self.held.first()?.as_ref()?.stored.as_ref()
    }

    /// What was published last.
    fn last(&self) -> Option<&Stored> {
        let mut moving = self.held.iter().skip(1).flatten();
        moving.find_map(|held| held.stored.as_ref())
    }

    /// The image that says most about this source, and the tag that it has: the one
    /// of this very commit, or the last one.
    pub(super) fn published<'a>(
        &'a self,
        destination: &'a Destination,
    ) -> Option<(&'a Tag, &'a Stored)> {
        let tags = destination.tags().zip(&self.held);
        let images = tags.map(|(tag, held)| Some((tag, held.as_ref()?.stored.as_ref()?)));
        images.flatten().next()
    }

    pub(super) fn digests(&self) -> Vec<Option<Digest>> {
        let held = self.held.iter();
        held.map(|held| held.as_ref().map(|held| held.digest))
            .collect()
    }
}

/// A push that looks at the registry, and tells nobody.
fn silent<'a>(destination: &'a Destination, session: &'a Session) -> Push<'a> {
    Push {
        destination,
        session,
        observe: &|_| {},
    }
}

/// What was found.
pub(super) async fn finished(looking: Looking) -> Result<Found, PublishFailure> {
    looking
        .await
        .map_err(|error| PublishFailure::Interrupted(error.to_string()))?
}

/// The inputs that an image says it was made from.
pub(super) fn recorded(stored: &Stored) -> Option<Digest> {
    let annotation = stored.annotations().get(annotation::INPUTS)?;
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
