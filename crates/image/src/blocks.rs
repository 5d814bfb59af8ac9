//! The bytes of a tar, cut into blocks of one size and hashed on the way.

use oci::{Digest, Hasher};

use crate::error::ImageError;
use crate::source_file::SourceFile;

/// Bytes of the tar in one block, which is compressed by itself: as a zstd frame
/// or a gzip member.
///
/// Blocks that do not know each other are what makes the bytes the same for any
/// number of threads, with one mechanism for both compressors. The price was
/// measured against one frame for everything and against zstd's own threads with
/// jobs of this size (docs/benchmarks.md): 0.4 percent on a program, 2.6 on text;
/// with one megabyte it is 1.0 and 11, for 2 MiB is level 3's window.
pub(crate) const BLOCK_BYTES: usize = 2 << 20;

/// What takes a full block, and gives an empty one to go on with.
pub(crate) type Taker<'a> = &'a mut dyn FnMut(Vec<u8>) -> Result<Vec<u8>, ImageError>;

/// The writing end of a tar.
pub(crate) struct Blocks<'a> {
    block: Vec<u8>,
    hasher: Hasher,
    length: u64,
    take: Taker<'a>,
}

impl<'a> Blocks<'a> {
    pub(crate) fn new(take: Taker<'a>) -> Self {
        Self {
            block: Vec::new(),
            hasher: Hasher::default(),
            length: 0,
            take,
        }
    }

    /// Adds bytes.
    pub(crate) fn put(&mut self, mut bytes: &[u8]) -> Result<(), ImageError> {
        while !bytes.is_empty() {
            let room = self.room()?;
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.block.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// Adds the whole of `file`, read straight into the blocks.
    pub(crate) fn put_file(&mut self, file: &mut SourceFile) -> Result<(), ImageError> {
        let mut left = file.size();
        while left > 0 {
            let room = self.room()? as u64;
            left -= file.read_into(&mut self.block, room.min(left))?;
        }
        file.finish()
    }

    /// Gives away the last block; digest and length of everything.
    pub(crate) fn finish(mut self) -> Result<(Digest, u64), ImageError> {
        if !self.block.is_empty() {
            self.give_away()?;
        }
        Ok((self.hasher.finish(), self.length))
    }

    /// Bytes that the block still takes, after a full one has been given away.
    fn room(&mut self) -> Result<usize, ImageError> {
        if self.block.len() == BLOCK_BYTES {
            self.give_away()?;
        }
        Ok(BLOCK_BYTES - self.block.len())
    }

    fn give_away(&mut self) -> Result<(), ImageError> {
        self.hasher.update(&self.block);
        self.length += self.block.len() as u64;
        let full = std::mem::take(&mut self.block);
        self.block = (self.take)(full)?;
        self.block.clear();
        Ok(())
    }
}
