//! One chunk of an upload, on its way in.

use std::io::{Seek as _, SeekFrom, Write as _};

use bytes::Bytes;

use super::beside::Hashing;
use super::session::Session;
use super::{BlobError, Upload, reserve};

/// ECR's largest layer (service quotas: 52,000 MiB).
const MAXIMUM_LAYER: u64 = 52_000 * 1024 * 1024;

/// Bytes that are being added to an upload. Unless `end` is called they are
/// forgotten, and the upload is as it was.
pub(crate) struct Chunk<'u, 'a> {
    upload: &'u mut Upload<'a>,
    length: u64,
    /// `None` once the chunk has ended or failed.
    hashing: Option<Hashing>,
}

impl<'u, 'a> Chunk<'u, 'a> {
    pub(super) fn new(upload: &'u mut Upload<'a>) -> Self {
        let hasher = upload.session().map(|session| session.hasher.clone());
        Self {
            upload,
            length: 0,
            hashing: hasher.ok().map(Hashing::new),
        }
    }

    /// Bytes of the chunk so far.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Adds bytes. After an error the upload is no more.
    pub(crate) fn append(&mut self, bytes: &Bytes) -> Result<(), BlobError> {
        let appended = self.try_append(bytes);
        if appended.is_err() {
            self.hashing = None;
            self.upload.end();
        }
        appended
    }

    fn try_append(&mut self, bytes: &Bytes) -> Result<(), BlobError> {
        reserve::check(self.upload.root())?;
        let session = self.upload.session()?;
        let hashing = self.hashing.as_mut().ok_or(BlobError::UploadUnknown)?;
        let added = bytes.len() as u64;
        if session.received + self.length + added > MAXIMUM_LAYER {
            let limit = MAXIMUM_LAYER;
            return Err(BlobError::TooLarge { limit });
        }
        hashing.update(bytes)?;
        session.file.write_all(bytes)?;
        session.syncing.written(&session.file, added)?;
        self.length += added;
        Ok(())
    }

    /// Makes the bytes a part of the upload.
    pub(crate) fn end(mut self) -> Result<(), BlobError> {
        let hashing = self.hashing.take().ok_or(BlobError::UploadUnknown)?;
        let hasher = hashing.finish();
        let session = self.upload.session()?;
        session.hasher = hasher?;
        session.received += self.length;
        if self.length > 0 {
            session.chunks.end(session.received);
        }
        Ok(())
    }
}

impl Drop for Chunk<'_, '_> {
    fn drop(&mut self) {
        let is_open = self.hashing.take().is_some();
        if let (true, Ok(session)) = (is_open, self.upload.session())
            && let Err(error) = rewind(session)
        {
            tracing::warn!(%error, "a chunk could not be taken back: its upload ends");
            self.upload.end();
        }
    }
}

/// Takes away what is in the file beyond what the upload has received.
fn rewind(session: &mut Session) -> std::io::Result<()> {
    session.file.set_len(session.received)?;
    session.file.seek(SeekFrom::Start(session.received))?;
    Ok(())
}
