//! What is pushed beside an image and speaks of it: the document of its inputs,
//! and whatever is attested.

use attest::Referrer;
use image::{Layout, StoredImage};
use oci::{AnyManifest, Digest, ErrorCode, ManifestReference, annotation, media_type};
use receipts::Attestation;
use registry::{Blob, Pushed, ReferrerManifest, Registry, RegistryError};

use super::push::{Local, Push};
use super::{Destination, PublishFailure};
use crate::event::Event;

/// The document of the inputs of `image`, where its layout has it whole.
pub(super) fn inputs(layout: &Layout, image: &StoredImage) -> Option<Referrer> {
    let recorded = image.manifest.annotations.get(annotation::INPUTS)?;
    let digest: Digest = recorded.parse().ok()?;
    let document = fs_err::read(layout.blob(&digest)).ok()?;
    let whole = Digest::of(&document) == digest;
    whole.then(|| Referrer::new("inputs", media_type::INPUTS, document))
}

/// The blobs of `referrers`.
pub(super) fn blobs(referrers: &[Referrer]) -> Vec<Blob> {
    let blobs = referrers.iter().flat_map(Referrer::blobs);
    blobs
        .map(|(descriptor, bytes)| Blob::of_bytes(descriptor, bytes.to_vec().into()))
        .collect()
}

impl Push<'_> {
    /// Pushes the manifests of what refers to `image`, whose blobs are there, and
    /// returns what is there now. A registry that takes none of their kind leaves
    /// the image without them, which is a failure only where they are signed: the
    /// image runs without them, but whoever signs wants signatures to be there.
    pub(super) async fn referrers(
        &self,
        image: &StoredImage,
        local: &Local,
        sent: &mut Pushed,
    ) -> Result<Vec<Attestation>, PublishFailure> {
        let (registry, repository) = (&self.session.registry, &self.destination.repository);
        let referrers = local.referrers.iter();
        let manifests: Vec<_> = referrers
            .map(|referrer| manifest(referrer, image))
            .collect();
        let push = async || {
            let subject = &image.descriptor.digest;
            let push = registry.push_referrers(repository, subject, &manifests);
            push.await
        };
        let pushed = match push().await {
            // It said that it had blobs which it has lost.
            Err(error) if error.has_code(&ErrorCode::ManifestBlobUnknown) => {
                let observe = |event| (self.observe)(Event::Registry(event));
                let blobs = blobs(&local.referrers);
                match registry.upload_blobs(repository, &blobs, &observe).await {
                    Ok(again) => {
                        sent.add(again);
                        push().await
                    }
                    Err(error) => Err(error),
                }
            }
            done => done,
        };
        match pushed {
            Ok(()) => {
                let pairs = local.referrers.iter().zip(&manifests);
                Ok(pairs.map(attestation).collect())
            }
            Err(RegistryError::Refused(refusal))
                if !local.signed && matches!(refusal.status, 400 | 405 | 415) =>
            {
                (self.observe)(Event::NoReferrers);
                Ok(Vec::new())
            }
            Err(error) => {
                let failed = self.destination.failed("sending what refers to it", 0);
                Err(failed(error))
            }
        }
    }
}

fn manifest(referrer: &Referrer, image: &StoredImage) -> ReferrerManifest {
    let bytes = serde_json::to_vec(&referrer.manifest(&image.descriptor)).unwrap_or_default();
    ReferrerManifest {
        listed: referrer.listed(&bytes),
        bytes: bytes.into(),
    }
}

fn attestation((referrer, manifest): (&Referrer, &ReferrerManifest)) -> Attestation {
    Attestation {
        name: referrer.name.to_owned(),
        artifact_type: referrer.artifact_type.clone(),
        digest: manifest.listed.digest.to_string(),
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
