//! OCI image layouts: a directory with blobs and an index (image-spec
//! image-layout.md).

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use fs_err as fs;
use oci::{AnyManifest, Descriptor, Digest, Hasher, Index, Manifest, Platform, annotation};

use crate::error::ImageError;

mod check;
mod writer;

pub use check::Checked;
pub(crate) use writer::{LayoutWriter, index_of, place_blob};

pub(crate) const MARKER: &str = "oci-layout";
pub(crate) const MARKER_CONTENT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
pub(crate) const INDEX: &str = "index.json";
/// What keeps a layout from being a change of the source that it lies in.
const UNSEEN: (&str, &str) = (".gitignore", "*\n");

/// Whether `directory` is a layout that Longshore has written.
pub(crate) fn is_own(directory: &Path) -> bool {
    let (name, content) = UNSEEN;
    directory.join(MARKER).is_file()
        && fs::read_to_string(directory.join(name)).is_ok_and(|text| text == content)
}

/// One image of a layout.
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

    /// Everything that the manifest points to: the layers and the configuration.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        self.manifest.layers.iter().chain([&self.manifest.config])
    }
}

/// An index of a layout: one image per platform.
#[derive(Debug, Clone)]
pub struct StoredIndex {
    /// The index's descriptor.
    pub descriptor: Descriptor,
    /// The index's bytes: what its digest is of.
    pub bytes: Vec<u8>,
    /// The index.
    pub index: Index,
    /// The images, in the order of the index; those that were read.
    pub images: Vec<StoredImage>,
}

/// What a layout holds.
#[derive(Debug, Clone)]
pub enum Stored {
    /// One image.
    Image(Box<StoredImage>),
    /// One image per platform.
    Index(Box<StoredIndex>),
}

impl Stored {
    /// What a tag points to.
    pub fn descriptor(&self) -> &Descriptor {
        match self {
            Self::Image(image) => &image.descriptor,
            Self::Index(index) => &index.descriptor,
        }
    }

    /// What a registry sent for `descriptor`; of an index without its images.
    pub fn received(descriptor: Descriptor, bytes: Vec<u8>) -> Result<Self, ImageError> {
        Ok(match AnyManifest::parse(&descriptor.media_type, &bytes)? {
            AnyManifest::Image(manifest) => Self::Image(Box::new(StoredImage {
                descriptor,
                bytes,
                manifest: *manifest,
            })),
            AnyManifest::Index(index) => Self::Index(Box::new(StoredIndex {
                descriptor,
                bytes,
                index: *index,
                images: Vec::new(),
            })),
        })
    }

    /// The bytes that a tag points to.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Image(image) => &image.bytes,
            Self::Index(index) => &index.bytes,
        }
    }

    /// The annotations of what a tag points to.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        match self {
            Self::Image(image) => &image.manifest.annotations,
            Self::Index(index) => &index.index.annotations,
        }
    }

    /// Bytes that a registry stores for it: what several images have counts once.
    pub fn size(&self) -> u64 {
        let index = match self {
            Self::Image(_) => None,
            Self::Index(index) => Some(&index.descriptor),
        };
        let images = self.images().iter();
        let images = images.flat_map(|image| image.blobs().chain([&image.descriptor]));
        let sizes: BTreeMap<_, _> = images
            .chain(index)
            .map(|descriptor| (descriptor.digest, descriptor.size))
            .collect();
        sizes.values().sum()
    }

    /// The layers of all images, each once.
    pub fn layers(&self) -> Vec<&Descriptor> {
        let mut layers: Vec<&Descriptor> = Vec::new();
        for layer in self
            .images()
            .iter()
            .flat_map(|image| &image.manifest.layers)
        {
            if !layers.iter().any(|other| other.digest == layer.digest) {
                layers.push(layer);
            }
        }
        layers
    }

    /// The image for a platform, such as an engine's. A variant counts where both
    /// sides name one; an image that is not part of an index is for whatever it is
    /// for.
    pub fn image_for(&self, wanted: &Platform) -> Option<&StoredImage> {
        let fits = |image: &&StoredImage| {
            let Some(platform) = &image.descriptor.platform else {
                return true;
            };
            let variants = platform.variant.iter().zip(&wanted.variant);
            platform.os == wanted.os
                && platform.architecture == wanted.architecture
                && variants.into_iter().all(|(one, other)| one == other)
        };
        self.images().iter().find(fits)
    }

    /// The image, or the images of all platforms.
    pub fn images(&self) -> &[StoredImage] {
        match self {
            Self::Image(image) => std::slice::from_ref(&**image),
            Self::Index(index) => &index.images,
        }
    }
}

/// A layout on disk.
#[derive(Debug, Clone)]
pub struct Layout {
    directory: PathBuf,
    index: Index,
    absent: BTreeSet<Digest>,
}

impl Layout {
    /// A layout that exists at `directory`.
    pub fn open(directory: &Path) -> Result<Self, ImageError> {
        let no_layout = |file| ImageError::NoLayout(directory.to_owned(), file);
        if !directory.join(MARKER).is_file() {
            return Err(no_layout(MARKER));
        }
        let file = directory.join(INDEX);
        let bytes = fs::read(&file).map_err(|_| no_layout(INDEX))?;
        let invalid = |reason: String| ImageError::Invalid {
            file: file.clone(),
            reason,
        };
        let index: Index =
            serde_json::from_slice(&bytes).map_err(|error| invalid(error.to_string()))?;
        let absent = index.annotations.get(annotation::ABSENT);
        let absent = absent.map_or("", String::as_str).split(' ');
        let absent = absent.filter(|digest| !digest.is_empty()).map(str::parse);
        let absent = absent
            .collect::<Result<_, _>>()
            .map_err(|error: oci::DigestError| invalid(error.to_string()))?;
        Ok(Self {
            directory: directory.to_owned(),
            index,
            absent,
        })
    }

