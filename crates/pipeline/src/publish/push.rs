//! The push itself, in the order that keeps every promise.

use aws::RegistryAuthorization;
use image::{Layout, StoredImage};
use oci::{Descriptor, ManifestReference, Tag};
use receipts::{Layer, LayerOrigin, TagOutcome};
use registry::{Blob, Credentials, Options, Password, Registry, RegistryError};

use super::identity::Login;
use super::{PublishFailure, PublishPlan};
use crate::event::{Event, Observer, Stage};

/// What a push did.
pub(super) struct Pushed {
    pub(super) layers: Vec<Layer>,
    pub(super) sent_bytes: u64,
    pub(super) tags: Vec<TagOutcome>,
}

impl PublishPlan {
    pub(super) async fn push(
        &self,
        layout: &Layout,
        image: &StoredImage,
        login: &Login,
        observe: Observer<'_>,
    ) -> Result<Pushed, PublishFailure> {
        let registry = connect(&login.authorization).map_err(self.failed("connecting", 0))?;
        observe(Event::Stage(Stage::Push));
        let held = self.held(&registry).await?;
        let target = Some(self.digest);
        if held
            .iter()
            .all(|held| held.as_ref().map(|held| held.digest) == target)
        {
            return Ok(self.unchanged(image));
        }

        let blobs = image.manifest.layers.iter().chain([&image.manifest.config]);
        let blobs: Vec<_> = blobs
            .map(|descriptor| Blob {
                descriptor: descriptor.clone(),
                path: layout.blob(&descriptor.digest),
            })
            .collect();
        let sent = registry
            .push_blobs(&self.repository, &blobs, &|event| {
                observe(Event::Registry(event));
            })
            .await
            .map_err(self.failed("sending the layers", 0))?;
        self.put(&registry, image, self.digest.into())
            .await
            .map_err(self.failed("sending the manifest", 0))?;

        observe(Event::Stage(Stage::Tag));
        let tags = self.set_tags(&registry, image, &held).await?;
        Ok(Pushed {
            layers: layers(image, |layer| {
                if sent.uploaded.contains(&layer.digest) {
                    LayerOrigin::New
                } else {
                    LayerOrigin::Reused
                }
            }),
            sent_bytes: sent.bytes,
            tags,
        })
    }

    /// What each tag points to now. An immutable tag on another digest ends the
    /// publish here, before a byte is sent.
    async fn held(&self, registry: &Registry) -> Result<Vec<Option<Descriptor>>, PublishFailure> {
        let mut all = Vec::new();
        for tag in self.tags() {
            let reference = ManifestReference::Tag(tag.clone());
            let held = registry
                .resolve(&self.repository, &reference)
                .await
                .map_err(self.failed("asking what the tags hold", 0))?;
            if let Some(held) = &held
                && *tag == self.immutable_tag
                && held.digest != self.digest
            {
                return Err(PublishFailure::TagTaken {
                    tag: tag.clone(),
                    repository: self.repository.clone(),
                    holds: held.digest,
                    wants: self.digest,
                });
            }
            all.push(held);
        }
        Ok(all)
    }

    async fn set_tags(
        &self,
        registry: &Registry,
        image: &StoredImage,
        held: &[Option<Descriptor>],
    ) -> Result<Vec<TagOutcome>, PublishFailure> {
        let mut outcomes = Vec::new();
        for (tag, held) in self.tags().zip(held) {
            let holds = held.as_ref().map(|held| held.digest);
            let moved = holds != Some(self.digest);
            if moved {
                self.put(registry, image, ManifestReference::Tag(tag.clone()))
                    .await
                    .map_err(self.failed("setting the tags", outcomes.len()))?;
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

    async fn put(
        &self,
        registry: &Registry,
        image: &StoredImage,
        reference: ManifestReference,
    ) -> Result<(), RegistryError> {
        let media_type = &image.descriptor.media_type;
        registry
            .push_manifest(
                &self.repository,
                &reference,
                media_type,
                image.bytes.clone().into(),
            )
            .await
            .map(|_| ())
    }

    fn unchanged(&self, image: &StoredImage) -> Pushed {
        let outcome = |tag: &Tag| TagOutcome {
            tag: tag.to_string(),
            moved: false,
            previous: None,
        };
        Pushed {
            layers: layers(image, |_| LayerOrigin::Reused),
            sent_bytes: 0,
            tags: self.tags().map(outcome).collect(),
        }
    }

    /// Gives an error of the registry the step it happened in, and how many
    /// tags were set by then.
    fn failed(
        &self,
        step: &'static str,
        tags_set: usize,
    ) -> impl Fn(RegistryError) -> PublishFailure {
        let tags_set = self
            .tags()
            .take(tags_set)
            .map(Tag::to_string)
            .collect::<Vec<_>>();
        let repository = self.repository.clone();
        move |source| PublishFailure::Registry {
            step,
            tags_set: tags_set.clone(),
            repository: repository.clone(),
            source,
        }
    }
}

/// A client of the registry that ECR authorized us for.
pub fn connect(authorization: &RegistryAuthorization) -> Result<Registry, RegistryError> {
    let credentials = Credentials {
        username: authorization.username.clone(),
        password: Password::new(authorization.password.expose()),
    };
    Registry::new(
        authorization.endpoint.clone(),
        Some(credentials),
        Options::default(),
    )
}

fn layers(image: &StoredImage, origin: impl Fn(&Descriptor) -> LayerOrigin) -> Vec<Layer> {
    let layer = |layer: &Descriptor| Layer {
        digest: layer.digest.to_string(),
        size_bytes: layer.size,
        origin: Some(origin(layer)),
    };
    image.manifest.layers.iter().map(layer).collect()
}
