//! The archive that builders share: a tar with `manifest.json`, a configuration and
//! a tar for each layer, as `docker save` writes it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write as _};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use fs_err as fs;
use oci::{Digest, Hasher, ImageConfig};
use serde::Deserialize;

use super::window::Window;
use crate::error::ImageError;

/// What a document of an archive may have; those of real images have kilobytes.
const LARGEST_DOCUMENT: u64 = 16 << 20;
/// What a layer may unpack to: more than ECR takes of one that is compressed, and less than
/// what a few megabytes of compressed zeros could fill.
const LARGEST_LAYER: u64 = 64 << 30;
/// What Docker Engine runs at most.
const MOST_LAYERS: usize = 125;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// What the headers of an entry may have, with long names and pax records, which are
/// held in memory.
const LARGEST_HEADERS: u64 = 1 << 20;

/// A tar of which the headers are read and contents are skipped: what an entry may say
/// of itself is limited, before any of it is believed.
pub(super) struct Headers<'a> {
    window: Window<'a>,
    left: &'a Cell<u64>,
}

impl<'a> Headers<'a> {
    /// The tar that `window` shows; `left` is to be [`Self::refill`]ed before each entry.
    pub(super) fn new(window: Window<'a>, left: &'a Cell<u64>) -> Self {
        Self { window, left }
    }

    /// Allows the headers of another entry.
    pub(super) fn refill(left: &Cell<u64>) {
        left.set(LARGEST_HEADERS);
    }
}

impl Read for Headers<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        // One more than allowed tells the end from too many.
        let wanted = usize::try_from(left + 1).unwrap_or(usize::MAX);
        let wanted = wanted.min(buffer.len());
        let count = self.window.read(&mut buffer[..wanted])?;
        if count as u64 > left {
            return Err(io::Error::other(format!(
                "an entry has more than {LARGEST_HEADERS} bytes of headers"
            )));
        }
        self.left.set(left - count as u64);
        Ok(count)
    }
}

impl Seek for Headers<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.window.seek(to)
    }
}

/// An archive of one image.
pub(super) struct Archive {
    file: fs::File,
    /// Where the bytes of each of its files are, and how many; links of the oldest
    /// form have been followed.
    files: BTreeMap<String, (u64, u64)>,
    image: Listed,
}

/// A layer's tar in a file, uncompressed.
pub(super) struct LayerData {
    pub(super) file: fs::File,
    /// Where in the file the tar begins.
    pub(super) start: u64,
    pub(super) length: u64,
}

/// One image of `manifest.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    config: String,
    layers: Vec<String>,
}

impl Archive {
    pub(super) fn open(path: &Path) -> Result<Self, ImageError> {
        let file = fs::File::open(path)?;
        let files = files(&file)?;
        let mut archive = Self {
            file,
            files,
            image: Listed {
                config: String::new(),
                layers: Vec::new(),
            },
        };
        let listed = archive.document("manifest.json")?;
        let listed: Vec<Listed> = serde_json::from_slice(&listed)
            .map_err(|error| foreign(format!("its `manifest.json`: {error}")))?;
        let [image] = <[Listed; 1]>::try_from(listed)
            .map_err(|listed| foreign(format!("it lists {} images", listed.len())))?;
        if image.layers.len() > MOST_LAYERS {
            return Err(ImageError::TooManyLayers(image.layers.len()));
        }
        archive.image = image;
        Ok(archive)
    }

    /// The configuration, whose name is its digest.
    pub(super) fn config(&self) -> Result<ImageConfig, ImageError> {
        let name = &self.image.config;
        let bytes = self.document(name)?;
        let hex = name.strip_suffix(".json").unwrap_or(name);
        let hex = hex.rsplit('/').next().unwrap_or(hex);
        let named: Digest = format!("sha256:{hex}").parse().map_err(|_| {
            foreign(format!(
                "its configuration `{name}` is not named by a digest"
            ))
        })?;
        let actual = Digest::of(&bytes);
        if actual != named {
            return Err(foreign(format!(
                "its configuration hashes to {actual} and is named {named}"
            )));
        }
        let config: ImageConfig = serde_json::from_slice(&bytes)
            .map_err(|error| foreign(format!("its configuration: {error}")))?;
        let (listed, hashed) = (self.layers(), config.rootfs.diff_ids.len());
        if listed != hashed {
            return Err(foreign(format!(
                "it lists {listed} layers, its configuration {hashed}"
            )));
        }
        Ok(config)
    }

    pub(super) fn layers(&self) -> usize {
        self.image.layers.len()
    }

    /// A layer, which must be what the configuration says.
    pub(super) fn layer(
        &self,
        number: usize,
        diff_ids: &[Digest],
    ) -> Result<LayerData, ImageError> {
        let (Some(name), Some(expected)) = (self.image.layers.get(number), diff_ids.get(number))
        else {
            return Err(foreign(format!("it has no layer {number}")));
        };
        let (start, length) = self.find(name)?;
        let beside = self.file.path().parent().unwrap_or(Path::new("."));
        let mut data = plain(self.reader()?, (start, length), beside)?;
        let actual = data.digest()?;
        if actual != *expected {
            return Err(foreign(format!(
                "layer {} hashes to {actual}, its configuration says {expected}",
                number + 1
            )));
        }
        Ok(data)
    }