    /// The file of a blob.
    pub fn blob(&self, digest: &Digest) -> PathBuf {
        blob_path(&self.directory, digest)
    }

    /// The directory of the SHA-256 blobs.
    pub fn blobs(&self) -> PathBuf {
        self.directory.join("blobs/sha256")
    }

    /// Whether the layout leaves out a blob on purpose, because the registry that
    /// it will be pushed to has it: one of a base, or of an earlier image.
    pub fn is_absent(&self, digest: &Digest) -> bool {
        self.absent.contains(digest)
    }

    /// The one image or index of the layout; the digests of all manifests are
    /// verified, those of configurations and layers are not (see
    /// [`Layout::check`]).
    pub fn stored(&self) -> Result<Stored, ImageError> {
        let [descriptor] = self.index.manifests.as_slice() else {
            return Err(self.invalid(format!(
                "it lists {} images; a layout of one image is expected",
                self.index.manifests.len()
            )));
        };
        let bytes = self.document(descriptor)?;
        match AnyManifest::parse(&descriptor.media_type, &bytes)? {
            AnyManifest::Image(_) => Ok(Stored::Image(Box::new(self.manifest(descriptor)?))),
            AnyManifest::Index(index) => {
                let images = index.manifests.iter().map(|image| self.manifest(image));
                Ok(Stored::Index(Box::new(StoredIndex {
                    descriptor: descriptor.clone(),
                    bytes,
                    images: images.collect::<Result<_, _>>()?,
                    index: *index,
                })))
            }
        }
    }

    /// The one image of the layout; its manifest's digest is verified.
    pub fn image(&self) -> Result<StoredImage, ImageError> {
        match self.stored()? {
            Stored::Image(image) => Ok(*image),
            Stored::Index(_) => Err(self.invalid("its image is an index of platforms".to_owned())),
        }
    }

    /// One image, which stands in the layout's list or in an index.
    fn manifest(&self, descriptor: &Descriptor) -> Result<StoredImage, ImageError> {
        let bytes = self.document(descriptor)?;
        match AnyManifest::parse(&descriptor.media_type, &bytes)? {
            AnyManifest::Image(manifest) => Ok(StoredImage {
                descriptor: descriptor.clone(),
                bytes,
                manifest: *manifest,
            }),
            AnyManifest::Index(_) => {
                Err(self.invalid("it lists an index within an index".to_owned()))
            }
        }
    }

    fn invalid(&self, reason: String) -> ImageError {
        ImageError::Invalid {
            file: self.directory.join(INDEX),
            reason,
        }
    }

    /// The bytes of a small blob, verified.
    pub fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, ImageError> {
        self.verify(descriptor)?;
        Ok(fs::read(self.blob(&descriptor.digest))?)
    }

    /// Reads the blob of `descriptor` and makes sure that it is what its name
    /// and size say. A blob that the layout leaves out on purpose is missing here
    /// too: who can do without it asks [`Layout::check`].
    pub fn verify(&self, descriptor: &Descriptor) -> Result<(), ImageError> {
        match verify_blob(&self.blob(&descriptor.digest), descriptor) {
            Err(ImageError::MissingBlob(digest)) if self.absent.contains(&digest) => {
                Err(ImageError::AbsentBlob(digest))
            }
            verified => verified,
        }
    }
}

/// Makes sure that `file` is the blob of `descriptor`: its length and its bytes.
pub fn verify_blob(file: &Path, descriptor: &Descriptor) -> Result<(), ImageError> {
    measure_blob(file, descriptor)?;
    let expected = descriptor.digest;
    let (actual, _) = hash_file_with(file, Hasher::new(expected.algorithm()))?;
    if actual != expected {
        return Err(ImageError::TamperedBlob { expected, actual });
    }
    Ok(())
}

/// Makes sure that `file` is there and has the length of `descriptor`.
fn measure_blob(file: &Path, descriptor: &Descriptor) -> Result<(), ImageError> {
    let digest = descriptor.digest;
    let actual = match fs::metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(ImageError::MissingBlob(digest));
        }
        metadata => metadata?.len(),
    };
    if actual == descriptor.size {
        return Ok(());
    }
    Err(ImageError::WrongSize {
        digest,
        expected: descriptor.size,
        actual,
    })
}

fn blob_path(directory: &Path, digest: &Digest) -> PathBuf {
    let algorithm = digest.algorithm().as_str();
    directory.join("blobs").join(algorithm).join(digest.hex())
}

/// The SHA-256 and the length of a file.
pub(crate) fn hash_file(path: &Path) -> Result<(Digest, u64), ImageError> {
    hash_file_with(path, Hasher::default())
}

fn hash_file_with(path: &Path, mut hasher: Hasher) -> Result<(Digest, u64), ImageError> {
    let mut file = BufReader::with_capacity(1 << 18, fs::File::open(path)?);
    let length = io::copy(&mut file, &mut hasher)?;
    Ok((hasher.finish(), length))
}

#[cfg(test)]
mod tests;
