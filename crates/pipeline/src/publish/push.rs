//! The push itself, in the order that keeps every promise.

use std::collections::BTreeMap;
use std::ops::Range;

use attest::{Contents, Referrer};
use futures_util::Stream;
use futures_util::future::try_join_all;
use image::{Layout, Stored, StoredImage};
use oci::{Descriptor, Digest, ErrorCode, ManifestReference, RepositoryName, Tag, annotation};
use receipts::{
    Advisory, Attestation, Imprint, Layer, LayerOrigin, PlatformImage, PublishReceipt, TagOutcome,
};
use registry::{Blob, Pushed, RegistryError};

use super::referrer;
use super::session::Session;
use super::signer::ReadySigner;
use super::{Destination, IdentityPlan, PublishFailure, attestations};
use crate::event::{Event, Observer, Stage};

/// A push to a destination, by somebody who is let in.
pub(super) struct Push<'a> {
    pub(super) destination: &'a Destination,
    pub(super) session: &'a Session,
    pub(super) observe: Observer<'a>,
}

/// What of an image is on this machine.
#[derive(Default)]
pub(super) struct Local {
    /// Its blobs, without those that the registry has.
    pub(super) blobs: Vec<Blob>,
    /// What is pushed beside it: beside the index and each of its images, or the image.
    pub(super) said: Vec<Said>,
    /// Whether some of that is signed.
    pub(super) signed: bool,
}

/// What is said about one manifest.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) subject: Descriptor,
    pub(super) referrers: Vec<Referrer>,
}

/// What a tag points to.
pub(super) struct Held {
    pub(super) digest: Digest,
    /// The image, or an index without its images, where it is one.
    pub(super) stored: Option<Stored>,
}

/// An image or an index that the registry has, with all that is said about it, and without its
/// tags.
pub(super) struct Complete {
    stored: Stored,
    /// What the tags point to now.
    held: Vec<Option<Digest>>,
    layers: Vec<Layer>,
    sent_bytes: u64,
    attestations: Vec<Attestation>,
    /// Known flaws of what was compiled.
    pub(super) advisories: Vec<Advisory>,
    /// What the program holds of this machine.
    pub(super) imprints: Vec<Imprint>,
}

/// What became of the tags of an image: a failure comes with those set before it.
pub(super) type TagsSet = Result<Vec<TagOutcome>, (Vec<TagOutcome>, PublishFailure)>;

/// All tags of an image, as [`Push::tags`] counts them: the first is the immutable one.
pub(super) const ALL_TAGS: Range<usize> = 0..usize::MAX;

impl Local {
    /// The blobs of `stored` that `layout` has.
    pub(super) fn of(layout: &Layout, stored: &Stored) -> Self {
        let mut here: BTreeMap<Digest, Blob> = BTreeMap::new();
        let all = stored.images().iter().flat_map(StoredImage::blobs);
        for descriptor in all.filter(|blob| !layout.is_absent(&blob.digest)) {
            let file = layout.blob(&descriptor.digest);
            here.entry(descriptor.digest)
                .or_insert_with(|| Blob::of_file(descriptor.clone(), file));
        }
        Self {
            blobs: here.into_values().collect(),
            ..Self::default()
        }
    }

    /// All blobs, with those of what is pushed beside the image.
    pub(super) fn all(&self) -> Vec<Blob> {
        let said = self.said.iter().flat_map(|said| &said.referrers);
        [self.blobs.clone(), referrer::blobs(said)].concat()
    }

