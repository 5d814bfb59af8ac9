//! One upload: bytes that arrive in pieces, hashed as they are written.

use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use fs_err as fs;
use jiff::Timestamp;
use oci::{Algorithm, Digest, Hasher};

use super::{BlobError, Blobs, file};

/// ECR's largest layer (service quotas: 52,000 MiB).
const MAXIMUM_LAYER: u64 = 52_000 * 1024 * 1024;

/// What the table of uploads holds for one identifier.
#[derive(Debug)]
pub(super) enum Slot {
    /// Waiting for its next request.
    Idle(Box<Session>),
    /// In the hands of a request.
    Busy,
}

/// The state of an upload between requests.
#[derive(Debug)]
pub(super) struct Session {
    /// Key of the repository that the upload is for.
    pub(super) repository: String,
    pub(super) touched: Timestamp,
    path: PathBuf,
    file: fs::File,
    hasher: Hasher,
    received: u64,
    chunks: Chunks,
}

/// How the bytes of an upload were cut, in bytes.
#[derive(Debug, Default)]
struct Chunks {
    first: Option<u64>,
    last: Option<u64>,
    smallest_but_last: Option<u64>,
    total: u64,
}

impl Chunks {
    /// Says that the bytes up to `received` which were in no chunk are one.
    fn end(&mut self, received: u64) {
        let size = received - self.total;
        self.total = received;
        self.first.get_or_insert(size);
        if let Some(before) = self.last.replace(size) {
            let smallest = self.smallest_but_last.unwrap_or(u64::MAX);
            self.smallest_but_last = Some(smallest.min(before));
        }
    }
}

impl Session {
    pub(super) fn create(
        path: &Path,
        repository: String,
        now: Timestamp,
    ) -> Result<Self, BlobError> {
        Ok(Self {
            repository,
            touched: now,
            path: path.to_path_buf(),
            file: fs::File::create_new(path)?,
            hasher: Hasher::default(),
            received: 0,
            chunks: Chunks::default(),
        })
    }

    /// The digest of what arrived. SHA-256 is computed on the way; any other
    /// algorithm, which is known only at the end, reads the file again.
    fn digest(&self, algorithm: Algorithm) -> io::Result<Digest> {
        if algorithm == Algorithm::Sha256 {
            return Ok(self.hasher.clone().finish());
        }
        let mut hasher = Hasher::new(algorithm);
        let mut file = fs::File::open(&self.path)?;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(hasher.finish()),
                count => hasher.update(&buffer[..count]),
            }
        }
    }

    pub(super) fn remove(&self) {
        file::remove_quietly(&self.path);
    }

    #[cfg(test)]
    pub(super) fn write_to(&mut self, file: fs::File) {
        self.file = file;
    }
}

/// A point to which an upload can go back.
pub(crate) struct Mark {
    hasher: Hasher,
    received: u64,
}

/// An upload in the hands of one request.
pub(crate) struct Upload<'a> {
    blobs: &'a Blobs,
    id: String,
    /// `None` once the upload has ended.
    session: Option<Box<Session>>,
}

impl<'a> Upload<'a> {
    pub(super) fn new(blobs: &'a Blobs, id: String, session: Box<Session>) -> Self {
        Self {
            blobs,
            id,
            session: Some(session),
        }
    }

    /// Bytes received so far.
    pub(crate) fn received(&self) -> u64 {
        self.session.as_ref().map_or(0, |session| session.received)
    }

    /// Bytes received in the first chunk, at which ECR's `Range` header sticks.
    pub(crate) fn first_chunk(&self) -> u64 {
        self.session
            .as_ref()
            .and_then(|session| session.chunks.first)
            .unwrap_or(0)
    }

    /// Bytes in the smallest chunk that is not the last, if there are several.
    pub(crate) fn smallest_inner_chunk(&self) -> Option<u64> {
        self.session.as_ref()?.chunks.smallest_but_last
    }

    /// The point to which `rewind` goes back.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            hasher: self
                .session
                .as_ref()
                .map(|session| session.hasher.clone())
                .unwrap_or_default(),
            received: self.received(),
        }
    }

    /// Adds bytes. After an error the upload is no more.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        let session = self.session.as_mut().ok_or(BlobError::UploadUnknown)?;
        let total = session.received + bytes.len() as u64;
        let written = if total > MAXIMUM_LAYER {
            Err(BlobError::TooLarge {
                limit: MAXIMUM_LAYER,
            })
        } else {
            session.file.write_all(bytes).map_err(BlobError::from)
        };
        match written {
            Ok(()) => {
                session.hasher.update(bytes);
                session.received = total;
                Ok(())
            }
            Err(error) => {
                self.end();
                Err(error)
            }
        }
    }

    /// Says that what was appended since the last chunk was one chunk.
    pub(crate) fn end_chunk(&mut self) {
        if let Some(session) = &mut self.session {
            session.chunks.end(session.received);
        }
    }

    /// Forgets what was appended since `mark`.
    pub(crate) fn rewind(&mut self, mark: Mark) -> Result<(), BlobError> {
        let session = self.session.as_mut().ok_or(BlobError::UploadUnknown)?;
        session.file.set_len(mark.received)?;
        session.file.seek(SeekFrom::Start(mark.received))?;
        session.hasher = mark.hasher;
        session.received = mark.received;
        Ok(())
    }

    /// Ends the upload: what arrived becomes the blob `expected`, durably, or
    /// is thrown away. Returns the size of the blob in bytes.
    pub(crate) fn finish(mut self, expected: &Digest) -> Result<u64, BlobError> {
        let session = self.session.as_ref().ok_or(BlobError::UploadUnknown)?;
        let received = session.received;
        let result = match session.digest(expected.algorithm()) {
            Ok(actual) if actual == *expected => session
                .file
                .sync_all()
                .and_then(|()| file::install(&session.path, &self.blobs.path(expected)))
                .map_err(BlobError::from),
            Ok(actual) => Err(BlobError::Digest {
                expected: *expected,
                actual,
            }),
            Err(error) => Err(error.into()),
        };
        self.end();
        result.map(|()| received)
    }

    /// Ends the upload and throws away what arrived.
    pub(crate) fn discard(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(session) = self.session.take() {
            session.remove();
            self.blobs.lock().remove(&self.id);
        }
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            self.blobs
                .lock()
                .insert(std::mem::take(&mut self.id), Slot::Idle(session));
        }
    }
}
