//! Image manifests and indexes (image-spec manifest.md, image-index.md).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Descriptor, media_type};

/// An image manifest: one configuration, and layers from the lowest up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u32,
    /// The manifest's own type. Optional in the specification, demanded by ECR,
    /// always written by us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The type of the artifact, where this is no runnable image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The configuration.
    pub config: Descriptor,
    /// The layers, lowest first.
    pub layers: Vec<Descriptor>,
    /// The manifest that this one speaks about, where it is a referrer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Free annotations, sorted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// An image index: one manifest per platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// The index's own type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The manifests it lists.
    pub manifests: Vec<Descriptor>,
    /// The manifest that this one speaks about, where it is a referrer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Free annotations, sorted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// What a registry holds under a tag or a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnyManifest {
    /// One image or artifact.
    Image(Box<Manifest>),
    /// Several manifests.
    Index(Box<Index>),
}

/// Why bytes are not a manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON, or fields that a manifest must have are missing or wrong.
    #[error("the manifest is not valid: {0}")]
    Json(#[from] serde_json::Error),
    /// The schema version is not 2.
    #[error("the manifest has schema version {0}; only 2 is understood")]
    SchemaVersion(u32),
    /// The type in the document is not the type it was sent as.
    #[error("the manifest calls itself `{inside}` but was sent as `{outside}`")]
    MediaType {
        /// The `mediaType` in the document.
        inside: String,
        /// The type it came with.
        outside: String,
    },
    /// Neither a manifest nor an index type.
    #[error("`{0}` is not the media type of a manifest or an index")]
    UnknownMediaType(String),
}

impl AnyManifest {
    /// Parses `bytes` that were sent, or are listed, as `media_type`.
    pub fn parse(media_type: &str, bytes: &[u8]) -> Result<Self, ManifestError> {
        let (parsed, version, inside) = match media_type {
            media_type::MANIFEST | media_type::DOCKER_MANIFEST => {
                let manifest: Manifest = serde_json::from_slice(bytes)?;
                let (version, inside) = (manifest.schema_version, manifest.media_type.clone());
                (Self::Image(Box::new(manifest)), version, inside)
            }
            media_type::INDEX | media_type::DOCKER_MANIFEST_LIST => {
                let index: Index = serde_json::from_slice(bytes)?;
                let (version, inside) = (index.schema_version, index.media_type.clone());
                (Self::Index(Box::new(index)), version, inside)
            }
            other => return Err(ManifestError::UnknownMediaType(other.to_owned())),
        };
        if version != 2 {
            return Err(ManifestError::SchemaVersion(version));
        }
        match inside {
            Some(inside) if inside != media_type => Err(ManifestError::MediaType {
                inside,
                outside: media_type.to_owned(),
            }),
            _ => Ok(parsed),
        }
    }

    /// What the manifest speaks about, where it is a referrer.
    pub fn subject(&self) -> Option<&Descriptor> {
        match self {
            Self::Image(manifest) => manifest.subject.as_ref(),
            Self::Index(index) => index.subject.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            schema_version: 2,
            media_type: Some(media_type::MANIFEST.to_owned()),
            artifact_type: None,
            config: Descriptor::of(media_type::CONFIG, b"{}"),
            layers: vec![Descriptor::of(media_type::LAYER_GZIP, b"layer")],
            subject: None,
            annotations: BTreeMap::new(),
        }
    }

    #[test]
    fn a_manifest_survives_a_round_trip() {
        let bytes = serde_json::to_vec(&manifest()).unwrap();
        let parsed = AnyManifest::parse(media_type::MANIFEST, &bytes).unwrap();
        assert_eq!(parsed, AnyManifest::Image(Box::new(manifest())));
    }

    #[test]
    fn a_manifest_that_calls_itself_something_else_is_refused() {
        let bytes = serde_json::to_vec(&manifest()).unwrap();
        let error = AnyManifest::parse(media_type::DOCKER_MANIFEST, &bytes).unwrap_err();
        assert!(matches!(error, ManifestError::MediaType { .. }), "{error}");
    }

    #[test]
    fn schema_version_one_is_refused() {
        let old = Manifest {
            schema_version: 1,
            ..manifest()
        };
        let bytes = serde_json::to_vec(&old).unwrap();
        let error = AnyManifest::parse(media_type::MANIFEST, &bytes).unwrap_err();
        assert!(matches!(error, ManifestError::SchemaVersion(1)), "{error}");
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_are_refused_without_panic(bytes: Vec<u8>) {
            let _ = AnyManifest::parse(media_type::MANIFEST, &bytes);
            let _ = AnyManifest::parse(media_type::INDEX, &bytes);
        }
    }
}
