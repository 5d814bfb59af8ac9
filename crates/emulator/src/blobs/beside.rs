//! What is done beside the writing of a large upload, so that the network, the
//! disk and the hash work at the same time: hashing, and syncing what was
//! written already.
//!
//! Both take a thread, so both begin only when an upload turns out to be large.

use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use fs_err as fs;
use oci::Hasher;

/// From here on, bytes are hashed by a thread of their own.
const LARGE: u64 = 8 << 20;
/// Pieces that wait to be hashed.
const WAITING: usize = 4;
/// Bytes that are written before they are synced.
const UNSYNCED: u64 = 32 << 20;

/// Computes the digest of the pieces of one request, in their order.
#[derive(Debug)]
pub(super) struct Hashing {
    /// `None` while the thread has it.
    hasher: Option<Hasher>,
    thread: Option<(SyncSender<Bytes>, JoinHandle<Hasher>)>,
    hashed: u64,
}

impl Hashing {
    /// Goes on where `hasher` is.
    pub(super) fn new(hasher: Hasher) -> Self {
        Self {
            hasher: Some(hasher),
            thread: None,
            hashed: 0,
        }
    }

    pub(super) fn update(&mut self, bytes: &Bytes) -> io::Result<()> {
        self.hashed += bytes.len() as u64;
        if self.hashed > LARGE
            && let Some(hasher) = self.hasher.take()
        {
            self.thread = Some(begin(hasher)?);
        }
        match (&mut self.hasher, &self.thread) {
            (Some(hasher), _) => hasher.update(bytes),
            (None, Some((sender, _))) => sender.send(bytes.clone()).map_err(|_| lost())?,
            (None, None) => return Err(lost()),
        }
        Ok(())
    }

    /// The hasher, once it has seen everything.
    pub(super) fn finish(self) -> io::Result<Hasher> {
        match (self.hasher, self.thread) {
            (Some(hasher), _) => Ok(hasher),
            (None, Some((sender, thread))) => {
                drop(sender);
                thread.join().map_err(|_| lost())
            }
            (None, None) => Err(lost()),
        }
    }
}

fn begin(mut hasher: Hasher) -> io::Result<(SyncSender<Bytes>, JoinHandle<Hasher>)> {
    let (sender, receiver) = sync_channel::<Bytes>(WAITING);
    let hash = move || {
        for bytes in receiver {
            hasher.update(&bytes);
        }
        hasher
    };
    Ok((sender, thread::Builder::new().spawn(hash)?))
}

fn lost() -> io::Error {
    io::Error::other("the thread that hashes an upload is gone")
}

/// Syncs an upload while it grows, so that little is left to sync at its end.
#[derive(Debug, Default)]
pub(super) struct Syncing {
    thread: Option<JoinHandle<io::Result<()>>>,
    unsynced: u64,
}

impl Syncing {
    /// Says that `bytes` more were written to `file`. At most one sync runs at a
    /// time. The error is that of a sync that has ended: the system tells it to
    /// only one who asks.
    pub(super) fn written(&mut self, file: &fs::File, bytes: u64) -> io::Result<()> {
        self.unsynced += bytes;
        let is_running = |thread: &JoinHandle<_>| !thread.is_finished();
        if self.unsynced < UNSYNCED || self.thread.as_ref().is_some_and(is_running) {
            return Ok(());
        }
        self.end()?;
        self.unsynced = 0;
        let file = file.file().try_clone()?;
        self.thread = Some(thread::Builder::new().spawn(move || file.sync_data())?);
        Ok(())
    }

    /// Waits for the sync that runs, if one does.
    pub(super) fn end(&mut self) -> io::Result<()> {
        let gone = || io::Error::other("the thread that syncs an upload is gone");
        match self.thread.take().map(JoinHandle::join) {
            Some(result) => result.map_err(|_| gone())?,
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use oci::Digest;

    use super::*;

    #[test]
    fn much_is_hashed_like_little() {
        let piece = Bytes::from(vec![7; 1 << 20]);
        for pieces in [0, 3, 12] {
            let mut hashing = Hashing::new(Hasher::default());
            for _ in 0..pieces {
                hashing.update(&piece).unwrap();
            }
            assert_eq!(hashing.thread.is_some(), pieces > 8);
            let digest = hashing.finish().unwrap().finish();
            assert_eq!(digest, Digest::of(&piece.repeat(pieces)));
        }
    }
}
