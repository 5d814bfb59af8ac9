//! What a layer is made of, as digests that cost no reading of files.

use std::path::PathBuf;

use fs_err as fs;
use oci::{Digest, Hasher};

use crate::compatibility::COMPATIBILITY;
use crate::entry::{Content, Entry};
use crate::error::ImageError;
use crate::source_file::Signature;

/// A layer's entries in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    /// Of paths, modes, owners, links, and of the size, place and times of each
    /// file: equal means that nothing has changed.
    pub(crate) seen: Digest,
    /// Of the same without place and times: different means that the layer is
    /// certainly another one.
    pub(crate) shape: Digest,
    /// The newest time of any file, in seconds since 1970. A file can still
    /// change within the tick of its clock without showing it.
    pub(crate) newest: i64,
    files: Vec<(PathBuf, Signature)>,
}

impl Fingerprint {
    /// Of `entries`, in their order.
    pub(crate) fn of(entries: &[Entry]) -> Result<Self, ImageError> {
        let mut seen = Hasher::default();
        let mut shape = Hasher::default();
        let mut newest = 0;
        let mut both = |text: String| {
            seen.update(text.as_bytes());
            shape.update(text.as_bytes());
        };
        both(format!("layer {COMPATIBILITY}\n"));
        let mut files = Vec::new();
        for entry in entries {
            let Entry {
                path, mode, owner, ..
            } = entry;
            let content = match &entry.content {
                Content::Directory => "directory".to_owned(),
                Content::Symlink(target) => format!("link {target:?}"),
                Content::Bytes(bytes) => format!("bytes {}", Digest::of(bytes)),
                Content::File(file) => {
                    let signature = Signature::of(&fs::metadata(file)?);
                    newest = newest.max(signature.newest());
                    let size = signature.size;
                    files.push((file.clone(), signature));
                    format!("file {size}")
                }
            };
            both(format!("{path:?} {mode:o} {owner} {content}\n"));
        }
        for (_, signature) in &files {
            seen.update(format!("{signature:?}\n").as_bytes());
        }
        Ok(Self {
            seen: seen.finish(),
            shape: shape.finish(),
            newest,
            files,
        })
    }

    /// Makes sure that the files are still what they were.
    pub(crate) fn still_holds(&self) -> Result<(), ImageError> {
        for (file, before) in &self.files {
            if Signature::of(&fs::metadata(file)?) != *before {
                return Err(ImageError::Changed(file.clone()));
            }
        }
        Ok(())
    }
}
