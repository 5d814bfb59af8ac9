//! Content on disk: blobs by digest, and uploads on their way to become blobs.
//!
//! `<data>/blobs/<algorithm>/<2 hex>/<hex>` holds content; `<data>/uploads/<id>`
//! holds bytes of which the digest is not proven yet. A blob that was
//! acknowledged has been synced, with its directory. Which repository may see
//! a blob is not known here: that is a record of the store (`ecr::records`).

mod beside;
mod chunk;
mod download;
mod error;
mod file;
mod session;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fs_err as fs;
use jiff::{SignedDuration, Timestamp};
use oci::{Algorithm, Digest};

use crate::random;
pub(crate) use download::DownloadSigner;
pub(crate) use error::BlobError;
pub(crate) use session::Upload;
use session::{Session, Slot};

/// An upload that nobody touched for so long is given up.
const UPLOAD_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// The content of all repositories of one data directory.
#[derive(Debug)]
pub(crate) struct Blobs {
    root: PathBuf,
    sessions: Mutex<HashMap<String, Slot>>,
    signer: DownloadSigner,
}

impl Blobs {
    /// Opens the content under `data`, and removes what interrupted uploads
    /// left. The caller has made sure that no other process uses `data`.
    pub(crate) fn open(data: &Path) -> Result<Self, BlobError> {
        let root = data.to_path_buf();
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            fs::create_dir_all(root.join("blobs").join(algorithm.as_str()))?;
        }
        let uploads = root.join("uploads");
        if uploads.exists() {
            fs::remove_dir_all(&uploads)?;
        }
        fs::create_dir_all(&uploads)?;
        file::sync_directory(&root.join("blobs"))?;
        file::sync_directory(&root)?;
        Ok(Self {
            root,
            sessions: Mutex::new(HashMap::new()),
            signer: DownloadSigner::random(),
        })
    }

    /// Signs and checks addresses that give a blob to whoever holds them.
    pub(crate) fn signer(&self) -> &DownloadSigner {
        &self.signer
    }

    /// Starts an upload to the repository of the key `repository`, and returns
    /// its identifier, a UUID.
    pub(crate) fn begin(&self, repository: &str, now: Timestamp) -> Result<String, BlobError> {
        self.give_up_idle(now);
        let id = random::uuid();
        let session = Session::create(&self.upload_path(&id), repository.to_owned(), now)?;
        self.lock()
            .insert(id.clone(), Slot::Idle(Box::new(session)));
        Ok(id)
    }

    /// Takes the upload `id` of `repository` for one request. It goes back when
    /// the returned value is dropped; until then others get `UploadBusy`.
    pub(crate) fn upload(
        &self,
        repository: &str,
        id: &str,
        now: Timestamp,
    ) -> Result<Upload<'_>, BlobError> {
        let mut sessions = self.lock();
        let slot = sessions.get_mut(id).ok_or(BlobError::UploadUnknown)?;
        match std::mem::replace(slot, Slot::Busy) {
            Slot::Idle(mut session) if session.repository == repository => {
                session.touched = now;
                Ok(Upload::new(self, id.to_owned(), session))
            }
            Slot::Idle(session) => {
                *slot = Slot::Idle(session);
                Err(BlobError::UploadUnknown)
            }
            Slot::Busy => Err(BlobError::UploadBusy),
        }
    }

    /// Stores `bytes`, whose digest is `digest`, durably.
    pub(crate) fn put(&self, digest: &Digest, bytes: &[u8]) -> Result<(), BlobError> {
        let temporary = self.upload_path(&random::uuid());
        let written = file::write(&temporary, bytes)
            .and_then(|()| file::install(&temporary, &self.path(digest)));
        if written.is_err() {
            file::remove_quietly(&temporary);
        }
        Ok(written?)
    }

    /// All bytes of a blob. For manifests, whose size is bounded; a layer is
    /// streamed from `open_blob`.
    pub(crate) fn read(&self, digest: &Digest) -> Result<Vec<u8>, BlobError> {
        Ok(fs::read(self.path(digest))?)
    }

    /// Opens a blob for reading.
    pub(crate) fn open_blob(&self, digest: &Digest) -> Result<fs::File, BlobError> {
        Ok(fs::File::open(self.path(digest))?)
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.root
            .join("blobs")
            .join(digest.algorithm().as_str())
            .join(&hex[..2])
            .join(&hex)
    }

    fn upload_path(&self, id: &str) -> PathBuf {
        self.root.join("uploads").join(id)
    }

    fn give_up_idle(&self, now: Timestamp) {
        self.lock().retain(|_, slot| match slot {
            Slot::Idle(session) if now.duration_since(session.touched) > UPLOAD_LIFETIME => {
                session.remove();
                false
            }
            _ => true,
        });
    }

    /// A panic while the lock is held leaves the map whole, so poison is no news.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Slot>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
