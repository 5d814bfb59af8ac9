//! What is known to be in an image, beside the layout that has it: a layout may be
//! published by a job that has no source to ask, and an image of a Dockerfile is kept.
//!
//! It stands outside of the image, so that the bills written from it may change
//! without the image's digest. It names the image that it is about.

use std::path::Path;

use attest::{Contents, Dependencies, Installed};
use image::{ImageError, Stored, StoredImage};
use oci::Digest;
use serde::{Deserialize, Serialize};

/// The file's name in the layout's directory.
const FILE: &str = "dependencies.json";

#[derive(Serialize, Deserialize)]
struct Document {
    image: Digest,
    /// What the program was compiled from.
    dependencies: Option<Dependencies>,
    /// What was found in the image of a Dockerfile.
    installed: Option<Installed>,
}

/// Writes what is known of each image of `stored`.
pub(super) fn write(
    contents: &[Contents],
    stored: &Stored,
    layout: &Path,
) -> Result<(), ImageError> {
    let pairs = stored.images().iter().zip(contents);
    let known = pairs.filter(|(_, contents)| contents.is_known());
    let documents = known.map(|(image, contents)| Document {
        image: image.descriptor.digest,
        dependencies: contents.compiled.clone(),
        installed: contents.installed.clone(),
    });
    let documents: Vec<_> = documents.collect();
    if documents.is_empty() {
        return Ok(());
    }
    let bytes = serde_json::to_vec(&documents).map_err(std::io::Error::from)?;
    Ok(fs_err::write(layout.join(FILE), bytes)?)
}

/// What is known of each image of `stored`, where the layout says so. A layout that
/// another program wrote does not.
pub(crate) fn contents_of(stored: &Stored, layout: &Path) -> Vec<Contents> {
    let bytes = fs_err::read(layout.join(FILE)).unwrap_or_default();
    let documents: Vec<Document> = serde_json::from_slice(&bytes).unwrap_or_default();
    let own = |image: &StoredImage| {
        let digest = image.descriptor.digest;
        let document = documents.iter().find(|document| document.image == digest);
        let contents = document.map(|document| Contents {
            compiled: document.dependencies.clone(),
            installed: document.installed.clone(),
        });
        contents.unwrap_or_default()
    };
    stored.images().iter().map(own).collect()
}
