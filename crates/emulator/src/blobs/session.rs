//! One upload: bytes that arrive in pieces, hashed as they are written.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use fs_err as fs;
use jiff::Timestamp;
use oci::{Algorithm, Digest, Hasher};

use super::beside::Syncing;
use super::chunk::Chunk;
use super::pins::Pin;
use super::{BlobError, Blobs, file};

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
    pub(super) file: fs::File,
    /// Has seen what was received.
    pub(super) hasher: Hasher,
    pub(super) syncing: Syncing,
    /// Bytes in chunks that have ended.
    pub(super) received: u64,
    pub(super) chunks: Chunks,
}

/// How far an upload has come, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Received so far.
    pub(crate) received: u64,
    /// Received in the first chunk, at which ECR's `Range` header sticks.
    pub(crate) first_chunk: u64,
}

/// How the bytes of an upload were cut, in bytes.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    count: usize,
    first: Option<u64>,
    last: Option<u64>,
    smallest_but_last: Option<u64>,
    total: u64,
}

impl Chunks {
    /// Says that the bytes up to `received` which were in no chunk are one.
    pub(super) fn end(&mut self, received: u64) {
        let size = received - self.total;
        self.count += 1;
        self.total = received;
        self.first.get_or_insert(size);
        if let Some(before) = self.last.replace(size) {
            let smallest = self.smallest_but_last.unwrap_or(u64::MAX);
            self.smallest_but_last = Some(smallest.min(before));
        }
    }
}

impl Session {
    pub(super) fn progress(&self) -> Progress {
        Progress {
            received: self.received,
            first_chunk: self.chunks.first.unwrap_or_default(),
        }
    }

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
            syncing: Syncing::default(),
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

    /// How far it has come.
    pub(crate) fn progress(&self) -> Progress {
        let session = self.session.as_ref();
        session.map_or_else(Progress::default, |session| session.progress())
    }

    /// How many chunks there were.
    pub(crate) fn chunk_count(&self) -> usize {
        self.session
            .as_ref()
            .map_or(0, |session| session.chunks.count)
    }

    /// Bytes in the smallest chunk that is not the last, if there are several.
    pub(crate) fn smallest_inner_chunk(&self) -> Option<u64> {
        self.session.as_ref()?.chunks.smallest_but_last
    }

    /// Begins a chunk after what was received.
    pub(crate) fn chunk(&mut self) -> Chunk<'_, 'a> {
        Chunk::new(self)
    }

    /// Ends the upload: what arrived becomes the blob `expected`, durably, or
    /// is thrown away.
    pub(crate) fn finish(mut self, expected: &Digest) -> Result<Finished<'a>, BlobError> {
        let pin = self.blobs.pins.pin(expected);
        let blobs = self.blobs;
        let installed = self.session().and_then(|session| {
            let actual = session.digest(expected.algorithm())?;
            if actual != *expected {
                let expected = *expected;
                return Err(BlobError::Digest { expected, actual });
            }
            session.syncing.end()?;
            session.file.sync_all()?;
            blobs.shards.install(&session.path, &blobs.path(expected))?;
            Ok(session.received)
        });
        self.end();
        installed.map(|size| Finished { size, _pin: pin })
    }

    /// Ends the upload and throws away what arrived.
    pub(crate) fn discard(mut self) {
        self.end();
    }

    /// Where everything is kept.
    pub(super) fn root(&self) -> &'a Path {
        &self.blobs.root
    }

    pub(super) fn session(&mut self) -> Result<&mut Session, BlobError> {
        self.session.as_deref_mut().ok_or(BlobError::UploadUnknown)
    }

    pub(super) fn end(&mut self) {
        if let Some(session) = self.session.take() {
            session.remove();
            self.blobs.lock().remove(&self.id);
        }
    }
}

/// A blob that is in its place. It may be recorded as long as this lives.
#[derive(Debug)]
pub(crate) struct Finished<'a> {
    size: u64,
    _pin: Pin<'a>,
}

impl Finished<'_> {
    /// The blob's size in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
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
