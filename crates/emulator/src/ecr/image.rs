//! Storing and finding images. A manifest and its tag become visible in one
//! transaction, after everything that the manifest names is known to be there.

use jiff::{SignedDuration, Timestamp};
use oci::{Descriptor, Digest, ManifestReference, RepositoryName, Tag};

use super::changes::Changes;
use super::lookup::Lookup;
use super::manifest::{self, ParsedManifest};
use super::records::{BLOBS, Image, REPOSITORIES, content_key, repository_key};
use super::storage_class::{ImageStatus, Storage};
use super::{Call, EcrError, code, limits, pull_time_exclusions};
use crate::store::{StoreError, Writer};

/// AWS refreshes the time of the last pull once a day.
const PULL_RESOLUTION: SignedDuration = SignedDuration::from_hours(24);

/// A manifest of 4 MiB can name tens of thousands of digests that are missing;
/// the sentence names so many.
const MISSING_NAMED: usize = 100;

/// A manifest to be stored.
pub(crate) struct Put<'a> {
    /// The document.
    pub(crate) bytes: &'a [u8],
    /// What it was sent as, if that was said.
    pub(crate) media_type: Option<&'a str>,
    /// The tag that is to point to it.
    pub(crate) tag: Option<Tag>,
    /// The digest that the client expects.
    pub(crate) digest: Option<Digest>,
    /// Whether to refuse what changes nothing: `PutImage` does, the registry
    /// does not.
    pub(crate) refuse_unchanged: bool,
    /// Whether the mutability of the repository's tags counts.
    pub(crate) tags_lock: bool,
    /// Whether media types may have parameters.
    pub(crate) media_type_parameters: bool,
}

/// Stores a manifest in `name`. The caller has been authorized.
pub(crate) fn put(call: Call<'_>, name: &RepositoryName, put: &Put<'_>) -> Result<Image, EcrError> {
    let mut parsed = manifest::parse(put.bytes, put.media_type)?;
    if !put.media_type_parameters {
        manifest::refuse_parameters(&parsed)?;
    }
    let algorithm = put.digest.map(|expected| expected.algorithm());
    let digest = Digest::with(algorithm.unwrap_or_default(), put.bytes);
    parsed.descriptor.digest = digest;
    if put.digest.is_some_and(|expected| expected != digest) {
        // Inferred sentence.
        return Err(EcrError::client(
            code::IMAGE_DIGEST_DOES_NOT_MATCH,
            format!("The image manifest has the digest '{digest}', which is not the one given"),
        ));
    }
    let manifest =
        std::str::from_utf8(put.bytes).map_err(|_| manifest::invalid("Invalid JSON syntax"))?;
    let now = call.state.clock.now();
    call.state.store.write(|writer| {
        let changes = Changes::new(writer, call.registry, name);
        let old = changes.lookup().image(&digest)?;
        let is_active = |image: &&Image| image.storage.status(now) == ImageStatus::Active;
        let existing = old.as_ref().filter(is_active).map(|_| digest);
        check_tag(call, writer, name, put, existing)?;
        check_limits(&changes, put, old.as_ref())?;
        let content_size = check_contents(call, writer, name, &parsed)?;
        let image = match old {
            None => {
                let image = new_image(parsed, content_size, now);
                changes.add_image(&image, manifest)?;
                image
            }
            Some(mut image) => {
                if image.storage.status(now) != ImageStatus::Active {
                    image.storage.activate(now);
                    changes.update_image(&image)?;
                }
                image
            }
        };
        if let Some(tag) = &put.tag {
            changes.set_tag(tag.as_str(), &digest)?;
        }
        Ok(image)
    })
}

fn new_image(parsed: ParsedManifest, content_size: u64, now: Timestamp) -> Image {
    let digests = |descriptors: &[Descriptor]| {
        descriptors
            .iter()
            .map(|descriptor| descriptor.digest)
            .collect()
    };
    Image {
        content_size,
        pushed: now,
        pulled: None,
        artifact_media_type: parsed.artifact_media_type,
        subject: parsed.subject,
        children: digests(&parsed.children),
        blobs: digests(&parsed.blobs),
        storage: Storage::default(),
        descriptor: parsed.descriptor,
    }
}

/// Whether one image or one tag more is within ECR's quotas.
fn check_limits(
    changes: &Changes<'_, '_>,
    put: &Put<'_>,
    old: Option<&Image>,
) -> Result<(), EcrError> {
    let Some(old) = old else {
        let images = usize::try_from(changes.images()?).unwrap_or(usize::MAX);
        return limits::IMAGES_PER_REPOSITORY.allow_one_more(images);
    };
    let Some(tag) = &put.tag else {
        return Ok(());
    };
    let tags = changes.lookup().tags_of(&old.descriptor.digest)?;
    if tags.iter().any(|own| own == tag.as_str()) {
        return Ok(());
    }
    limits::TAGS_PER_IMAGE.allow_one_more(tags.len())
}

