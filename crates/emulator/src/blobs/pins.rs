//! Blobs that are about to be recorded.
//!
//! Between the moment at which a file is put in place and the one at which a
//! record names it, it looks like one that nobody needs. A pin, taken before the
//! first and let go after the second, tells the collector otherwise.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use oci::Digest;

/// How many pins each digest has.
#[derive(Debug, Default)]
pub(super) struct Pins(Mutex<HashMap<Digest, usize>>);

impl Pins {
    pub(super) fn pin(&self, digest: &Digest) -> Pin<'_> {
        *self.lock().entry(*digest).or_default() += 1;
        Pin {
            pins: self,
            digest: *digest,
        }
    }

    /// Runs `work` unless `digest` is pinned. Nobody can pin anything until it
    /// has ended.
    pub(super) fn unless_pinned<R>(&self, digest: &Digest, work: impl FnOnce() -> R) -> Option<R> {
        let pins = self.lock();
        (!pins.contains_key(digest)).then(work)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a blob's file until it is dropped.
#[derive(Debug)]
pub(crate) struct Pin<'a> {
    pins: &'a Pins,
    digest: Digest,
}

impl Drop for Pin<'_> {
    fn drop(&mut self) {
        let mut pins = self.pins.lock();
        if let Some(count) = pins.get_mut(&self.digest) {
            *count -= 1;
            if *count == 0 {
                pins.remove(&self.digest);
            }
        }
    }
}
