//! Recipes and their layouts, for the tests of this crate.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::num::NonZeroUsize;
use std::path::Path;

use fs_err as fs;
use oci::{Descriptor, Platform, media_type};
use tempfile::TempDir;

use crate::{
    Assembly, Compression, Entry, ImageError, LayerKind, LayerRecipe, LayerStore, Layout, Recipe,
    StoredImage, SystemFiles, assemble,
};

/// A recipe with a system layer and one layer of `entries`.
pub(crate) fn recipe(entries: Vec<Entry>) -> Recipe {
    let system = SystemFiles {
        writable: &["/data".to_owned()],
        ..SystemFiles::default()
    };
    Recipe {
        base: None,
        layers: vec![
            LayerRecipe::new(LayerKind::System, system.entries()),
            LayerRecipe::new(LayerKind::Assets("/a".to_owned()), entries),
        ],
        compression: Compression::ZSTD,
        platform: Platform::linux("amd64"),
        entrypoint: vec!["/a".to_owned()],
        user: Some("65532:65532".to_owned()),
        working_directory: None,
        ports: vec![8080],
        environment: BTreeMap::new(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::from([("k".to_owned(), "v".to_owned())]),
        created: "2026-01-01T00:00:00Z".to_owned(),
        inputs: None,
    }
}

/// A layout in a directory of its own.
pub(crate) struct Built {
    pub(crate) directory: TempDir,
    pub(crate) layout: Layout,
    pub(crate) image: StoredImage,
}

impl Built {
    pub(crate) fn new(recipe: &Recipe, threads: usize) -> Self {
        Self::try_new(recipe, threads).unwrap()
    }

    pub(crate) fn try_new(recipe: &Recipe, threads: usize) -> Result<Self, ImageError> {
        let directory = tempfile::tempdir().unwrap();
        let store = LayerStore::open(&directory.path().join("layers"))?;
        let place = directory.path().join("layout");
        let layout = assemble(recipe, &place, with_threads(&store, threads))?;
        let image = layout.image()?;
        Ok(Self {
            directory,
            layout,
            image,
        })
    }
}

pub(crate) fn with_threads(store: &LayerStore, threads: usize) -> Assembly<'_> {
    Assembly {
        threads: NonZeroUsize::new(threads).unwrap(),
        ..Assembly::new(store)
    }
}

/// The tar of a layer.
pub(crate) fn unpacked(layout: &Layout, layer: &Descriptor) -> Vec<u8> {
    let bytes = fs::read(layout.blob(&layer.digest)).unwrap();
    let mut tar = Vec::new();
    if layer.media_type == media_type::LAYER_ZSTD {
        tar = zstd::decode_all(bytes.as_slice()).unwrap();
    } else {
        let mut members = flate2::read::MultiGzDecoder::new(bytes.as_slice());
        members.read_to_end(&mut tar).unwrap();
    }
    tar
}

/// Bytes that do not compress and are the same in every run.
pub(crate) fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// Writes a file and gives it a time.
pub(crate) fn write_at(path: &Path, bytes: &[u8], seconds: u64) {
    fs::write(path, bytes).unwrap();
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}

/// The names in a tar, in their order; `NAME -> TARGET` for links.
pub(crate) fn tar_names(tar: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(tar);
    let name = |entry: tar::Entry<'_, &[u8]>| {
        let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        match entry.link_name().unwrap() {
            Some(target) => format!("{path} -> {}", target.display()),
            None => path,
        }
    };
    archive
        .entries()
        .unwrap()
        .map(|entry| name(entry.unwrap()))
        .collect()
}
