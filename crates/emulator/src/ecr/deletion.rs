//! What the registry's `DELETE` takes away.

use oci::{Digest, ManifestReference, RepositoryName};

use super::contents::Contents;
use super::image_batch::delete_one;
use super::parameters::ImageIdentifier;
use super::records::{BLOBS, IMAGES, TAGS, content_key, tag_key};
use super::{Call, EcrError, Registry, code, image};
use crate::store::{StoreError, Writer};

/// How much goes when one name is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deletion {
    /// What is named: a tag, or a manifest with the tags that point to it.
    Named,
    /// What `BatchDeleteImage` would take.
    Batch,
}

/// Deletes what `reference` names. The caller has been authorized.
pub(crate) fn delete(
    call: Call<'_>,
    name: &RepositoryName,
    reference: &ManifestReference,
    deletion: Deletion,
) -> Result<(), EcrError> {
    call.state.store.write(|writer| match deletion {
        Deletion::Named => delete_named(writer, call.registry, name, reference),
        Deletion::Batch => delete_as_batch(writer, call.registry, name, reference),
    })
}

fn delete_named(
    writer: &Writer,
    registry: &Registry,
    name: &RepositoryName,
    reference: &ManifestReference,
) -> Result<(), EcrError> {
    match reference {
        ManifestReference::Tag(tag) => {
            let key = tag_key(registry, name, tag);
            writer.get(&TAGS, &key)?.ok_or_else(not_found)?;
            writer.remove(&TAGS, &key)?;
        }
        ManifestReference::Digest(digest) => {
            let key = content_key(registry, name, digest);
            writer.get(&IMAGES, &key)?.ok_or_else(not_found)?;
            image::remove(writer, registry, name, digest)?;
        }
    }
    Ok(())
}

fn delete_as_batch(
    writer: &Writer,
    registry: &Registry,
    name: &RepositoryName,
    reference: &ManifestReference,
) -> Result<(), EcrError> {
    let (image_digest, image_tag) = match reference {
        ManifestReference::Digest(digest) => (Some(digest.to_string()), None),
        ManifestReference::Tag(tag) => (None, Some(tag.to_string())),
    };
    let wanted = ImageIdentifier {
        image_digest,
        image_tag,
    };
    let mut contents = Contents::in_transaction(writer, registry, name)?;
    match delete_one(writer, registry, name, &mut contents, &wanted)? {
        Ok(_) => Ok(()),
        Err((code::IMAGE_REFERENCED, reason)) => {
            Err(EcrError::client(code::IMAGE_REFERENCED, reason))
        }
        Err(_) => Err(not_found()),
    }
}

fn not_found() -> EcrError {
    EcrError::client(code::IMAGE_NOT_FOUND, "Requested image not found")
}

/// Takes a blob out of a repository; whether it was there.
pub(crate) fn remove_blob(
    call: Call<'_>,
    name: &RepositoryName,
    digest: &Digest,
) -> Result<bool, StoreError> {
    let key = content_key(call.registry, name, digest);
    call.state.store.write(|writer| {
        let held = writer.get(&BLOBS, &key)?.is_some();
        writer.remove(&BLOBS, &key)?;
        Ok(held)
    })
}
