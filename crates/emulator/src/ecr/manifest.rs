//! What a manifest says, before the repository is asked whether it may say so.
//!
//! Pure. Refusals are `InvalidParameterException` at `ImageManifest`, which the
//! registry turns into ECR's 405 `UNSUPPORTED`.

use std::collections::BTreeMap;

use oci::{AnyManifest, Descriptor, Digest, ManifestError};
use serde::Deserialize;

use super::EcrError;

/// Largest manifest in bytes (service model).
pub(crate) const MAXIMUM_MANIFEST: usize = 4 * 1024 * 1024;

/// A manifest that is well formed.
#[derive(Debug)]
pub(super) struct ParsedManifest {
    /// The manifest itself, as a list of referrers would describe it.
    pub(super) descriptor: Descriptor,
    pub(super) artifact_media_type: Option<String>,
    pub(super) subject: Option<Digest>,
    /// Configuration and layers that the repository must hold.
    pub(super) blobs: Vec<Descriptor>,
    /// Manifests that the repository must hold.
    pub(super) children: Vec<Descriptor>,
}

/// The fields that every kind of manifest may have.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    media_type: Option<String>,
    artifact_type: Option<String>,
}

/// Parses `bytes` sent as `media_type`, which may be absent when the document
/// names its own type (`PutImage`, `imageManifestMediaType`).
pub(super) fn parse(bytes: &[u8], media_type: Option<&str>) -> Result<ParsedManifest, EcrError> {
    if bytes.is_empty() || bytes.len() > MAXIMUM_MANIFEST {
        return Err(invalid(&format!(
            "must have length between 1 and {MAXIMUM_MANIFEST}"
        )));
    }
    let head: Head = serde_json::from_slice(bytes).map_err(|_| invalid("Invalid JSON syntax"))?;
    let media_type = media_type
        .or(head.media_type.as_deref())
        .ok_or_else(|| invalid("Manifest media type is missing"))?;
    let parsed = AnyManifest::parse(media_type, bytes).map_err(|error| refused(&error))?;
    let mut descriptor = Descriptor::of(media_type, bytes);
    let subject = parsed.subject().map(|subject| subject.digest);
    // Only a list of referrers shows annotations, which may be megabytes.
    let shown = |annotations| match subject {
        Some(_) => annotations,
        None => BTreeMap::new(),
    };
    let parsed = match parsed {
        AnyManifest::Image(manifest) => {
            let configuration = manifest.config.media_type.clone();
            descriptor.artifact_type = head.artifact_type.or(Some(configuration.clone()));
            descriptor.annotations = shown(manifest.annotations);
            let mut blobs = vec![manifest.config];
            blobs.extend(manifest.layers);
            ParsedManifest {
                descriptor,
                artifact_media_type: Some(configuration),
                subject,
                blobs,
                children: Vec::new(),
            }
        }
        AnyManifest::Index(index) => {
            descriptor.artifact_type = head.artifact_type;
            descriptor.annotations = shown(index.annotations);
            ParsedManifest {
                descriptor,
                artifact_media_type: None,
                subject,
                blobs: Vec::new(),
                children: index.manifests,
            }
        }
    };
    check_sizes(&parsed)?;
    Ok(parsed)
}

/// Sizes are 64-bit integers with a sign (image-spec, descriptor.md).
fn check_sizes(manifest: &ParsedManifest) -> Result<(), EcrError> {
    let mut parts = manifest.blobs.iter().chain(&manifest.children);
    match parts.find(|part| i64::try_from(part.size).is_err()) {
        Some(_) => Err(invalid("Invalid JSON syntax")),
        None => Ok(()),
    }
}

/// ECR takes no media types with parameters (containers-roadmap#2306); that
/// its sentence is this one is inferred.
pub(super) fn refuse_parameters(manifest: &ParsedManifest) -> Result<(), EcrError> {
    let parts = manifest.blobs.iter().chain(&manifest.children);
    let types = parts.map(|part| part.media_type.as_str());
    let own = manifest.descriptor.artifact_type.as_deref();
    match types.chain(own).find(|media_type| media_type.contains(';')) {
        Some(_) => Err(invalid("Invalid JSON syntax")),
        None => Ok(()),
    }
}

