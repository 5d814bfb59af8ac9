//! What is pushed beside an image and speaks of it: the document of its inputs.
//!
//! An OCI 1.1 referrer in the shape that ECR takes: an image manifest with an
//! empty configuration, a type of artifact, one layer and a subject.

use std::collections::BTreeMap;

use image::{Layout, StoredImage};
use oci::{AnyManifest, Descriptor, Digest, Manifest, ManifestReference, annotation, media_type};
use registry::{Blob, Pushed, Registry, RegistryError};

use super::push::Push;
use super::{Destination, PublishFailure};

/// The configuration of what needs none.
const EMPTY: &[u8] = b"{}";

/// A referrer whose blobs lie in a layout.
pub(super) struct Referrer {
    manifest: Vec<u8>,
    blobs: Vec<Blob>,
}

impl Referrer {
    /// The document of the inputs of `image`, where its layout has it whole.
    pub(super) fn inputs(layout: &Layout, image: &StoredImage) -> Option<Self> {
        let digest: Digest = image
            .manifest
            .annotations
            .get(annotation::INPUTS)?
            .parse()
            .ok()?;
        let path = layout.blob(&digest);
        let document = fs_err::read(&path).ok()?;
        let document = Descriptor::of(media_type::INPUTS, &document);
        if document.digest != digest {
            return None;
        }
        let empty = Descriptor::of(media_type::EMPTY, EMPTY);
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(media_type::MANIFEST.to_owned()),
            artifact_type: Some(media_type::INPUTS.to_owned()),
            config: empty.clone(),
            layers: vec![document.clone()],
            subject: Some(Descriptor::new(
                &image.descriptor.media_type,
                image.descriptor.digest,
                image.descriptor.size,
            )),
            annotations: BTreeMap::new(),
        };
        Some(Self {
            manifest: serde_json::to_vec(&manifest).ok()?,
            blobs: vec![
                Blob::of_file(document, path),
                Blob::of_bytes(empty, EMPTY.into()),
            ],
        })
    }
}

impl Push<'_> {
    /// Pushes a referrer. A registry that takes none of its kind leaves the image
    /// without it, which is no failure: it is not needed to run the image.
    pub(super) async fn referrer(&self, referrer: &Referrer) -> Result<u64, PublishFailure> {
        let mut sent = Pushed::default();
        let (kind, manifest) = (media_type::MANIFEST, &referrer.manifest);
        match self
            .complete(kind, manifest, &referrer.blobs, &mut sent)
            .await
        {
            Ok(()) => Ok(sent.bytes),
            Err((_, RegistryError::Refused(refusal)))
                if matches!(refusal.status, 400 | 405 | 415) =>
            {
                Ok(0)
            }
            Err((_, error)) => {
                let failed = self.destination.failed("sending what refers to it", 0);
                Err(failed(error))
            }
        }
    }
}

impl Destination {
    /// The document of the inputs of a published image; none where the registry
    /// has none.
    pub(super) async fn published_inputs(
        &self,
        registry: &Registry,
        image: &Digest,
    ) -> Result<Option<build::Inputs>, RegistryError> {
        let repository = &self.repository;
        let referrers = registry
            .referrers(repository, image, media_type::INPUTS)
            .await?;
        for referrer in referrers {
            let reference = ManifestReference::Digest(referrer.digest);
            let Some((descriptor, bytes)) = registry.manifest(repository, &reference).await? else {
                continue;
            };
            let Ok(AnyManifest::Image(manifest)) =
                AnyManifest::parse(&descriptor.media_type, &bytes)
            else {
                continue;
            };
            let Some(document) = manifest.layers.first() else {
                continue;
            };
            let document = registry.blob(repository, document).await?;
            if let Ok(inputs) = build::Inputs::parse(&document) {
                return Ok(Some(inputs));
            }
        }
        Ok(None)
    }
}
