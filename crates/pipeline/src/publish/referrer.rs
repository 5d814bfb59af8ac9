//! What is pushed beside an image and speaks of it: the document of its inputs,
//! and whatever is attested.

use attest::Referrer;
use futures_util::future::try_join_all;
use image::{Layout, Stored};
use oci::{AnyManifest, Descriptor, Digest, ErrorCode, ManifestReference, annotation, media_type};
use receipts::Attestation;
use registry::{Blob, Pushed, ReferrerManifest, Registry, RegistryError};

use super::push::{Local, Push, Said};
use super::{Destination, PublishFailure};
use crate::event::Event;

/// The document of the inputs of `stored`, where its layout has it whole.
pub(super) fn inputs(layout: &Layout, stored: &Stored) -> Option<Referrer> {
    let recorded = stored.annotations().get(annotation::INPUTS)?;
    let digest: Digest = recorded.parse().ok()?;
    let document = fs_err::read(layout.blob(&digest)).ok()?;
    let whole = Digest::of(&document) == digest;
    whole.then(|| Referrer::new("inputs", media_type::INPUTS, document))
}

/// The blobs of `referrers`.
pub(super) fn blobs<'r>(referrers: impl Iterator<Item = &'r Referrer>) -> Vec<Blob> {
    let blobs = referrers.flat_map(Referrer::blobs);
    blobs
        .map(|(descriptor, bytes)| Blob::of_bytes(descriptor, bytes.to_vec().into()))
        .collect()
}

impl Push<'_> {
    /// Pushes the manifests of what is said, whose subjects and blobs are there, and
    /// returns what is there now. A registry that takes none of their kind leaves
    /// the image without them, which is a failure only where they are signed: the
    /// image runs without them, but whoever signs wants signatures to be there.
    pub(super) async fn referrers(
        &self,
        local: &Local,
        sent: &mut Pushed,
    ) -> Result<Vec<Attestation>, PublishFailure> {
        let pushed = try_join_all(local.said.iter().map(|said| self.said(said))).await;
        match pushed {
            Ok(pushed) => {
                let mut attestations = Vec::new();
                for (said, again) in pushed {
                    attestations.extend(said);
                    sent.add(again);
                }
                Ok(attestations)
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

    /// Pushes what is said about one manifest; blobs that had to be sent again for it
    /// come with it.
    async fn said(&self, said: &Said) -> Result<(Vec<Attestation>, Pushed), RegistryError> {
        let (registry, repository) = (&self.session.registry, &self.destination.repository);
        let referrers = said.referrers.iter();
        let manifests: Vec<_> = referrers
            .map(|referrer| manifest(referrer, &said.subject))
            .collect();
        let push = async || {
            let subject = &said.subject.digest;
            let push = registry.push_referrers(repository, subject, &manifests);
            push.await
        };
        let mut again = Pushed::default();
        match push().await {
            // It said that it had blobs which it has lost.
            Err(error) if error.has_code(&ErrorCode::ManifestBlobUnknown) => {
                let observe = |event| (self.observe)(Event::Registry(event));
                let blobs = blobs(said.referrers.iter());
                again = registry.upload_blobs(repository, &blobs, &observe).await?;
                push().await?;
            }
            done => done?,
        }
        let pairs = said.referrers.iter().zip(&manifests);
        let said = pairs.map(|pair| attestation(pair, &said.subject));
        Ok((said.collect(), again))
    }
}

fn manifest(referrer: &Referrer, subject: &Descriptor) -> ReferrerManifest {
    let bytes = serde_json::to_vec(&referrer.manifest(subject)).unwrap_or_default();
    ReferrerManifest {
        listed: referrer.listed(&bytes),
        bytes: bytes.into(),
    }
}

fn attestation(
    (referrer, manifest): (&Referrer, &ReferrerManifest),
    subject: &Descriptor,
) -> Attestation {
    Attestation {
        name: referrer.name.to_owned(),
        artifact_type: referrer.artifact_type.clone(),
        digest: manifest.listed.digest.to_string(),
        subject: subject.digest.to_string(),
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
