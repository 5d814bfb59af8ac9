//! All images and tags of one repository, at one moment.

use std::collections::BTreeMap;

use oci::{Digest, RepositoryName};

use super::lifecycle::PREVIEWS;
use super::parameters::ImageIdentifier;
use super::records::{BLOBS, IMAGES, Image, TAGS, content_prefix, repository_key, tag_prefix};
use super::{Call, EcrError, Registry};
use crate::store::{StoreError, Writer};

/// The images of a repository and the tags that point to them.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) images: BTreeMap<Digest, Image>,
    pub(crate) tags: BTreeMap<String, Digest>,
    /// The tags of each image, sorted.
    by_image: BTreeMap<Digest, Vec<String>>,
}

/// Why an image id names no image: a code and a reason of the batch operations.
pub(super) type Failure = (&'static str, String);

impl Contents {
    /// Reads the contents of a repository.
    pub(crate) fn read(call: Call<'_>, name: &RepositoryName) -> Result<Self, EcrError> {
        call.state.store.read(|reader| {
            Ok(Self::of(
                reader.list(&IMAGES, &content_prefix(call.registry, name))?,
                reader.list(&TAGS, &tag_prefix(call.registry, name))?,
            ))
        })
    }

    /// The contents as a transaction sees them.
    pub(super) fn in_transaction(
        writer: &Writer,
        registry: &Registry,
        name: &RepositoryName,
    ) -> Result<Self, StoreError> {
        Ok(Self::of(
            writer.list(&IMAGES, &content_prefix(registry, name))?,
            writer.list(&TAGS, &tag_prefix(registry, name))?,
        ))
    }

    fn of(images: Vec<(String, Image)>, tags: Vec<(String, Digest)>) -> Self {
        let tags: BTreeMap<String, Digest> = tags
            .into_iter()
            .filter_map(|(key, digest)| Some((key.split_once(':')?.1.to_owned(), digest)))
            .collect();
        let mut by_image: BTreeMap<Digest, Vec<String>> = BTreeMap::new();
        for (tag, digest) in &tags {
            by_image.entry(*digest).or_default().push(tag.clone());
        }
        let images = images.into_iter().map(|(_, image)| image);
        Self {
            images: images
                .map(|image| (image.descriptor.digest, image))
                .collect(),
            tags,
            by_image,
        }
    }

    /// The tags of an image, sorted.
    pub(super) fn tags_of(&self, digest: &Digest) -> &[String] {
        self.by_image.get(digest).map_or(&[], Vec::as_slice)
    }

    /// Forgets a tag, as the records of a transaction do.
    pub(super) fn untag(&mut self, tag: &str) {
        if let Some(digest) = self.tags.remove(tag)
            && let Some(tags) = self.by_image.get_mut(&digest)
        {
            tags.retain(|other| other != tag);
        }
    }

    /// The image that `wanted` names; a failure is the request's.
    pub(super) fn named(
        &self,
        call: Call<'_>,
        name: &RepositoryName,
        wanted: &ImageIdentifier,
    ) -> Result<&Image, EcrError> {
        self.resolve(wanted).map_err(|(code, reason)| {
            if code == "ImageNotFound" {
                EcrError::image_not_found(&wanted.in_words(), name, call.account())
            } else {
                EcrError::parameter("imageId", &reason)
            }
        })
    }

    /// The image that `wanted` names. The reasons are AWS's.
    pub(super) fn resolve(&self, wanted: &ImageIdentifier) -> Result<&Image, Failure> {
        let not_found = || ("ImageNotFound", "Requested image not found".to_owned());
        let digest = match &wanted.image_digest {
            Some(text) => Some(text.parse::<Digest>().map_err(|_| {
                (
                    "InvalidImageDigest",
                    "Invalid request parameters: image digest should satisfy the regex \
                     '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"
                        .to_owned(),
                )
            })?),
            None => None,
        };
        let digest = match (digest, &wanted.image_tag) {
            (Some(digest), None) => digest,
            (digest, Some(tag)) => match (digest, self.tags.get(tag)) {
                (_, None) => return Err(not_found()),
                (Some(digest), Some(tagged)) if digest != *tagged => {
                    return Err((
                        "ImageTagDoesNotMatchDigest",
                        "Requested image tag does not match the requested image digest".to_owned(),
                    ));
                }
                (_, Some(tagged)) => *tagged,
            },
            (None, None) => {
                return Err((
                    "MissingDigestAndTag",
                    "Invalid request parameters: both tag and digest cannot be null".to_owned(),
                ));
            }
        };
        self.images.get(&digest).ok_or_else(not_found)
    }

    /// The digests of the indexes that list `digest`.
    pub(super) fn parents_of(&self, digest: &Digest) -> Vec<Digest> {
        self.images
            .values()
            .filter(|image| image.children.contains(digest))
            .map(|image| image.descriptor.digest)
            .collect()
    }
}

/// The tags of a repository, sorted.
pub(crate) fn tag_names(call: Call<'_>, name: &RepositoryName) -> Result<Vec<String>, EcrError> {
    let prefix = tag_prefix(call.registry, name);
    let tags = call
        .state
        .store
        .read::<_, EcrError>(|reader| Ok(reader.list(&TAGS, &prefix)?))?;
    let names = tags
        .into_iter()
        .filter_map(|(key, _)| Some(key.strip_prefix(&prefix)?.to_owned()));
    Ok(names.collect())
}

/// Removes every record of what a repository holds. Bytes stay on disk: another
/// repository may hold the same.
pub(super) fn remove_all(
    writer: &Writer,
    registry: &Registry,
    name: &RepositoryName,
) -> Result<(), StoreError> {
    let prefix = content_prefix(registry, name);
    for (key, _) in writer.list(&IMAGES, &prefix)? {
        writer.remove(&IMAGES, &key)?;
    }
    for (key, _) in writer.list(&BLOBS, &prefix)? {
        writer.remove(&BLOBS, &key)?;
    }
    for (key, _) in writer.list(&TAGS, &tag_prefix(registry, name))? {
        writer.remove(&TAGS, &key)?;
    }
    writer.remove(&PREVIEWS, &repository_key(registry, name))
}