/// Whether the tag may be set. `existing` is the image's digest when the
/// repository holds it already.
fn check_tag(
    call: Call<'_>,
    writer: &Writer,
    name: &RepositoryName,
    put: &Put<'_>,
    existing: Option<Digest>,
) -> Result<(), EcrError> {
    let repository = writer
        .get(&REPOSITORIES, &repository_key(call.registry, name))?
        .ok_or_else(|| EcrError::repository_not_found(name, call.account()))?;
    let tagged = match &put.tag {
        Some(tag) => Lookup::new(writer, call.registry, name).tagged(tag.as_str())?,
        None => None,
    };
    let unchanged = existing.is_some() && (put.tag.is_none() || tagged == existing);
    if let (true, Some(digest)) = (unchanged && put.refuse_unchanged, existing) {
        let tag = put.tag.as_ref().map_or("null", Tag::as_str);
        return Err(EcrError::client(
            "ImageAlreadyExistsException",
            format!(
                "Image with digest '{digest}' and tag '{tag}' already exists in the repository \
                 with name '{name}' in registry with id '{}'",
                call.account()
            ),
        ));
    }
    match &put.tag {
        Some(tag) if put.tags_lock && tagged.is_some() && repository.mutability.locks(tag) => {
            Err(EcrError::client(
                code::IMAGE_TAG_ALREADY_EXISTS,
                format!(
                    "The image tag '{tag}' already exists in the '{name}' repository and cannot be \
                 overwritten because the repository is immutable."
                ),
            ))
        }
        _ => Ok(()),
    }
}

/// Whether the repository holds all that the manifest names. Returns the size
/// of the image's content in bytes.
fn check_contents(
    call: Call<'_>,
    writer: &Writer,
    name: &RepositoryName,
    parsed: &ParsedManifest,
) -> Result<u64, EcrError> {
    let mut missing = Vec::new();
    let mut total = 0_u64;
    for blob in parsed
        .blobs
        .iter()
        .filter(|blob| !manifest::is_kept_elsewhere(blob))
    {
        match writer.get(&BLOBS, &content_key(call.registry, name, &blob.digest))? {
            Some(held) => check_size(blob, held.size)?,
            None => missing.push(blob.digest),
        }
        total = total.saturating_add(blob.size);
    }
    refuse_missing(call, name, code::LAYERS_NOT_FOUND, "Layers", &missing)?;
    let images = Lookup::new(writer, call.registry, name);
    for child in &parsed.children {
        match images.image(&child.digest)? {
            Some(image) => {
                check_size(child, image.descriptor.size)?;
                total = total.max(image.content_size);
            }
            None => missing.push(child.digest),
        }
    }
    let code = code::REFERENCED_IMAGES_NOT_FOUND;
    refuse_missing(call, name, code, "Images", &missing)?;
    Ok(total)
}

fn refuse_missing(
    call: Call<'_>,
    name: &RepositoryName,
    code: &'static str,
    what: &str,
    missing: &[Digest],
) -> Result<(), EcrError> {
    if missing.is_empty() {
        return Ok(());
    }
    let named = missing.iter().take(MISSING_NAMED);
    let digests: Vec<String> = named.map(Digest::to_string).collect();
    Err(EcrError::client(
        code,
        format!(
            "{what} with digests '[{}]' required for pushing image into repository with name \
             '{name}' in the registry with id '{}' do not exist",
            digests.join(", "),
            call.account()
        ),
    ))
}

fn check_size(named: &Descriptor, actual: u64) -> Result<(), EcrError> {
    if named.size == actual {
        return Ok(());
    }
    Err(manifest::invalid(&format!(
        "{} has {actual} bytes, not {}",
        named.digest, named.size
    )))
}

/// The image that `reference` names in `name`, if it can be pulled: what is
/// archived, or on its way back, cannot. With `manifest` comes its document.
pub(crate) fn find(
    call: Call<'_>,
    name: &RepositoryName,
    reference: &ManifestReference,
    manifest: bool,
) -> Result<Option<(Image, Option<String>)>, EcrError> {
    call.state.store.read(|reader| {
        let lookup = Lookup::new(reader, call.registry, name);
        let digest = match reference {
            ManifestReference::Digest(digest) => Some(*digest),
            ManifestReference::Tag(tag) => lookup.tagged(tag.as_str())?,
        };
        let image = match digest {
            Some(digest) => lookup.image(&digest)?,
            None => None,
        };
        let now = call.state.clock.now();
        let is_active = |image: &Image| image.storage.status(now) == ImageStatus::Active;
        let Some(image) = image.filter(is_active) else {
            return Ok(None);
        };
        let document = manifest.then(|| lookup.document(&image)).transpose()?;
        Ok(Some((image, document)))
    })
}

/// Remembers, to the day, that an image was pulled by somebody whose pulls are
/// recorded.
pub(crate) fn note_pull(
    call: Call<'_>,
    name: &RepositoryName,
    image: &Image,
) -> Result<(), EcrError> {
    let now = call.state.clock.now();
    let recent = |pulled| now.duration_since(pulled).abs() < PULL_RESOLUTION;
    if image.pulled.is_some_and(recent) || !pull_time_exclusions::is_recorded(call)? {
        return Ok(());
    }
    Ok(call.state.store.write::<_, StoreError>(|writer| {
        let changes = Changes::new(writer, call.registry, name);
        if let Some(mut image) = changes.lookup().image(&image.descriptor.digest)? {
            image.pulled = Some(now);
            changes.update_image(&image)?;
        }
        Ok(())
    })?)
}
