//! OCI image layouts: a directory with blobs and an index (image-spec
//! image-layout.md).

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use fs_err as fs;
use oci::{AnyManifest, Descriptor, Digest, Hasher, Index, Manifest, media_type};
use serde::Serialize;

use crate::ImageError;
use crate::entry::Entry;
use crate::layer::{WrittenLayer, write_layer};

const MARKER: &str = "oci-layout";
const MARKER_CONTENT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
const INDEX: &str = "index.json";

/// The image of a layout.
#[derive(Debug, Clone)]
pub struct StoredImage {
    /// The manifest's descriptor.
    pub descriptor: Descriptor,
    /// The manifest's bytes: what its digest is of.
    pub bytes: Vec<u8>,
    /// The manifest.
    pub manifest: Manifest,
}

impl StoredImage {
    /// Bytes that a registry stores for the image.
    pub fn size(&self) -> u64 {
        let layers: u64 = self.manifest.layers.iter().map(|layer| layer.size).sum();
        self.descriptor.size + self.manifest.config.size + layers
    }
}

/// A layout on disk.
#[derive(Debug, Clone)]
pub struct Layout {
    directory: PathBuf,
}

impl Layout {
    /// A layout that exists at `directory`.
    pub fn open(directory: &Path) -> Result<Self, ImageError> {
        if !directory.join(MARKER).is_file() {
            return Err(ImageError::NoLayout(directory.to_owned(), MARKER));
        }
        Ok(Self {
            directory: directory.to_owned(),
        })
    }

    /// The file of a blob.
    pub fn blob(&self, digest: &Digest) -> PathBuf {
        blob_path(&self.directory, digest)
    }

    /// The one image of the layout; its manifest's digest is verified.
    pub fn image(&self) -> Result<StoredImage, ImageError> {
        let file = self.directory.join(INDEX);
        let bytes =
            fs::read(&file).map_err(|_| ImageError::NoLayout(self.directory.clone(), INDEX))?;
        let invalid = |reason: String| ImageError::Invalid {
            file: file.clone(),
            reason,
        };
        let index: Index =
            serde_json::from_slice(&bytes).map_err(|error| invalid(error.to_string()))?;
        let [descriptor] = index.manifests.as_slice() else {
            return Err(invalid(format!(
                "it lists {} images; a layout of one image is expected",
                index.manifests.len()
            )));
        };
        let bytes = self.document(descriptor)?;
        match AnyManifest::parse(&descriptor.media_type, &bytes)? {
            AnyManifest::Image(manifest) => Ok(StoredImage {
                descriptor: descriptor.clone(),
                bytes,
                manifest: *manifest,
            }),
            AnyManifest::Index(_) => Err(invalid("its image is an index of platforms".to_owned())),
        }
    }

    /// The bytes of a small blob, verified.
    pub fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, ImageError> {
        self.verify(descriptor)?;
        Ok(fs::read(self.blob(&descriptor.digest))?)
    }

    /// Reads the blob of `descriptor` and makes sure that it is what its name
    /// and size say.
    pub fn verify(&self, descriptor: &Descriptor) -> Result<(), ImageError> {
        let expected = descriptor.digest;
        let mut file = match fs::File::open(self.blob(&expected)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ImageError::MissingBlob(expected));
            }
            opened => opened?,
        };
        let actual = file.metadata()?.len();
        if actual != descriptor.size {
            let expected = descriptor.size;
            return Err(ImageError::WrongSize {
                digest: descriptor.digest,
                expected,
                actual,
            });
        }
        let mut hasher = Hasher::new(expected.algorithm());
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            hasher.update(&buffer[..count]);
        }
        let actual = hasher.finish();
        if actual != expected {
            return Err(ImageError::TamperedBlob { expected, actual });
        }
        Ok(())
    }
}

fn blob_path(directory: &Path, digest: &Digest) -> PathBuf {
    directory
        .join("blobs")
        .join(digest.algorithm().as_str())
        .join(digest.hex())
}

/// Writes a layout beside its place, and moves it there when it is complete.
pub(crate) struct LayoutWriter {
    target: PathBuf,
    working: tempfile::TempDir,
}

impl LayoutWriter {
    /// Refuses a place that holds anything but a layout or nothing.
    pub(crate) fn create(target: &Path) -> Result<Self, ImageError> {
        let occupied = target.is_file()
            || (target.is_dir()
                && !target.join(MARKER).is_file()
                && fs::read_dir(target)?.next().is_some());
        if occupied {
            return Err(ImageError::NotALayout(target.to_owned()));
        }
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent)?;
        let working = tempfile::Builder::new()
            .prefix(".layout-")
            .permissions(std::fs::Permissions::from_mode(0o755))
            .tempdir_in(parent)?;
        fs::create_dir_all(working.path().join("blobs/sha256"))?;
        Ok(Self {
            target: target.to_owned(),
            working,
        })
    }

    /// Adds a layer; its file gets its name when its digest is known.
    pub(crate) fn add_layer(&self, entries: &[Entry]) -> Result<WrittenLayer, ImageError> {
        let unnamed = self.working.path().join("layer");
        let layer = write_layer(entries, &unnamed)?;
        fs::rename(
            unnamed,
            blob_path(self.working.path(), &layer.descriptor.digest),
        )?;
        Ok(layer)
    }

    /// Adds a JSON document.
    pub(crate) fn add_document(
        &self,
        media_type: &str,
        document: &impl Serialize,
    ) -> Result<Descriptor, ImageError> {
        let bytes = serde_json::to_vec(document).map_err(io::Error::other)?;
        let descriptor = Descriptor::of(media_type, &bytes);
        fs::write(blob_path(self.working.path(), &descriptor.digest), bytes)?;
        Ok(descriptor)
    }

    /// Lists the image in the index and puts the layout in its place.
    pub(crate) fn finish(self, descriptor: Descriptor) -> Result<StoredImage, ImageError> {
        let index = Index {
            schema_version: 2,
            media_type: Some(media_type::INDEX.to_owned()),
            manifests: vec![descriptor],
            subject: None,
            annotations: BTreeMap::new(),
        };
        let index = serde_json::to_vec(&index).map_err(io::Error::other)?;
        fs::write(self.working.path().join(INDEX), index)?;
        fs::write(self.working.path().join(MARKER), MARKER_CONTENT)?;
        if self.target.exists() {
            fs::remove_dir_all(&self.target)?;
        }
        fs::rename(self.working.path(), &self.target)?;
        // The directory has moved away; there is nothing left to remove.
        let _ = self.working.keep();
        Layout::open(&self.target)?.image()
    }
}

#[cfg(test)]
mod tests;