    /// Adds the document of the inputs of `stored` that `layout` has, and what is said
    /// about it, which has `contents`, one for each of its images.
    pub(super) async fn attest(
        &mut self,
        (layout, stored): (&Layout, &Stored),
        contents: &[Contents],
        push: &Push<'_>,
        signer: Option<&ReadySigner<'_>>,
    ) -> Result<(), PublishFailure> {
        let (repository, session) = (push.repository(), push.session);
        let inputs = referrer::inputs(layout, stored).map(|inputs| Said {
            subject: stored.descriptor().clone(),
            referrers: vec![inputs],
        });
        self.said.extend(inputs);
        let said = attestations::of(stored, contents, repository, session, signer);
        for said in said.await? {
            let same = |other: &&mut Said| other.subject.digest == said.subject.digest;
            match self.said.iter_mut().find(same) {
                Some(other) => other.referrers.extend(said.referrers),
                None => self.said.push(said),
            }
        }
        self.signed = signer.is_some();
        Ok(())
    }
}

impl Push<'_> {
    fn repository(&self) -> &RepositoryName {
        &self.destination.repository
    }

    /// The digest that each tag points to. An immutable tag on another image than
    /// `stored` ends the publish here, before a byte is sent.
    pub(super) async fn held(
        &self,
        stored: &Stored,
    ) -> Result<Vec<Option<Digest>>, PublishFailure> {
        let resolve = |tag: &Tag| {
            let reference = ManifestReference::Tag(tag.clone());
            async move {
                self.session
                    .registry
                    .resolve(self.repository(), &reference)
                    .await
            }
        };
        let held = try_join_all(self.destination.tags().map(resolve))
            .await
            .map_err(self.destination.failed(LOOKING, 0))?;
        let held: Vec<_> = held.into_iter().map(|held| Some(held?.digest)).collect();
        self.refuse_taken(stored, &held)?;
        Ok(held)
    }

    /// What each tag points to, with the images themselves.
    pub(super) async fn published(&self) -> Result<Vec<Option<Held>>, PublishFailure> {
        let read = |tag: &Tag| {
            let reference = ManifestReference::Tag(tag.clone());
            async move {
                self.session
                    .registry
                    .manifest(self.repository(), &reference)
                    .await
            }
        };
        let held = try_join_all(self.destination.tags().map(read))
            .await
            .map_err(self.destination.failed(LOOKING, 0))?;
        Ok(held
            .into_iter()
            .map(|held| {
                let (descriptor, bytes) = held?;
                let digest = descriptor.digest;
                // What is no image is never ours, and only its digest counts.
                let stored = Stored::received(descriptor, bytes.to_vec()).ok();
                Some(Held { digest, stored })
            })
            .collect())
    }

    /// Whether the repository has each image that `stored`, which it has, lists: a job that
    /// deletes what has no tag may have taken one away. ECR lets nobody
    /// ([`ImageReferencedByManifestList`]).
    ///
    /// [`ImageReferencedByManifestList`]: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageFailure.html
    pub(super) async fn has_images(&self, stored: &Stored) -> Result<bool, PublishFailure> {
        let Stored::Index(stored) = stored else {
            return Ok(true);
        };
        if !matches!(self.destination.identity, IdentityPlan::Login { .. }) {
            return Ok(true);
        }
        let found = stored.index.manifests.iter().map(async |listed| {
            let reference = ManifestReference::Digest(listed.digest);
            let registry = &self.session.registry;
            registry.resolve(self.repository(), &reference).await
        });
        let found = try_join_all(found)
            .await
            .map_err(self.destination.failed(LOOKING, 0))?;
        Ok(found.iter().all(Option::is_some))
    }

    fn refuse_taken(&self, stored: &Stored, held: &[Option<Digest>]) -> Result<(), PublishFailure> {
        let wants = stored.descriptor().digest;
        match held.first() {
            Some(Some(holds)) if *holds != wants => Err(PublishFailure::TagTaken {
                tag: self.destination.immutable_tag.clone(),
                repository: self.repository().clone(),
                holds: *holds,
                wants,
            }),
            _ => Ok(()),
        }
    }

    /// Pushes blobs while they are made: each is asked about and sent as soon as
    /// it is there.
    pub(super) async fn blobs(
        &self,
        blobs: impl Stream<Item = Blob> + Send,
    ) -> Result<Pushed, PublishFailure> {
        let observe = |event| (self.observe)(Event::Registry(event));
        self.session
            .registry
            .push_stream(self.repository(), blobs, &observe)
            .await
            .map_err(self.destination.failed(SENDING, 0))
    }

    /// Pushes what is not `sent` of `stored`, whose tags point to `held` now; sets none
    /// of them.
    pub(super) async fn image(
        &self,
        stored: &Stored,
        local: &Local,
        held: &[Option<Digest>],
        mut sent: Pushed,
    ) -> Result<Complete, PublishFailure> {
        self.refuse_taken(stored, held)?;
        let digest = stored.descriptor().digest;
        let mut attestations = Vec::new();
        // What the immutable tag points to is complete, with all that refers to it.
        if held.first() != Some(&Some(digest)) || !self.has_images(stored).await? {
            (self.observe)(Event::Stage(Stage::Push));
            self.content(stored, &local.all(), &mut sent).await?;
            attestations = self.referrers(local, &mut sent).await?;
        }
        let origin = |layer: &Descriptor| {
            if sent.uploaded.contains(&layer.digest) {
                LayerOrigin::New
            } else {
                LayerOrigin::Reused
            }
        };
        Ok(Complete {
            layers: layers(stored, origin),
            stored: stored.clone(),
            held: held.to_vec(),
            sent_bytes: sent.bytes,
            attestations,
            advisories: Vec::new(),
            imprints: Vec::new(),
        })
    }

    /// Sets those tags of a complete image that have these places and point elsewhere.
    pub(super) async fn tags(&self, complete: &Complete, places: Range<usize>) -> TagsSet {
        let digest = complete.stored.descriptor().digest;
        let tags = self.destination.tags().zip(&complete.held);
        let tags: Vec<_> = tags.skip(places.start).take(places.len()).collect();
        if tags.iter().any(|(_, held)| **held != Some(digest)) {
            (self.observe)(Event::Stage(Stage::Tag));
        }
        let mut outcomes = Vec::new();
        for (tag, holds) in tags {
            let moved = *holds != Some(digest);
            if moved {
                let set = places.start + outcomes.len();
                let put = self.put(&complete.stored, ManifestReference::Tag(tag.clone()));
                if let Err(error) = put.await {
                    let failure = self.destination.failed("setting the tags", set)(error);
                    return Err((outcomes, failure));
                }
            }
            let previous = holds.filter(|_| moved).map(|digest| digest.to_string());
            outcomes.push(TagOutcome {
                tag: tag.to_string(),
                moved,
                previous,
            });
        }
        Ok(outcomes)
    }

    /// Everything of an image but its tags; of an index each image before it.
    async fn content(
        &self,
        stored: &Stored,
        blobs: &[Blob],
        sent: &mut Pushed,
    ) -> Result<(), PublishFailure> {
        let failed = |(step, error)| self.destination.failed(step, 0)(error);
        for image in stored.images() {
            let media_type = &image.descriptor.media_type;
            let complete = self.complete(media_type, &image.bytes, blobs, sent);
            complete.await.map_err(failed)?;
        }
        if let Stored::Index(_) = stored {
            let digest = stored.descriptor().digest.into();
            let put = self.put(stored, digest).await;
            put.map_err(|error| failed((MANIFEST, error)))?;
        }
        Ok(())
    }

    /// The blobs, then the manifest by its digest. A registry that has lost blobs
    /// which it said that it had gets them once more. An error comes with its step.
    async fn complete(
        &self,
        media_type: &str,
        manifest: &[u8],
        blobs: &[Blob],
        sent: &mut Pushed,
    ) -> Result<(), (&'static str, RegistryError)> {
        let observe = |event| (self.observe)(Event::Registry(event));
        let (registry, repository) = (&self.session.registry, self.repository());
        let sending = |error| (SENDING, error);
        let done = |blob: &&Blob| sent.has(&blob.descriptor.digest);
        let rest: Vec<_> = blobs.iter().filter(|blob| !done(blob)).cloned().collect();
        let more = registry.push_blobs(repository, &rest, &observe);
        sent.add(more.await.map_err(sending)?);
        let by_digest = async || {
            let digest = Digest::of(manifest).into();
            let bytes = manifest.to_vec().into();
            let put = registry.push_manifest(repository, &digest, media_type, bytes);
            put.await.map(|_| ())
        };
        let failed = |error| (MANIFEST, error);
        let lost: Vec<_> = match by_digest().await {
            Err(error) if error.has_code(&ErrorCode::ManifestBlobUnknown) => {
                let said = |blob: &&Blob| sent.existing.contains(&blob.descriptor.digest);
                let lost: Vec<_> = blobs.iter().filter(said).cloned().collect();
                if lost.is_empty() {
                    return Err(failed(error));
                }
                lost
            }
            done => return done.map_err(failed),
        };
        let again = registry.upload_blobs(repository, &lost, &observe);
        sent.add(again.await.map_err(sending)?);
        by_digest().await.map_err(failed)
    }

    async fn put(
        &self,
        stored: &Stored,
        reference: ManifestReference,
    ) -> Result<(), RegistryError> {
        let media_type = &stored.descriptor().media_type;
        let bytes = stored.bytes().to_vec().into();
        self.session
            .registry
            .push_manifest(self.repository(), &reference, media_type, bytes)
            .await
            .map(|_| ())
    }
}