    fn document(&self, name: &str) -> Result<Vec<u8>, ImageError> {
        let (start, length) = self.find(name)?;
        if length > LARGEST_DOCUMENT {
            return Err(foreign(format!("its `{name}` has {length} bytes")));
        }
        let mut file = self.reader()?;
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn find(&self, name: &str) -> Result<(u64, u64), ImageError> {
        let found = self.files.get(name).copied();
        found.ok_or_else(|| foreign(format!("its archive has no `{name}`")))
    }

    /// Another handle of the same file: this one's place is its own.
    fn reader(&self) -> Result<fs::File, ImageError> {
        Ok(fs::File::open(self.file.path())?)
    }
}

impl LayerData {
    /// A reader of the whole tar.
    pub(super) fn reader(&mut self) -> Result<impl Read + '_, ImageError> {
        self.file.seek(SeekFrom::Start(self.start))?;
        Ok((&mut self.file).take(self.length))
    }

    fn digest(&mut self) -> Result<Digest, ImageError> {
        let mut hasher = Hasher::default();
        let mut reader = BufReader::with_capacity(1 << 17, self.reader()?);
        io::copy(&mut reader, &mut hasher)?;
        Ok(hasher.finish())
    }
}

/// Where the files of an archive are. The oldest form has a layer that was there
/// before as a link to it.
fn files(file: &fs::File) -> Result<BTreeMap<String, (u64, u64)>, ImageError> {
    let left = Cell::new(0);
    let length = file.metadata()?.len();
    let mut archive = tar::Archive::new(Headers::new(Window::new(file, (0, length)), &left));
    let mut files = BTreeMap::new();
    let mut links = Vec::new();
    let broken = |error: io::Error| foreign(format!("its archive is damaged: {error}"));
    Headers::refill(&left);
    for entry in archive.entries_with_seek().map_err(broken)? {
        Headers::refill(&left);
        let entry = entry.map_err(broken)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        match entry.header().entry_type() {
            tar::EntryType::Regular | tar::EntryType::Continuous => {
                files.insert(name, (entry.raw_file_position(), entry.size()));
            }
            tar::EntryType::Symlink | tar::EntryType::Link => {
                let target = entry.link_name_bytes().unwrap_or_default();
                links.push((name, String::from_utf8_lossy(&target).into_owned()));
            }
            _ => {}
        }
    }
    for (name, target) in links {
        let last: Vec<_> = target.split('/').filter(|part| *part != "..").collect();
        if let Some(place) = files.get(&last.join("/")).copied() {
            files.insert(name, place);
        }
    }
    // A file of which the end is missing would be read as one that is shorter.
    match files
        .iter()
        .find(|(_, (start, size))| start.saturating_add(*size) > length)
    {
        Some((name, _)) => Err(foreign(format!("its archive ends within `{name}`"))),
        None => Ok(files),
    }
}

/// The tar of a layer: in place, or unpacked to a file in `beside` that has no name.
fn plain(
    mut file: fs::File,
    (start, length): (u64, u64),
    beside: &Path,
) -> Result<LayerData, ImageError> {
    let mut magic = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    (&mut file).take(length.min(4)).read_to_end(&mut magic)?;
    file.seek(SeekFrom::Start(start))?;
    let compressed = file.take(length);
    let mut reader: Box<dyn Read> = if magic.starts_with(&GZIP) {
        Box::new(MultiGzDecoder::new(compressed))
    } else if magic.starts_with(&ZSTD) {
        Box::new(zstd::Decoder::new(compressed)?)
    } else {
        let file = compressed.into_inner();
        return Ok(LayerData {
            file,
            start,
            length,
        });
    };
    let named = tempfile::NamedTempFile::new_in(beside)?;
    let mut output = named.as_file();
    let length =
        io::copy(&mut (&mut reader).take(LARGEST_LAYER + 1), &mut output).map_err(unpacked)?;
    if length > LARGEST_LAYER {
        let text = format!("a layer unpacks to more than {LARGEST_LAYER} bytes");
        return Err(foreign(text));
    }
    output.flush()?;
    // Open, and without a name: it goes when nobody reads it any more.
    let file = fs::File::open(named.path())?;
    Ok(LayerData {
        file,
        start: 0,
        length,
    })
}

/// A full disk is no fault of the archive.
fn unpacked(error: io::Error) -> ImageError {
    match error.kind() {
        io::ErrorKind::StorageFull => error.into(),
        _ => foreign(format!("a layer cannot be unpacked: {error}")),
    }
}

pub(super) fn foreign(reason: String) -> ImageError {
    ImageError::Foreign(reason)
}
