//! What the store holds about repositories and images.
//!
//! Every key says the registry first, `ACCOUNT/REGION/`. What belongs to a
//! repository goes on with its name and a character that no name contains, so
//! that a prefix finds one repository's records and no other's. Keys are made
//! by the functions here and nowhere else.

use std::collections::BTreeMap;

use jiff::Timestamp;
use oci::{Descriptor, Digest, RepositoryName};
use serde::{Deserialize, Serialize};

use super::Registry;
use super::mutability::Mutability;
use super::storage_class::Storage;
use crate::store::Table;

/// Repositories by `ACCOUNT/REGION/NAME`.
pub(crate) const REPOSITORIES: Table<Repository> = Table::new("ecr/repositories");
/// Blobs that a repository may see, by `ACCOUNT/REGION/NAME@DIGEST`: those that
/// were uploaded to it.
pub(crate) const BLOBS: Table<Blob> = Table::new("ecr/blobs");
/// The repositories that hold a blob, by `DIGEST<ACCOUNT/REGION/NAME`.
pub(crate) const HOLDERS: Table<()> = Table::new("ecr/holders");
/// Images by `ACCOUNT/REGION/NAME@DIGEST`.
pub(crate) const IMAGES: Table<Image> = Table::new("ecr/images");
/// The documents of images, by the keys of these.
pub(crate) const MANIFESTS: Table<String> = Table::new("ecr/manifests");
/// The digest that a tag points to, by `ACCOUNT/REGION/NAME:TAG`.
pub(crate) const TAGS: Table<Digest> = Table::new("ecr/tags");
/// The same the other way round, by `ACCOUNT/REGION/NAME@DIGEST:TAG`.
pub(crate) const TAGGED: Table<()> = Table::new("ecr/tagged");
/// What images refer to, by `ACCOUNT/REGION/NAME@DIGEST<KIND<PUSHED<IMAGE`. In the
/// order of the pushes, because then what many pushes add to what they share lies
/// together, and is written together.
pub(crate) const REFERENCES: Table<()> = Table::new("ecr/references");
/// How many images a repository holds, by the keys of repositories.
pub(crate) const IMAGE_COUNTS: Table<u64> = Table::new("ecr/image-counts");

/// A repository and its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Repository {
    pub(crate) name: RepositoryName,
    pub(crate) created: Timestamp,
    pub(crate) mutability: Mutability,
    pub(crate) scan_on_push: bool,
    pub(crate) encryption: Encryption,
    #[serde(rename = "lifecycle_policy")]
    pub(crate) lifecycle: Option<LifecyclePolicy>,
    /// Text as it was sent: AWS gives it back unchanged.
    pub(crate) policy: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Repository {
    /// The condition keys that its tags make.
    pub(super) fn tag_context(&self) -> Vec<(String, String)> {
        let keys = self.tags.iter().flat_map(|(key, value)| {
            ["aws", "ecr"].map(|prefix| (format!("{prefix}:ResourceTag/{key}"), value.clone()))
        });
        keys.collect()
    }
}

/// A lifecycle policy and when it is evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredPolicy")]
pub(crate) struct LifecyclePolicy {
    /// Text as it was sent.
    pub(crate) text: String,
    /// When it was set: evaluations before that did not know it.
    set: Timestamp,
    /// `lastEvaluatedAt`.
    pub(crate) last_evaluated: Option<Timestamp>,
}

/// A lifecycle policy as it may be stored: older records have its text only.
#[derive(Deserialize)]
#[serde(untagged)]
enum StoredPolicy {
    Text(String),
    Whole {
        text: String,
        set: Timestamp,
        last_evaluated: Option<Timestamp>,
    },
}

impl From<StoredPolicy> for LifecyclePolicy {
    fn from(stored: StoredPolicy) -> Self {
        match stored {
            StoredPolicy::Text(text) => Self::new(text, Timestamp::UNIX_EPOCH),
            StoredPolicy::Whole {
                text,
                set,
                last_evaluated,
            } => Self {
                text,
                set,
                last_evaluated,
            },
        }
    }
}

impl LifecyclePolicy {
    /// A policy that is set at `now`.
    pub(crate) fn new(text: String, now: Timestamp) -> Self {
        Self {
            text,
            set: now,
            last_evaluated: None,
        }
    }

    /// The time up to which all evaluations have taken place.
    pub(crate) fn evaluated(&self) -> Timestamp {
        self.last_evaluated
            .map_or(self.set, |evaluated| evaluated.max(self.set))
    }
}

/// `encryptionConfiguration`. Nothing is encrypted here; the setting is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Encryption {
    /// `AES256`, `KMS` or `KMS_DSSE`.
    pub(crate) encryption_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kms_key: Option<String>,
}

impl Default for Encryption {
    fn default() -> Self {
        Self {
            encryption_type: "AES256".to_owned(),
            kms_key: None,
        }
    }
}

/// A blob that a repository holds. Its bytes are in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Blob {
    /// In bytes.
    pub(crate) size: u64,
    /// When somebody was last told that it is there, to the hour: `garbage`
    /// says for how long that holds.
    pub(crate) promised: Timestamp,
}