/// Whether a layer is, by its media type, kept elsewhere and never pushed
/// (image-spec layer.md, "Non-Distributable Layers").
pub(super) fn is_kept_elsewhere(layer: &Descriptor) -> bool {
    layer.media_type.contains(".nondistributable.") || layer.media_type.contains(".foreign.")
}

/// A manifest is refused with this sentence of AWS; texts between its quotes
/// are inferred except `Invalid JSON syntax`.
pub(super) fn invalid(constraint: &str) -> EcrError {
    EcrError::parameter("ImageManifest", constraint)
}

/// ECR says `Invalid JSON syntax` too of documents that are JSON and no manifest.
fn refused(error: &ManifestError) -> EcrError {
    match error {
        ManifestError::Json(_) | ManifestError::SchemaVersion(_) => invalid("Invalid JSON syntax"),
        ManifestError::MediaType { .. } | ManifestError::UnknownMediaType(_) => {
            invalid(&error.to_string())
        }
    }
}

/// As `crate::reads_manifest`.
#[cfg(fuzzing)]
pub(crate) fn reads_manifest(media_type: Option<&str>, bytes: &[u8]) -> bool {
    parse(bytes, media_type).is_ok_and(|manifest| {
        let _ = refuse_parameters(&manifest);
        let named = manifest.blobs.iter().chain(&manifest.children);
        let total = named.fold(0_u64, |total, part| total.saturating_add(part.size));
        assert_eq!(manifest.descriptor.size, bytes.len() as u64);
        total < u64::MAX
    })
}

#[cfg(test)]
mod tests {
    use oci::media_type;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_image_names_its_blobs_and_its_kind() {
        let config = Descriptor::of(media_type::CONFIG, b"{}");
        let layer = Descriptor::of(media_type::LAYER_GZIP, b"layer");
        let subject = Descriptor::of(media_type::MANIFEST, b"subject");
        let bytes = json!({
            "schemaVersion": 2, "mediaType": media_type::MANIFEST, "config": config,
            "layers": [layer], "subject": subject, "annotations": { "a": "b" },
        })
        .to_string();
        let parsed = parse(bytes.as_bytes(), None).unwrap();
        assert_eq!(parsed.descriptor.digest, Digest::of(bytes.as_bytes()));
        assert_eq!(
            parsed.descriptor.artifact_type.as_deref(),
            Some(media_type::CONFIG)
        );
        assert_eq!(parsed.descriptor.annotations["a"], "b");
        assert_eq!(parsed.subject, Some(subject.digest));
        assert_eq!(parsed.blobs, [config, layer]);
    }

    #[test]
    fn what_is_no_manifest_is_refused_at_the_image_manifest() {
        let typeless = json!({ "schemaVersion": 2, "manifests": [] }).to_string();
        for (bytes, media_type, constraint) in [
            ("", None, "'must have length between 1 and 4194304'"),
            ("{", Some(media_type::MANIFEST), "'Invalid JSON syntax'"),
            ("{}", Some(media_type::MANIFEST), "'Invalid JSON syntax'"),
            (&typeless, None, "'Manifest media type is missing'"),
            (&typeless, Some("text/plain"), "text/plain"),
        ] {
            let error = parse(bytes.as_bytes(), media_type).unwrap_err();
            assert!(error.message.starts_with(
                "Invalid parameter at 'ImageManifest' failed to satisfy constraint: "
            ),);
            assert!(error.message.contains(constraint), "{error}");
        }
        assert!(parse(typeless.as_bytes(), Some(media_type::INDEX)).is_ok());
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_or_refused_without_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes, None);
            let _ = parse(&bytes, Some(media_type::INDEX));
        }
    }
}
