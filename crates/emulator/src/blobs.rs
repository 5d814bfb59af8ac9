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
mod pins;
mod reserve;
mod session;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fs_err as fs;
use jiff::{SignedDuration, Timestamp};
use oci::{Algorithm, Digest};

use crate::durable::sync_entries;
use crate::random;
pub(crate) use download::DownloadSigner;
pub(crate) use error::BlobError;
use file::Shards;
use pins::Pins;
pub(crate) use session::{Progress, Upload};
use session::{Session, Slot};

/// The directory of uploads, in the data directory.
pub(crate) const UPLOADS: &str = "uploads";

const ALGORITHMS: [Algorithm; 2] = [Algorithm::Sha256, Algorithm::Sha512];

/// An upload that nobody touched for so long is given up.
const UPLOAD_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// The content of all repositories of one data directory.
#[derive(Debug)]
pub(crate) struct Blobs {
    root: PathBuf,
    shards: Shards,
    sessions: Mutex<HashMap<String, Slot>>,
    pins: Pins,
    signer: DownloadSigner,
}

impl Blobs {
    /// Opens the content under `data`. The caller has made sure that no other
    /// process uses it.
    pub(crate) fn open(data: &Path) -> Result<Self, BlobError> {
        let root = data.to_path_buf();
        let uploads = root.join(UPLOADS);
        let kinds = ALGORITHMS.map(|algorithm| root.join("blobs").join(algorithm.as_str()));
        if !uploads.exists() || !kinds.iter().all(|kind| kind.exists()) {
            kinds.iter().try_for_each(fs::create_dir_all)?;
            sync_entries(&root.join("blobs"))?;
            sync_entries(&root)?;
            // Made last: where it is, all of this is on disk.
            fs::create_dir_all(&uploads)?;
        }
        Ok(Self {
            root,
            shards: Shards::default(),
            sessions: Mutex::new(HashMap::new()),
            pins: Pins::default(),
            signer: DownloadSigner::random(),
        })
    }

    /// Signs and checks addresses that give a blob to whoever holds them.
    pub(crate) fn signer(&self) -> &DownloadSigner {
        &self.signer
    }

    /// Forgets what lives no longer than the records: uploads, whose files are
    /// garbage then, and addresses that were handed out. No upload may be in the
    /// hands of a request.
    pub(crate) fn forget(&self) {
        self.lock().clear();
        self.signer.renew();
    }

    /// Starts an upload to the repository of the key `repository`, and returns
    /// its identifier, a UUID.
    pub(crate) fn begin(&self, repository: &str, now: Timestamp) -> Result<String, BlobError> {
        reserve::check(&self.root)?;
        let id = random::uuid();
        // A file without a session would be a leftover: the session comes first.
        self.lock().insert(id.clone(), Slot::Busy);
        let created = Session::create(&self.upload_path(&id), repository.to_owned(), now);
        let mut sessions = self.lock();
        match created {
            Ok(session) => sessions.insert(id.clone(), Slot::Idle(Box::new(session))),
            Err(error) => {
                sessions.remove(&id);
                return Err(error);
            }
        };
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

    /// How far the upload `id` of `repository` has come. Whoever only asks does not take
    /// it: a request that brings more bytes at this moment finds it free.
    pub(crate) fn progress(
        &self,
        repository: &str,
        id: &str,
        now: Timestamp,
    ) -> Result<Progress, BlobError> {
        match self.lock().get_mut(id) {
            Some(Slot::Idle(session)) if session.repository == repository => {
                session.touched = now;
                Ok(session.progress())
            }
            Some(Slot::Busy) => Err(BlobError::UploadBusy),
            Some(Slot::Idle(_)) | None => Err(BlobError::UploadUnknown),
        }
    }

    /// Whether there is a file of the blob, as long as the blob is. Its bytes are
    /// not looked at.
    pub(crate) fn is_whole(&self, digest: &Digest, size: u64) -> bool {
        fs::metadata(self.path(digest)).is_ok_and(|metadata| metadata.len() == size)
    }

    /// Opens a blob for reading.
    pub(crate) fn open_blob(&self, digest: &Digest) -> Result<fs::File, BlobError> {
        fs::File::open(self.path(digest)).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => BlobError::Damaged { digest: *digest },
            _ => error.into(),
        })
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
        self.root.join(UPLOADS).join(id)
    }

    /// Removes the uploads that nobody touched for a day, and the files of those
    /// that a kill has ended. Returns how many.
    pub(crate) fn give_up(&self, now: Timestamp) -> Result<u64, BlobError> {
        let mut given_up = 0;
        self.lock().retain(|_, slot| match slot {
            Slot::Idle(session) if now.duration_since(session.touched) > UPLOAD_LIFETIME => {
                session.remove();
                given_up += 1;
                false
            }
            _ => true,
        });
        for entry in fs::read_dir(self.root.join(UPLOADS))? {
            let entry = entry?;
            let is_live = |id: &str| self.lock().contains_key(id);
            if !entry.file_name().to_str().is_some_and(is_live) {
                file::remove_quietly(&entry.path());
                given_up += 1;
            }
        }
        Ok(given_up)
    }

    /// Calls `visit` with every blob that has a file.
    pub(crate) fn each_blob<E: From<BlobError>>(
        &self,
        mut visit: impl FnMut(Digest) -> Result<(), E>,
    ) -> Result<(), E> {
        for algorithm in ALGORITHMS {
            let directory = self.root.join("blobs").join(algorithm.as_str());
            for shard in fs::read_dir(directory).map_err(BlobError::from)? {
                let shard = shard.map_err(BlobError::from)?.path();
                if !shard.is_dir() {
                    continue;
                }
                for file in fs::read_dir(shard).map_err(BlobError::from)? {
                    let name = file.map_err(BlobError::from)?.file_name();
                    let digest = format!("{}:{}", algorithm.as_str(), name.to_string_lossy());
                    if let Ok(digest) = digest.parse() {
                        visit(digest)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Removes the file of a blob, unless it is about to be recorded or
    /// `is_recorded` says that it is. Returns the size of what was removed.
    pub(crate) fn remove_unless<E: From<BlobError>>(
        &self,
        digest: &Digest,
        is_recorded: impl FnOnce() -> Result<bool, E>,
    ) -> Result<Option<u64>, E> {
        let path = self.path(digest);
        let remove = || {
            if is_recorded()? {
                return Ok(None);
            }
            let size = fs::metadata(&path).map_err(BlobError::from)?.len();
            fs::remove_file(&path).map_err(BlobError::from)?;
            Ok(Some(size))
        };
        self.pins.unless_pinned(digest, remove).unwrap_or(Ok(None))
    }

    /// A panic while the lock is held leaves the map whole, so poison is no news.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Slot>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
