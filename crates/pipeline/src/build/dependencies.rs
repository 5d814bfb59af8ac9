//! What the program was compiled from, beside the layout that has it: a layout may
//! be published by a job that has no source to ask.
//!
//! It stands outside of the image, so that the bills written from it may change
//! without the image's digest. It names the image that it is about.

use std::path::Path;

use attest::Dependencies;
use image::{ImageError, StoredImage};
use oci::Digest;
use serde::{Deserialize, Serialize};

/// The file's name in the layout's directory.
const FILE: &str = "dependencies.json";

#[derive(Serialize, Deserialize)]
struct Document {
    image: Digest,
    dependencies: Dependencies,
}

pub(super) fn write(
    dependencies: &Dependencies,
    image: &StoredImage,
    layout: &Path,
) -> Result<(), ImageError> {
    let document = Document {
        image: image.descriptor.digest,
        dependencies: dependencies.clone(),
    };
    let bytes = serde_json::to_vec(&document).map_err(std::io::Error::from)?;
    Ok(fs_err::write(layout.join(FILE), bytes)?)
}

/// What the program of `image` was compiled from, where the layout says so. A
/// layout that another program wrote does not.
pub(crate) fn dependencies_of(image: &StoredImage, layout: &Path) -> Option<Dependencies> {
    let bytes = fs_err::read(layout.join(FILE)).ok()?;
    let document: Document = serde_json::from_slice(&bytes).ok()?;
    (document.image == image.descriptor.digest).then_some(document.dependencies)
}
