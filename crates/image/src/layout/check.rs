//! A whole layout, verified.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use oci::Descriptor;

use super::{Layout, Stored, measure_blob};
use crate::error::ImageError;

/// What a layout was found to hold.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The image or index.
    pub stored: Stored,
    /// Blobs that are there, and are what their names and sizes say.
    pub present: Vec<Descriptor>,
    /// Blobs that are not there on purpose. Nothing was verified of them: the
    /// registry must have them.
    pub absent: Vec<Descriptor>,
}

impl Layout {
    /// The image or index, once everything that it needs is known to be there with its
    /// length, or to be left out on purpose. Configurations are verified; the bytes of
    /// layers are for whoever reads them.
    pub fn measured(&self) -> Result<Stored, ImageError> {
        let stored = self.stored()?;
        for image in stored.images() {
            for layer in &image.manifest.layers {
                match measure_blob(&self.blob(&layer.digest), layer) {
                    Err(ImageError::MissingBlob(digest)) if self.is_absent(&digest) => {}
                    measured => measured?,
                }
            }
            self.verify(&image.manifest.config)?;
        }
        Ok(stored)
    }

    /// Hashes everything that the layout's image needs, on `threads` threads.
    /// Damage, and a blob that is missing without being left out on purpose, is
    /// an error.
    pub fn check(&self, threads: NonZeroUsize) -> Result<Checked, ImageError> {
        let stored = self.stored()?;
        let mut all: Vec<Descriptor> = Vec::new();
        for descriptor in stored.images().iter().flat_map(super::StoredImage::blobs) {
            if !all.iter().any(|other| other.digest == descriptor.digest) {
                all.push(descriptor.clone());
            }
        }
        let next = AtomicUsize::new(0);
        let results: Vec<_> = thread::scope(|scope| {
            let verify = || {
                let mut results = Vec::new();
                while let Some(blob) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    results.push((blob.clone(), self.verify(blob)));
                }
                results
            };
            let threads: Vec<_> = (0..threads.get().min(all.len()))
                .map(|_| scope.spawn(verify))
                .collect();
            let results = threads.into_iter().map(thread::ScopedJoinHandle::join);
            results.flat_map(Result::unwrap_or_default).collect()
        });
        if results.len() != all.len() {
            return Err(std::io::Error::other("a verifying thread stopped").into());
        }
        let (mut present, mut absent) = (Vec::new(), Vec::new());
        for (blob, result) in results {
            match result {
                Ok(()) => present.push(blob),
                Err(ImageError::AbsentBlob(_)) => absent.push(blob),
                Err(error) => return Err(error),
            }
        }
        Ok(Checked {
            stored,
            present,
            absent,
        })
    }
}
