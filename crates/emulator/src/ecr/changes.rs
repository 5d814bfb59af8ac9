//! Changes of what a repository holds. Only these functions write the records
//! by which images, tags and blobs are found, so that they agree.

use jiff::{SignedDuration, Timestamp};
use oci::{Digest, RepositoryName};

use super::Registry;
use super::lifecycle::PREVIEWS;
use super::lookup::Lookup;
use super::records::{
    BLOBS, Blob, HOLDERS, IMAGE_COUNTS, IMAGES, Image, MANIFESTS, REFERENCES, TAGGED, TAGS,
    blob_of, content_key, content_prefix, holder_key, reference_key, repository_key, tag_key,
    tag_prefix, tagged_key,
};
use crate::store::{StoreError, Table, Writer};

/// How exactly the time is kept at which a blob was last promised to somebody.
const PROMISE_RESOLUTION: SignedDuration = SignedDuration::from_hours(1);

/// A repository that is being changed.
#[derive(Clone, Copy)]
pub(crate) struct Changes<'a, 'w> {
    writer: &'a Writer<'w>,
    registry: &'a Registry,
    name: &'a RepositoryName,
}

impl<'a, 'w> Changes<'a, 'w> {
    pub(crate) fn new(
        writer: &'a Writer<'w>,
        registry: &'a Registry,
        name: &'a RepositoryName,
    ) -> Self {
        Self {
            writer,
            registry,
            name,
        }
    }

    /// The repository as the change sees it.
    pub(crate) fn lookup(&self) -> Lookup<'a, Writer<'w>> {
        Lookup::new(self.writer, self.registry, self.name)
    }

    /// Adds an image that is not there, with its document.
    pub(super) fn add_image(&self, image: &Image, manifest: &str) -> Result<(), StoreError> {
        let digest = &image.descriptor.digest;
        self.update_image(image)?;
        let key = content_key(self.registry, self.name, digest);
        self.writer.put(&MANIFESTS, &key, &manifest.to_owned())?;
        for (target, reference) in image.references() {
            let key = reference_key(self.registry, self.name, (&target, reference), image);
            self.writer.put(&REFERENCES, &key, &())?;
        }
        self.count(1)
    }

    /// Writes the record of an image that is there.
    pub(super) fn update_image(&self, image: &Image) -> Result<(), StoreError> {
        let key = content_key(self.registry, self.name, &image.descriptor.digest);
        self.writer.put(&IMAGES, &key, image)
    }

    /// Removes an image and its tags, if it is there. Its blobs stay until they
    /// are collected.
    pub(super) fn remove_image(&self, digest: &Digest) -> Result<(), StoreError> {
        let Some(image) = self.lookup().image(digest)? else {
            return Ok(());
        };
        for tag in self.lookup().tags_of(digest)? {
            self.remove_tag(&tag)?;
        }
        for (target, reference) in image.references() {
            let key = reference_key(self.registry, self.name, (&target, reference), &image);
            self.writer.remove(&REFERENCES, &key)?;
        }
        let key = content_key(self.registry, self.name, digest);
        self.writer.remove(&MANIFESTS, &key)?;
        self.writer.remove(&IMAGES, &key)?;
        self.count(-1)
    }

    /// Lets a tag point to an image that is there.
    pub(super) fn set_tag(&self, tag: &str, digest: &Digest) -> Result<(), StoreError> {
        self.remove_tag(tag)?;
        let key = tag_key(self.registry, self.name, tag);
        self.writer.put(&TAGS, &key, digest)?;
        let key = tagged_key(self.registry, self.name, digest, tag);
        self.writer.put(&TAGGED, &key, &())
    }

    /// Removes a tag, if it is there.
    pub(super) fn remove_tag(&self, tag: &str) -> Result<(), StoreError> {
        if let Some(digest) = self.lookup().tagged(tag)? {
            let key = tagged_key(self.registry, self.name, &digest, tag);
            self.writer.remove(&TAGGED, &key)?;
            let key = tag_key(self.registry, self.name, tag);
            self.writer.remove(&TAGS, &key)?;
        }
        Ok(())
    }

    /// How many images there are.
    pub(super) fn images(&self) -> Result<u64, StoreError> {
        let key = repository_key(self.registry, self.name);
        let count = self.writer.get(&IMAGE_COUNTS, &key)?;
        Ok(count.unwrap_or_default())
    }

    fn count(&self, more: i64) -> Result<(), StoreError> {
        let key = repository_key(self.registry, self.name);
        let count = self.images()?.saturating_add_signed(more);
        self.writer.put(&IMAGE_COUNTS, &key, &count)
    }

    /// Adds a blob whose bytes are on disk, or promises it anew.
    pub(super) fn put_blob(
        &self,
        digest: &Digest,
        size: u64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let key = content_key(self.registry, self.name, digest);
        let blob = Blob {
            size,
            promised: now,
        };
        self.writer.put(&BLOBS, &key, &blob)?;
        self.writer.put(&HOLDERS, &self.holder(digest), &())
    }

    /// Removes a blob; whether it was there.
    pub(super) fn remove_blob(&self, digest: &Digest) -> Result<bool, StoreError> {
        let key = content_key(self.registry, self.name, digest);
        let was_there = self.writer.get(&BLOBS, &key)?.is_some();
        self.writer.remove(&HOLDERS, &self.holder(digest))?;
        self.writer.remove(&BLOBS, &key)?;
        Ok(was_there)
    }

    fn holder(&self, digest: &Digest) -> String {
        let repository = repository_key(self.registry, self.name);
        holder_key(&digest.to_string(), &repository)
    }

    /// Removes everything that the repository holds.
    pub(super) fn remove_all(&self) -> Result<(), StoreError> {
        let content = content_prefix(self.registry, self.name);
        self.remove_below(&IMAGES, &content)?;
        self.remove_below(&MANIFESTS, &content)?;
        self.remove_below(&REFERENCES, &content)?;
        for (key, _) in self.writer.list(&BLOBS, &content)? {
            if let Some((repository, digest)) = blob_of(&key) {
                self.writer
                    .remove(&HOLDERS, &holder_key(digest, repository))?;
            }
            self.writer.remove(&BLOBS, &key)?;
        }
        self.remove_below(&TAGGED, &content)?;
        self.remove_below(&TAGS, &tag_prefix(self.registry, self.name))?;
        let repository = repository_key(self.registry, self.name);
        self.writer.remove(&IMAGE_COUNTS, &repository)?;
        self.writer.remove(&PREVIEWS, &repository)
    }

    fn remove_below<T: serde::de::DeserializeOwned>(
        &self,
        table: &Table<T>,
        prefix: &str,
    ) -> Result<(), StoreError> {
        for (key, _) in self.writer.list(table, prefix)? {
            self.writer.remove(table, &key)?;
        }
        Ok(())
    }
}

impl Blob {
    /// Whether the promise must be written again when it is made again at `now`.
    pub(super) fn is_stale(&self, now: Timestamp) -> bool {
        now.duration_since(self.promised) > PROMISE_RESOLUTION
    }
}
