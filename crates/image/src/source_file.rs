//! A file of this machine that goes into a layer: read once, and watched while
//! it is read.

use std::io::Read;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use fs_err as fs;

use crate::error::ImageError;

/// What tells a file from what it was before, without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signature {
    device: u64,
    inode: u64,
    pub(crate) size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Signature {
    pub(crate) fn of(metadata: &std::fs::Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// The newer of its two times, in seconds since 1970.
    pub(crate) fn newest(&self) -> i64 {
        self.modified.0.max(self.changed.0)
    }
}

/// A file that is open for packing.
#[derive(Debug)]
pub(crate) struct SourceFile {
    file: fs::File,
    before: Signature,
}

impl SourceFile {
    pub(crate) fn open(path: &Path) -> Result<Self, ImageError> {
        let file = fs::File::open(path)?;
        let before = Signature::of(&file.metadata()?);
        Ok(Self { file, before })
    }

    pub(crate) fn size(&self) -> u64 {
        self.before.size
    }

    /// Adds up to `wanted` bytes to `block`, and says how many.
    pub(crate) fn read_into(
        &mut self,
        block: &mut Vec<u8>,
        wanted: u64,
    ) -> Result<u64, ImageError> {
        let count = (&mut self.file).take(wanted).read_to_end(block)?;
        if count as u64 != wanted {
            return Err(self.has_changed());
        }
        Ok(wanted)
    }

    /// Makes sure that the file is what it was when it was opened: its size is
    /// in a header that has been written.
    pub(crate) fn finish(&mut self) -> Result<(), ImageError> {
        if Signature::of(&self.file.metadata()?) == self.before {
            return Ok(());
        }
        Err(self.has_changed())
    }

    fn has_changed(&self) -> ImageError {
        ImageError::Changed(self.file.path().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_file_that_grows_or_shrinks_while_it_is_read_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("growing");
        fs::write(&path, "12345678").unwrap();

        let mut source = SourceFile::open(&path).unwrap();
        let mut writer = fs::OpenOptions::new().append(true).open(&path).unwrap();
        writer.write_all(b"9").unwrap();
        let mut block = Vec::new();
        source.read_into(&mut block, 8).unwrap();
        let error = source.finish().unwrap_err();
        assert!(matches!(&error, ImageError::Changed(named) if *named == path));
        assert!(error.to_string().contains("growing"), "{error}");

        let mut source = SourceFile::open(&path).unwrap();
        writer.set_len(3).unwrap();
        let error = source.read_into(&mut block, 9).unwrap_err();
        assert!(matches!(error, ImageError::Changed(_)), "{error}");
    }
}
