//! What a repository holds, looked up record by record: no answer takes longer
//! because the repository holds more.

use jiff::Timestamp;
use oci::{Digest, RepositoryName};

use super::contents::Failure;
use super::parameters::ImageIdentifier;
use super::records::{
    IMAGES, Image, MANIFESTS, REFERENCES, Reference, TAGGED, TAGS, content_key, content_prefix,
    reference_prefix, referring_image, tag_key, tagged_prefix,
};
use super::storage_class::ImageStatus;
use super::{Call, EcrError, Registry};
use crate::store::{StoreError, View};

/// References that are read at a time: most things have few.
const BATCH: usize = 32;
/// Images that are read at a time.
const IMAGES_BATCH: usize = 256;

/// One repository, as `view` shows it.
#[derive(Clone, Copy)]
pub(crate) struct Lookup<'a, V> {
    view: &'a V,
    registry: &'a Registry,
    name: &'a RepositoryName,
}

impl<'a, V: View> Lookup<'a, V> {
    pub(crate) fn new(view: &'a V, registry: &'a Registry, name: &'a RepositoryName) -> Self {
        Self {
            view,
            registry,
            name,
        }
    }

    pub(crate) fn image(&self, digest: &Digest) -> Result<Option<Image>, StoreError> {
        let key = content_key(self.registry, self.name, digest);
        self.view.get(&IMAGES, &key)
    }

    /// The document of an image. Both are written together, so one without the
    /// other is damage.
    pub(super) fn document(&self, image: &Image) -> Result<String, EcrError> {
        let digest = &image.descriptor.digest;
        let key = content_key(self.registry, self.name, digest);
        self.view.get(&MANIFESTS, &key)?.ok_or_else(|| {
            let name = self.name;
            EcrError::server(format!(
                "the data directory is damaged: the manifest {digest} of '{name}' is missing; \
                 push the image again after its deletion"
            ))
        })
    }

    /// What a tag points to. A text that is no tag points to nothing.
    pub(crate) fn tagged(&self, tag: &str) -> Result<Option<Digest>, StoreError> {
        let key = tag_key(self.registry, self.name, tag);
        self.view.get(&TAGS, &key)
    }

    /// The tags of an image, sorted.
    pub(super) fn tags_of(&self, digest: &Digest) -> Result<Vec<String>, StoreError> {
        let prefix = tagged_prefix(self.registry, self.name, digest);
        let tags = self.view.list(&TAGGED, &prefix)?;
        Ok(tags
            .into_iter()
            .filter_map(|(key, ())| Some(key.strip_prefix(&prefix)?.to_owned()))
            .collect())
    }

    /// The image that `wanted` names. The reasons are AWS's.
    pub(super) fn resolve(
        &self,
        wanted: &ImageIdentifier,
    ) -> Result<Result<Image, Failure>, StoreError> {
        let tagged = match &wanted.image_tag {
            Some(tag) => self.tagged(tag)?,
            None => None,
        };
        let digest = match wanted.digest(tagged) {
            Ok(digest) => digest,
            Err(failure) => return Ok(Err(failure)),
        };
        Ok(self.image(&digest)?.ok_or_else(not_found))
    }

    /// The image that `wanted` names; a failure is the request's.
    pub(super) fn named(
        &self,
        call: Call<'_>,
        wanted: &ImageIdentifier,
    ) -> Result<Image, EcrError> {
        self.resolve(wanted)?.map_err(|(code, reason)| {
            if code == NOT_FOUND {
                EcrError::image_not_found(&wanted.in_words(), self.name, call.account())
            } else {
                EcrError::parameter("imageId", &reason)
            }
        })
    }

    /// The digests of the indexes that list `digest`.
    pub(super) fn parents_of(&self, digest: &Digest) -> Result<Vec<Digest>, StoreError> {
        let keys = self.referring(digest, Reference::Child, "", usize::MAX)?;
        Ok(keys.iter().filter_map(|key| referring_image(key)).collect())
    }

    /// The manifests that speak about `subject`, sorted by digest.
    pub(super) fn referrers_of(&self, subject: &Digest) -> Result<Vec<Image>, StoreError> {
        let keys = self.referring(subject, Reference::Subject, "", usize::MAX)?;
        let mut digests: Vec<_> = keys.iter().filter_map(|key| referring_image(key)).collect();
        digests.sort_unstable();
        let images = digests.iter().map(|digest| self.image(digest));
        images.filter_map(Result::transpose).collect()
    }

    /// How `blob` is used: by an image that can be pulled, if there is one, else
    /// by one that cannot.
    pub(super) fn use_of(&self, blob: &Digest, now: Timestamp) -> Result<Use, StoreError> {
        let mut found = Use::None;
        let mut after = String::new();
        loop {
            let users = self.referring(blob, Reference::Blob, &after, BATCH)?;
            for user in users.iter().filter_map(|key| referring_image(key)) {
                match self.image(&user)?.map(|image| image.storage.status(now)) {
                    Some(ImageStatus::Active) => return Ok(Use::Active),
                    Some(_) => found = Use::Archived,
                    None => {}
                }
            }
            let Some(last) = users.last().filter(|_| users.len() == BATCH) else {
                return Ok(found);
            };
            after.clone_from(last);
        }
    }

    /// The keys, after `after`, of the references to `digest` as `reference`.
    fn referring(
        &self,
        digest: &Digest,
        reference: Reference,
        after: &str,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        let prefix = reference_prefix(self.registry, self.name, digest, reference);
        let found = self.view.page(&REFERENCES, &prefix, after, limit)?;
        Ok(found.into_iter().map(|(key, ())| key).collect())
    }

    /// Goes through the images in the order of their digests' texts, after that
    /// of `after`, as long as `visit` says that it wants more.
    pub(super) fn each_image<E: From<StoreError>>(
        &self,
        after: &str,
        mut visit: impl FnMut(Image) -> Result<bool, E>,
    ) -> Result<(), E> {
        let prefix = content_prefix(self.registry, self.name);
        let mut after = format!("{prefix}{after}");
        loop {
            let images = self.view.page(&IMAGES, &prefix, &after, IMAGES_BATCH)?;
            let is_last = images.len() < IMAGES_BATCH;
            for (key, image) in images {
                after = key;
                if !visit(image)? {
                    return Ok(());
                }
            }
            if is_last {
                return Ok(());
            }
        }
    }
}

/// Which images of the repository have a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// At least one that can be pulled.
    Active,
    /// Only some that cannot.
    Archived,
    None,
}

const NOT_FOUND: &str = "ImageNotFound";

fn not_found() -> Failure {
    (NOT_FOUND, "Requested image not found".to_owned())
}

impl ImageIdentifier {
    /// The digest that is meant, where the tag points to `tagged`.
    fn digest(&self, tagged: Option<Digest>) -> Result<Digest, Failure> {
        let digest = match &self.image_digest {
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
        match (digest, &self.image_tag, tagged) {
            (Some(digest), None, _) => Ok(digest),
            (None, None, _) => Err((
                "MissingDigestAndTag",
                "Invalid request parameters: both tag and digest cannot be null".to_owned(),
            )),
            (_, Some(_), None) => Err(not_found()),
            (Some(digest), Some(_), Some(tagged)) if digest != tagged => Err((
                "ImageTagDoesNotMatchDigest",
                "Requested image tag does not match the requested image digest".to_owned(),
            )),
            (_, Some(_), Some(tagged)) => Ok(tagged),
        }
    }
}
