//! A part of a file, read at a place of its own.

use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt as _;

use fs_err as fs;

/// Reads `length` bytes of a file from `start` on; the file's own position stays.
#[derive(Debug)]
pub(super) struct Window<'a> {
    file: &'a std::fs::File,
    start: u64,
    length: u64,
    position: u64,
}

impl<'a> Window<'a> {
    pub(super) fn new(file: &'a fs::File, (start, length): (u64, u64)) -> Self {
        Self {
            file: file.file(),
            start,
            length,
            position: 0,
        }
    }
}

impl Read for Window<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = self.length.saturating_sub(self.position);
        let rest = usize::try_from(rest).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(rest);
        if wanted == 0 {
            return Ok(0);
        }
        let place = self.start.saturating_add(self.position);
        let count = self.file.read_at(&mut buffer[..wanted], place)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Window<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
        };
        let out = || io::Error::from(io::ErrorKind::InvalidInput);
        self.position = position.ok_or_else(out)?;
        Ok(self.position)
    }
}