/// The step in which tags are looked up.
const LOOKING: &str = "asking what the tags hold";
/// The step in which blobs are sent.
const SENDING: &str = "sending the layers";
/// The step in which a manifest is sent.
const MANIFEST: &str = "sending the manifest";

impl Complete {
    /// Whether every tag was on this image before.
    pub(super) fn had_its_tags(&self) -> bool {
        let digest = self.stored.descriptor().digest;
        self.held.iter().all(|held| *held == Some(digest))
    }

    /// What machines read of it, now that it has its `tags`.
    pub(super) fn receipt(
        self,
        tags: Vec<TagOutcome>,
        push: &Push<'_>,
        milliseconds: u64,
    ) -> PublishReceipt {
        let (registry, repository) = (&push.session.host, push.repository());
        let digest = self.stored.descriptor().digest;
        let annotations = self.stored.annotations();
        PublishReceipt {
            reference: format!("{registry}/{repository}@{digest}"),
            digest: digest.to_string(),
            registry: registry.clone(),
            repository: repository.to_string(),
            unchanged: self.sent_bytes == 0 && tags.iter().all(|tag| !tag.moved),
            tags,
            identity: push.session.identity.clone(),
            revision: annotations.get(annotation::REVISION).cloned(),
            platforms: platforms(&self.stored),
            layers: self.layers,
            attestations: self.attestations,
            advisories: self.advisories,
            imprints: self.imprints,
            sent_bytes: self.sent_bytes,
            milliseconds,
        }
    }
}

/// The images that an index lists.
fn platforms(stored: &Stored) -> Vec<PlatformImage> {
    let Stored::Index(index) = stored else {
        return Vec::new();
    };
    let listed = index.index.manifests.iter();
    let named = listed.filter_map(|image| {
        Some(PlatformImage {
            platform: image.platform.as_ref()?.to_string(),
            digest: image.digest.to_string(),
        })
    });
    named.collect()
}

fn layers(stored: &Stored, origin: impl Fn(&Descriptor) -> LayerOrigin) -> Vec<Layer> {
    let layer = |layer: &Descriptor| Layer {
        digest: layer.digest.to_string(),
        size_bytes: layer.size,
        origin: Some(origin(layer)),
    };
    stored.layers().into_iter().map(layer).collect()
}
