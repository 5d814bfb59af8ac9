//! What a lifecycle policy sees of an image.

use jiff::{SignedDuration, Timestamp};
use oci::Digest;

use super::super::contents::Contents;
use super::super::storage_class::ImageStatus;
use super::rule::StorageClass;

/// One image of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Image {
    pub(super) digest: Digest,
    pub(super) tags: Vec<String>,
    pub(super) pushed: Timestamp,
    pub(super) pulled: Option<Timestamp>,
    /// `last_archived_at`.
    pub(super) archived: Option<Timestamp>,
    /// `last_activated_at`.
    pub(super) activated: Option<Timestamp>,
    /// `None` while the image is being restored: no rule selects it then
    /// (inferred).
    pub(super) class: Option<StorageClass>,
    /// The images that a manifest list names.
    pub(super) children: Vec<Digest>,
    /// What a reference artifact is about.
    pub(super) subject: Option<Digest>,
}

impl Image {
    /// The images of a repository at `now`.
    pub(super) fn all(contents: &Contents, now: Timestamp) -> Vec<Self> {
        contents
            .images
            .values()
            .map(|image| Self {
                digest: image.descriptor.digest,
                tags: contents.tags_of(&image.descriptor.digest).to_vec(),
                pushed: image.pushed,
                pulled: image.pulled,
                archived: image.storage.archived(),
                activated: image.storage.activated(now),
                class: match image.storage.status(now) {
                    ImageStatus::Active => Some(StorageClass::Standard),
                    ImageStatus::Archived => Some(StorageClass::Archive),
                    ImageStatus::Activating => None,
                },
                children: image.children.clone(),
                subject: image.subject,
            })
            .collect()
    }

    /// The time by which images are ordered and aged: `pushed_at`, or
    /// `last_activated_at` of an image that was ever restored.
    pub(super) fn age_reference(&self) -> Timestamp {
        self.activated.unwrap_or(self.pushed)
    }

    /// The time since which nobody pulled the image.
    pub(super) fn pull_reference(&self) -> Timestamp {
        let pulled = self.pulled.unwrap_or(self.pushed);
        self.activated
            .map_or(pulled, |activated| activated.max(pulled))
    }
}

/// The last moment at which something of the age `reference` is not yet older
/// than `days`. `None` when no clock gets there.
pub(super) fn threshold(reference: Timestamp, days: u64) -> Option<Timestamp> {
    let hours = i64::try_from(days).ok()?.checked_mul(24)?;
    let duration = SignedDuration::from_secs(hours.checked_mul(3600)?);
    reference.checked_add(duration).ok()
}
