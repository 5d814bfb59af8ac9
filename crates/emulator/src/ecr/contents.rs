//! All images and tags of one repository, at one moment: for policies, which are
//! about all of them. `lookup` is for everything else.

use std::collections::BTreeMap;

use oci::{Digest, RepositoryName};

use super::records::{IMAGES, Image, TAGS, content_prefix, tag_prefix};
use super::{Call, EcrError, Registry};
use crate::store::{StoreError, View as _, Writer};

/// The images of a repository and the tags that point to them.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) images: BTreeMap<Digest, Image>,
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
        let mut by_image: BTreeMap<Digest, Vec<String>> = BTreeMap::new();
        for (key, digest) in tags {
            if let Some((_, tag)) = key.split_once(':') {
                by_image.entry(digest).or_default().push(tag.to_owned());
            }
        }
        let images = images.into_iter().map(|(_, image)| image);
        Self {
            images: images
                .map(|image| (image.descriptor.digest, image))
                .collect(),
            by_image,
        }
    }

    /// The tags of an image, sorted.
    pub(super) fn tags_of(&self, digest: &Digest) -> &[String] {
        self.by_image.get(digest).map_or(&[], Vec::as_slice)
    }
}

/// The tags of a repository, sorted: at most `limit` after `after`.
pub(crate) fn tag_names(
    call: Call<'_>,
    name: &RepositoryName,
    after: &str,
    limit: usize,
) -> Result<Vec<String>, EcrError> {
    let prefix = tag_prefix(call.registry, name);
    let after = format!("{prefix}{after}");
    let tags = call
        .state
        .store
        .read::<_, EcrError>(|reader| Ok(reader.page(&TAGS, &prefix, &after, limit)?))?;
    let names = tags
        .into_iter()
        .filter_map(|(key, _)| Some(key.strip_prefix(&prefix)?.to_owned()));
    Ok(names.collect())
}
