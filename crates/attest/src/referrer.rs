//! A document as a manifest that names the image it speaks about.

use std::collections::BTreeMap;

use oci::{Descriptor, Manifest, media_type};

/// The configuration of an artifact that has none (image-spec manifest.md).
const EMPTY: &[u8] = b"{}";

/// A document about an image, ready to be stored beside it.
///
/// The form is the one that ECR takes: a top-level media type, an empty
/// configuration, one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// What people call it.
    pub name: &'static str,
    /// The type of the document.
    pub artifact_type: String,
    /// The document.
    pub document: Vec<u8>,
    /// What the listing of referrers shows of it.
    pub annotations: BTreeMap<String, String>,
}

impl Referrer {
    /// A document without annotations.
    pub fn new(name: &'static str, artifact_type: &str, document: Vec<u8>) -> Self {
        Self {
            name,
            artifact_type: artifact_type.to_owned(),
            document,
            annotations: BTreeMap::new(),
        }
    }

    /// The same with one more annotation.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.annotations.insert(key.to_owned(), value.to_owned());
        self
    }

    /// The blobs that must be there before the manifest.
    pub fn blobs(&self) -> [(Descriptor, &[u8]); 2] {
        [
            (Descriptor::of(media_type::EMPTY, EMPTY), EMPTY),
            (self.layer(), &self.document),
        ]
    }

    /// The manifest, about `subject`.
    pub fn manifest(&self, subject: &Descriptor) -> Manifest {
        Manifest {
            schema_version: 2,
            media_type: Some(media_type::MANIFEST.to_owned()),
            artifact_type: Some(self.artifact_type.clone()),
            config: Descriptor::of(media_type::EMPTY, EMPTY),
            layers: vec![self.layer()],
            subject: Some(Descriptor::new(
                &subject.media_type,
                subject.digest,
                subject.size,
            )),
            annotations: self.annotations.clone(),
        }
    }

    /// The manifest as the list of the referrers of `subject` has it.
    pub fn listed(&self, manifest: &[u8]) -> Descriptor {
        Descriptor {
            artifact_type: Some(self.artifact_type.clone()),
            annotations: self.annotations.clone(),
            ..Descriptor::of(media_type::MANIFEST, manifest)
        }
    }

    fn layer(&self) -> Descriptor {
        Descriptor::of(&self.artifact_type, &self.document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_names_its_subject_and_only_blobs_that_it_brings() {
        let image = Descriptor::of(media_type::MANIFEST, b"image");
        let referrer = Referrer::new("SPDX", "application/spdx+json", b"bill".to_vec());
        let manifest = referrer.manifest(&image);
        assert_eq!(manifest.subject, Some(image));
        let brought: Vec<_> = referrer.blobs().map(|(descriptor, _)| descriptor).into();
        assert_eq!(brought, [vec![manifest.config], manifest.layers].concat());
    }
}
