//! A base as the lock file pins it.

use std::path::{Path, PathBuf};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use image::Base;
use oci::{AnyManifest, Digest, Manifest, Platform};
use registry::{Blob, BlobContent};
use tokio::sync::OnceCell;

use super::lock::Lock;
use super::place::Place;
use super::{BaseFailure, BaseReference};
use crate::configuration::ImageTable;
use crate::publish::Logins;

/// Where what was read of bases is kept, below the checkout.
const KEPT: &str = "target/longshore/base";
/// Layers that are fetched at the same time.
const PARALLEL: usize = 4;

/// A base whose digest is known; it is read when it is first needed.
#[derive(Debug)]
pub(crate) struct PinnedBase {
    pub(super) reference: BaseReference,
    pub(super) platform: Platform,
    /// The digest of the manifest for that platform.
    digest: Digest,
    checkout: PathBuf,
    read: OnceCell<ReadBase>,
}

struct ReadBase {
    place: Place,
    base: Base,
}

impl std::fmt::Debug for ReadBase {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.base.fmt(formatter)
    }
}

impl PinnedBase {
    /// The base of an image, as `longshore.lock` pins it. Reads nothing but that file.
    pub(crate) fn of(table: &ImageTable, checkout: &Path) -> Result<Option<Self>, BaseFailure> {
        let Some(reference) = &table.base else {
            return Ok(None);
        };
        let not_pinned = || BaseFailure::NotPinned(reference.to_string());
        let lock = Lock::read(checkout)?.ok_or_else(not_pinned)?;
        let locked = lock.find(reference).ok_or_else(not_pinned)?;
        let platform = platform(table);
        let digest = locked.image_for(&platform);
        let digest = digest.ok_or_else(|| no_platform(reference, &platform))?;
        Ok(Some(Self::at(reference, platform, digest, checkout)))
    }

    /// The image with that digest.
    pub(super) fn at(
        reference: &BaseReference,
        platform: Platform,
        digest: Digest,
        checkout: &Path,
    ) -> Self {
        Self {
            reference: reference.clone(),
            platform,
            digest,
            checkout: checkout.to_owned(),
            read: OnceCell::new(),
        }
    }

    /// Reads manifest and configuration, unless that was done before. `logins` may
    /// have one to its registry.
    pub(crate) async fn read(&self, logins: &Logins) -> Result<&Base, BaseFailure> {
        Ok(&self.opened(logins).await?.base)
    }

    /// Makes sure that all its layers are here, whole.
    pub(crate) async fn fetch(&self, logins: &Logins) -> Result<(), BaseFailure> {
        let ReadBase { place, base } = self.opened(logins).await?;
        let layers = base.layers.iter().map(|(layer, _)| place.fetch(layer));
        let fetches = stream::iter(layers).buffer_unordered(PARALLEL);
        fetches.try_collect::<()>().await
    }

    /// Its layers that are in a registry and not here, but for those that `published`,
    /// an image of the repository that is pushed to, has.
    pub(crate) async fn elsewhere(
        &self,
        logins: &Logins,
        published: Option<&Manifest>,
    ) -> Result<Vec<Blob>, BaseFailure> {
        let ReadBase { place, base } = self.opened(logins).await?;
        if !place.is_registry() {
            return Ok(Vec::new());
        }
        let mut layers = Vec::new();
        for (layer, _) in &base.layers {
            let mut there = published.iter().flat_map(|image| &image.layers);
            let there = there.any(|other| other.digest == layer.digest);
            if !there && !place.keeps(layer).await? {
                layers.push(layer);
            }
        }
        let publication = match layers.as_slice() {
            [] => None,
            _ => place.publication().await?,
        };
        let Some(publication) = publication else {
            return Ok(Vec::new());
        };
        let blob = |layer: &oci::Descriptor| Blob {
            descriptor: layer.clone(),
            content: BlobContent::Published(publication.clone()),
        };
        Ok(layers.into_iter().map(blob).collect())
    }

    async fn opened(&self, logins: &Logins) -> Result<&ReadBase, BaseFailure> {
        let read = self.read.get_or_try_init(|| self.open(logins));
        // It is a small part of what awaits it, but not of its size.
        Box::pin(read).await
    }

    async fn open(&self, logins: &Logins) -> Result<ReadBase, BaseFailure> {
        let place = place(&self.reference, &self.checkout, logins);
        let (descriptor, manifest) = place.manifest(&self.digest).await?;
        let AnyManifest::Image(manifest) = manifest else {
            return Err(no_platform(&self.reference, &self.platform));
        };
        let config = place.config(&manifest.config).await?;
        let base = Base::new(&descriptor, &manifest, &config);
        let mut base = base.map_err(BaseFailure::Image)?;
        // A layout's place means nothing to others.
        if place.is_registry() {
            base.name = Some(self.reference.to_string());
        }
        base.blobs = Some(place.blobs());
        Ok(ReadBase { place, base })
    }
}

/// What an image of `table` runs on.
pub(crate) fn platform(table: &ImageTable) -> Platform {
    let architecture = build::architecture_of(&table.target);
    Platform::linux(architecture.unwrap_or(&table.target))
}

pub(super) fn no_platform(reference: &BaseReference, platform: &Platform) -> BaseFailure {
    BaseFailure::NoPlatform {
        reference: reference.to_string(),
        platform: platform.to_string(),
    }
}

/// A place to read the base of `reference` from.
pub(super) fn place(reference: &BaseReference, checkout: &Path, logins: &Logins) -> Place {
    Place::new(reference, checkout, logins, &checkout.join(KEPT))
}
