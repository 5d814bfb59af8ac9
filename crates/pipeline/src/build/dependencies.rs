//! What the program was compiled from, beside the layout that has it: a layout may
//! be published by a job that has no source to ask.
//!
//! It stands outside of the image, so that the bills written from it may change
//! without the image's digest. It names the image that it is about.

use std::path::Path;

use attest::Dependencies;
use image::{ImageError, Stored, StoredImage};
use oci::Digest;
use serde::{Deserialize, Serialize};

/// The file's name in the layout's directory.
const FILE: &str = "dependencies.json";

#[derive(Serialize, Deserialize)]
struct Document {
    image: Digest,
    dependencies: Dependencies,
}

/// Writes what the program of each image of `stored` was compiled from, where that is
/// known.
pub(super) fn write(
    dependencies: &[Option<Dependencies>],
    stored: &Stored,
    layout: &Path,
) -> Result<(), ImageError> {
    let pairs = stored.images().iter().zip(dependencies);
    let documents = pairs.filter_map(|(image, dependencies)| {
        Some(Document {
            image: image.descriptor.digest,
            dependencies: dependencies.clone()?,
        })
    });
    let documents: Vec<_> = documents.collect();
    if documents.is_empty() {
        return Ok(());
    }
    let bytes = serde_json::to_vec(&documents).map_err(std::io::Error::from)?;
    Ok(fs_err::write(layout.join(FILE), bytes)?)
}

/// What the program of each image of `stored` was compiled from, where the layout says
/// so. A layout that another program wrote does not.
pub(crate) fn dependencies_of(stored: &Stored, layout: &Path) -> Vec<Option<Dependencies>> {
    let bytes = fs_err::read(layout.join(FILE)).unwrap_or_default();
    let documents: Vec<Document> = serde_json::from_slice(&bytes).unwrap_or_default();
    let own = |image: &StoredImage| {
        let digest = image.descriptor.digest;
        let document = documents.iter().find(|document| document.image == digest);
        document.map(|document| document.dependencies.clone())
    };
    stored.images().iter().map(own).collect()
}