/// A manifest that a repository holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Image {
    /// Digest, media type, length, artifact type and annotations of the manifest.
    pub(crate) descriptor: Descriptor,
    /// `imageSizeInBytes`: configuration and compressed layers; for an index
    /// that of its largest image.
    pub(crate) content_size: u64,
    pub(crate) pushed: Timestamp,
    /// When it was last pulled, to the day.
    pub(crate) pulled: Option<Timestamp>,
    /// Media type of the configuration.
    pub(crate) artifact_media_type: Option<String>,
    /// The manifest that this one speaks about.
    pub(crate) subject: Option<Digest>,
    /// The manifests that an index lists.
    pub(crate) children: Vec<Digest>,
    /// Configuration and layers.
    #[serde(default)]
    pub(crate) blobs: Vec<Digest>,
    /// Whether it is archived.
    #[serde(default)]
    pub(crate) storage: Storage,
}

/// How an image refers to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reference {
    /// A configuration or a layer.
    Blob,
    /// A manifest that an index lists.
    Child,
    /// The manifest that it speaks about.
    Subject,
}

impl Reference {
    fn as_str(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Child => "child",
            Self::Subject => "subject",
        }
    }
}

impl Image {
    /// Everything that the image refers to.
    pub(crate) fn references(&self) -> impl Iterator<Item = (Digest, Reference)> {
        let blobs = self.blobs.iter().map(|digest| (*digest, Reference::Blob));
        let children = self.children.iter();
        let children = children.map(|digest| (*digest, Reference::Child));
        let subject = self.subject.map(|digest| (digest, Reference::Subject));
        blobs.chain(children).chain(subject)
    }
}

/// Prefix of the keys of a registry's repositories.
pub(crate) fn registry_prefix(registry: &Registry) -> String {
    format!("{registry}/")
}

/// The registry of a key.
pub(crate) fn registry_of(key: &str) -> Option<Registry> {
    let (account, rest) = key.split_once('/')?;
    let (region, _) = rest.split_once('/')?;
    Some(Registry::new(account, region))
}

/// Key of a repository.
pub(crate) fn repository_key(registry: &Registry, name: &RepositoryName) -> String {
    format!("{registry}/{name}")
}

/// Prefix of the keys of a repository's blobs and images.
pub(crate) fn content_prefix(registry: &Registry, name: &RepositoryName) -> String {
    format!("{registry}/{name}@")
}

/// Key of a blob or an image.
pub(crate) fn content_key(registry: &Registry, name: &RepositoryName, digest: &Digest) -> String {
    format!("{registry}/{name}@{digest}")
}

/// Prefix of the keys of a repository's tags.
pub(crate) fn tag_prefix(registry: &Registry, name: &RepositoryName) -> String {
    format!("{registry}/{name}:")
}

/// Key of a tag.
pub(crate) fn tag_key(registry: &Registry, name: &RepositoryName, tag: &str) -> String {
    format!("{registry}/{name}:{tag}")
}

/// Prefix of the keys of an image's tags.
pub(crate) fn tagged_prefix(registry: &Registry, name: &RepositoryName, digest: &Digest) -> String {
    format!("{registry}/{name}@{digest}:")
}

/// Key of a tag of an image.
pub(crate) fn tagged_key(
    registry: &Registry,
    name: &RepositoryName,
    digest: &Digest,
    tag: &str,
) -> String {
    format!("{}{tag}", tagged_prefix(registry, name, digest))
}

/// The repository's key and the digest's text, of the key of a blob.
pub(crate) fn blob_of(key: &str) -> Option<(&str, &str)> {
    key.split_once('@')
}

/// Prefix of the keys of the repositories that hold a blob.
pub(crate) fn holders_prefix(digest: &Digest) -> String {
    format!("{digest}<")
}

/// Key of a repository, itself given by its key, that holds a blob.
pub(crate) fn holder_key(digest: &str, repository: &str) -> String {
    format!("{digest}<{repository}")
}

/// Prefix of the keys of the references to a blob, which is given by its key.
pub(crate) fn uses_prefix(blob: &str) -> String {
    format!("{blob}<{}<", Reference::Blob.as_str())
}

/// Prefix of the keys of the references to `digest`.
pub(crate) fn reference_prefix(
    registry: &Registry,
    name: &RepositoryName,
    digest: &Digest,
    reference: Reference,
) -> String {
    let kind = reference.as_str();
    format!("{}<{kind}<", content_key(registry, name, digest))
}

/// Key of the reference of `image` to `digest`.
pub(crate) fn reference_key(
    registry: &Registry,
    name: &RepositoryName,
    (digest, reference): (&Digest, Reference),
    image: &Image,
) -> String {
    let prefix = reference_prefix(registry, name, digest, reference);
    // Microseconds, also those before 1970, in digits that sort as they do.
    let pushed = image.pushed.as_microsecond().cast_unsigned() ^ (1 << 63);
    format!("{prefix}{pushed:016x}<{}", image.descriptor.digest)
}

/// The image of the key of a reference.
pub(crate) fn referring_image(key: &str) -> Option<Digest> {
    key.rsplit_once('<')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_that_was_stored_as_a_text_is_still_one() {
        let old: LifecyclePolicy = serde_json::from_str(r#""{}""#).unwrap();
        assert_eq!(
            old,
            LifecyclePolicy::new("{}".to_owned(), Timestamp::UNIX_EPOCH)
        );
        let text = serde_json::to_string(&old).unwrap();
        assert_eq!(serde_json::from_str::<LifecyclePolicy>(&text).unwrap(), old);
    }
}
