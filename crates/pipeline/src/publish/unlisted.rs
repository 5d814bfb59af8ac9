//! What is in an image and on no list, as its manifest tells.

use attest::Contents;
use image::StoredImage;
use oci::annotation;

/// What bills of `image` must say that they do not list, a few words each.
pub(super) fn unlisted(image: &StoredImage, contents: &Contents) -> Vec<String> {
    let annotation = |key| image.manifest.annotations.get(key).map(String::as_str);
    let mut unlisted = Vec::new();
    if let Some(digest) = annotation(annotation::BASE_DIGEST) {
        let name = annotation(annotation::BASE_NAME);
        let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
        unlisted.push(format!("what is in the base image {digest}{name}"));
    }
    if layers(image).any(|layer| layer == "libraries") {
        unlisted.push("the shared libraries that the program loads".to_owned());
    }
    if contents.compiled.is_none() && has_program(image) {
        unlisted
            .push("what the program was compiled from, which was compiled elsewhere".to_owned());
    }
    unlisted
}

/// Whether a program of a package was put into the image.
pub(super) fn has_program(image: &StoredImage) -> bool {
    layers(image).any(|layer| layer.starts_with("binary:"))
}

fn layers(image: &StoredImage) -> impl Iterator<Item = &str> {
    let layers = image.manifest.layers.iter();
    layers.filter_map(|layer| layer.annotations.get(annotation::LAYER).map(String::as_str))
}
