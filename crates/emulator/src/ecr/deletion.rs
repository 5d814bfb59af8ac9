//! What the registry's `DELETE` takes away.

use oci::{Digest, ManifestReference, RepositoryName};

use super::changes::Changes;
use super::image_batch::delete_one;
use super::parameters::ImageIdentifier;
use super::{Call, EcrError, code};
use crate::store::StoreError;

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
    call.state.store.write(|writer| {
        let changes = Changes::new(writer, call.registry, name);
        match deletion {
            Deletion::Named => delete_named(&changes, reference),
            Deletion::Batch => delete_as_batch(&changes, reference),
        }
    })
}

fn delete_named(changes: &Changes<'_, '_>, reference: &ManifestReference) -> Result<(), EcrError> {
    match reference {
        ManifestReference::Tag(tag) => {
            let tagged = changes.lookup().tagged(tag.as_str())?;
            tagged.ok_or_else(not_found)?;
            changes.remove_tag(tag.as_str())?;
        }
        ManifestReference::Digest(digest) => {
            changes.lookup().image(digest)?.ok_or_else(not_found)?;
            changes.remove_image(digest)?;
        }
    }
    Ok(())
}

fn delete_as_batch(
    changes: &Changes<'_, '_>,
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
    match delete_one(changes, &wanted)? {
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
    call.state
        .store
        .write(|writer| Changes::new(writer, call.registry, name).remove_blob(digest))
}
