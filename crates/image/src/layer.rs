//! One layer: entries into a gzip-compressed tar, hashed on the way.

use std::io::{self, Write};
use std::path::Path;

use flate2::{Compression, GzBuilder};
use fs_err as fs;
use oci::{Descriptor, Digest, Hasher, media_type};

use crate::ImageError;
use crate::entry::{Content, Entry, in_order};

/// Level 6 is where zlib's ratio flattens; see docs/benchmarks.md before
/// changing it, for every layer digest changes with it.
const LEVEL: u32 = 6;

/// A layer that is on disk.
#[derive(Debug, Clone)]
pub struct WrittenLayer {
    /// The compressed layer.
    pub descriptor: Descriptor,
    /// The digest of the uncompressed tar, as the image configuration lists it.
    pub diff_id: Digest,
}

/// Writes the layer of `entries` to `file`, in one pass over the bytes.
pub fn write_layer(entries: &[Entry], file: &Path) -> Result<WrittenLayer, ImageError> {
    let output = fs::File::create(file)?;
    // No name, no time, and 255 for the operating system: "unknown".
    let gzip = GzBuilder::new().mtime(0).operating_system(255).write(
        Hashing::new(io::BufWriter::new(output)),
        Compression::new(LEVEL),
    );
    let mut archive = tar::Builder::new(Hashing::new(gzip));
    for entry in in_order(entries)? {
        append(&mut archive, &entry)?;
    }
    let tar = archive.into_inner()?;
    let diff_id = tar.hasher.finish();
    let compressed = tar.inner.finish()?;
    let (digest, size) = (compressed.hasher.finish(), compressed.written);
    let output = compressed
        .inner
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    output.sync_all()?;
    Ok(WrittenLayer {
        descriptor: Descriptor::new(media_type::LAYER_GZIP, digest, size),
        diff_id,
    })
}

fn append<W: Write>(archive: &mut tar::Builder<W>, entry: &Entry) -> Result<(), ImageError> {
    let mut header = tar::Header::new_ustar();
    header.set_mode(entry.mode);
    header.set_uid(entry.owner);
    header.set_gid(entry.owner);
    // A time in a layer would make every commit's layers new.
    header.set_mtime(0);
    match &entry.content {
        Content::Directory => {
            header.set_entry_type(tar::EntryType::Directory);
            header.set_size(0);
            archive.append_data(&mut header, format!("{}/", entry.path), io::empty())?;
        }
        Content::Bytes(bytes) => {
            header.set_entry_type(tar::EntryType::Regular);
            header.set_size(bytes.len() as u64);
            archive.append_data(&mut header, &entry.path, bytes.as_slice())?;
        }
        Content::File(path) => {
            let file = fs::File::open(path)?;
            header.set_entry_type(tar::EntryType::Regular);
            header.set_size(file.metadata()?.len());
            archive.append_data(&mut header, &entry.path, file)?;
        }
    }
    Ok(())
}

/// Hashes and counts what passes through.
struct Hashing<W> {
    inner: W,
    hasher: Hasher,
    written: u64,
}

impl<W> Hashing<W> {
    fn new(inner: W) -> Self {
        Self {
            inner,
            hasher: Hasher::default(),
            written: 0,
        }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::*;

    fn layer_of(entries: &[Entry]) -> (WrittenLayer, Vec<u8>) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("layer");
        let layer = write_layer(entries, &file).unwrap();
        (layer, fs::read(&file).unwrap())
    }

    fn unpacked(compressed: &[u8]) -> Vec<u8> {
        let mut tar = Vec::new();
        flate2::read::GzDecoder::new(compressed)
            .read_to_end(&mut tar)
            .unwrap();
        tar
    }

    #[test]
    fn digest_and_diff_id_are_those_of_the_bytes() {
        let (layer, bytes) = layer_of(&[Entry::text("etc/passwd", "root")]);
        assert_eq!(
            layer.descriptor,
            Descriptor::of(media_type::LAYER_GZIP, &bytes)
        );
        assert_eq!(layer.diff_id, Digest::of(&unpacked(&bytes)));
    }

    #[test]
    fn modes_owners_and_times_are_what_the_entries_say_and_nothing_else() {
        let mut data = Entry::directory("data", 0o700);
        data.owner = 65532;
        let (_, bytes) = layer_of(&[data, Entry::text("a", "x")]);
        let tar = unpacked(&bytes);
        let found: Vec<_> = tar::Archive::new(tar.as_slice())
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let header = entry.header();
                assert_eq!(header.mtime().unwrap(), 0);
                assert_eq!(header.username().unwrap().unwrap_or_default(), "");
                let path = entry.path().unwrap().display().to_string();
                (
                    path,
                    header.mode().unwrap(),
                    header.uid().unwrap(),
                    header.gid().unwrap(),
                )
            })
            .collect();
        let expected = [
            ("a".to_owned(), 0o644, 0, 0),
            ("data/".to_owned(), 0o700, 65532, 65532),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_path_of_three_hundred_characters_is_kept() {
        let path = format!("{}/{}", "d".repeat(150), "f".repeat(150));
        let (_, bytes) = layer_of(&[Entry::text(&path, "x")]);
        let tar = unpacked(&bytes);
        let mut archive = tar::Archive::new(tar.as_slice());
        let last = archive.entries().unwrap().last().unwrap().unwrap();
        assert_eq!(last.path().unwrap().to_str().unwrap(), path);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn the_order_of_entries_does_not_matter(mut names in prop::collection::btree_set("[a-z]{1,8}", 1..6).prop_map(|set| set.into_iter().collect::<Vec<_>>())) {
            let entries = |names: &[String]| names.iter().map(|name| Entry::text(&format!("x/{name}"), name.as_str())).collect::<Vec<_>>();
            let (one, _) = layer_of(&entries(&names));
            names.reverse();
            let (other, _) = layer_of(&entries(&names));
            prop_assert_eq!(one.descriptor, other.descriptor);
        }
    }
}
