//! Manifests translated for clients that do not know their format (User Guide,
//! "Container image manifest format support"): between Docker's schema 2 and
//! OCI, when an image is asked for by tag. Pure.

use oci::media_type;
use serde_json::Value;

/// Docker's media types, each with OCI's for the same thing.
const PAIRS: [(&str, &str); 4] = [
    (media_type::DOCKER_MANIFEST, media_type::MANIFEST),
    (
        "application/vnd.docker.container.image.v1+json",
        media_type::CONFIG,
    ),
    (
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
        media_type::LAYER_GZIP,
    ),
    (
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    ),
];

/// The manifest in the other format, with its media type, when the client takes
/// that one and not the one it is in. `None` when nothing is to be done, or the
/// other format has no word for something in it, such as layers in zstd.
pub(super) fn translated(
    manifest: &[u8],
    media_type: &str,
    accepted: &[String],
) -> Option<(&'static str, String)> {
    let takes = |wanted: &str| accepted.iter().any(|accepted| accepted == wanted);
    if accepted.is_empty() || takes(media_type) {
        return None;
    }
    let into = other(media_type).filter(|into| takes(into))?;
    let mut document: Value = serde_json::from_slice(manifest).ok()?;
    let members = document.as_object_mut()?;
    members.insert("mediaType".to_owned(), Value::from(into));
    translate(document.get_mut("config")?)?;
    for layer in document.get_mut("layers")?.as_array_mut()? {
        translate(layer)?;
    }
    Some((into, document.to_string()))
}

fn translate(descriptor: &mut Value) -> Option<()> {
    let into = other(descriptor.get("mediaType")?.as_str()?)?;
    descriptor["mediaType"] = Value::from(into);
    Some(())
}

fn other(media_type: &str) -> Option<&'static str> {
    PAIRS.into_iter().find_map(|(docker, oci)| {
        let is_docker = media_type == docker;
        (is_docker || media_type == oci).then_some(if is_docker { oci } else { docker })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn manifest(layer: &str) -> String {
        json!({
            "schemaVersion": 2, "mediaType": media_type::MANIFEST,
            "config": { "mediaType": media_type::CONFIG, "size": 2, "digest": "sha256:c" },
            "layers": [{ "mediaType": layer, "size": 3, "digest": "sha256:l" }],
        })
        .to_string()
    }

    fn types(types: &[&str]) -> Vec<String> {
        types.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn what_is_translated_there_and_back_is_the_same() {
        let oci = manifest(media_type::LAYER_GZIP);
        let accepted = types(&[media_type::DOCKER_MANIFEST]);
        let (docker_type, docker) =
            translated(oci.as_bytes(), media_type::MANIFEST, &accepted).unwrap();
        assert!(docker.contains("rootfs.diff.tar.gzip"), "{docker}");
        let accepted = types(&["text/plain", media_type::MANIFEST]);
        let (back_type, back) = translated(docker.as_bytes(), docker_type, &accepted).unwrap();
        assert_eq!((back_type, back), (media_type::MANIFEST, oci));
    }

    #[test]
    fn what_is_accepted_or_has_no_word_in_the_other_format_is_left_alone() {
        let gzip = manifest(media_type::LAYER_GZIP);
        let zstd = manifest(media_type::LAYER_ZSTD);
        let both = types(&[media_type::DOCKER_MANIFEST, media_type::MANIFEST]);
        let docker = types(&[media_type::DOCKER_MANIFEST]);
        for (manifest, kind, accepted) in [
            (&gzip, media_type::MANIFEST, &both),
            (&gzip, media_type::MANIFEST, &Vec::new()),
            (&gzip, media_type::INDEX, &docker),
            (&zstd, media_type::MANIFEST, &docker),
        ] {
            assert_eq!(translated(manifest.as_bytes(), kind, accepted), None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_translated_or_left_alone_without_panic(bytes: Vec<u8>, text: String) {
            let accepted = types(&[media_type::DOCKER_MANIFEST]);
            let _ = translated(&bytes, media_type::MANIFEST, &accepted);
            let odd = json!({ "config": text, "layers": { "a": text } }).to_string();
            prop_assert_eq!(translated(odd.as_bytes(), media_type::MANIFEST, &accepted), None);
        }
    }
}
