//! Blobs that a repository takes over from another one, without their bytes
//! (Amazon ECR User Guide, "Blob mounting"; distribution-spec, "Mounting a blob
//! from another repository"). Nothing is mounted that the caller may not read.

use oci::{Digest, RepositoryName};

use super::records::{
    BLOBS, IMAGES, REPOSITORIES, Repository, content_key, content_prefix, registry_prefix,
};
use super::registry_settings::RegistrySettings;
use super::{Call, EcrError};
use crate::store::{StoreError, Writer};

/// From where a blob may be mounted into another repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mounts {
    /// From every repository of the registry that the caller may read.
    WhereReadable,
    /// As the account setting `BLOB_MOUNTING` says: from the repository named, if
    /// a manifest there refers to the blob, and both are encrypted alike.
    BySetting,
}

/// The repository that `digest` may be mounted from, in the eyes of the caller:
/// `from`, or any where none is named.
pub(crate) fn source(
    call: Call<'_>,
    from: Option<RepositoryName>,
    digest: &Digest,
    mounts: Mounts,
) -> Result<Option<Repository>, EcrError> {
    let names = match (mounts, from) {
        (Mounts::BySetting, None) => Vec::new(),
        (Mounts::BySetting, Some(from)) => {
            let settings = RegistrySettings::read(call)?;
            settings.blob_mounting.then_some(from).into_iter().collect()
        }
        (Mounts::WhereReadable, Some(from)) => vec![from],
        (Mounts::WhereReadable, None) => holders(call, digest)?,
    };
    let readable = |name: &RepositoryName| call.repository(&["ecr:GetDownloadUrlForLayer"], name);
    Ok(names.iter().find_map(|name| readable(name).ok()))
}

/// The repositories of the registry that hold a blob.
fn holders(call: Call<'_>, digest: &Digest) -> Result<Vec<RepositoryName>, StoreError> {
    call.state.store.read(|reader| {
        let mut names = Vec::new();
        for (_, repository) in reader.list(&REPOSITORIES, &registry_prefix(call.registry))? {
            let key = content_key(call.registry, &repository.name, digest);
            if reader.get(&BLOBS, &key)?.is_some() {
                names.push(repository.name);
            }
        }
        Ok(names)
    })
}

/// Mounts the blob from `source` into `target`; whether that could be done. The
/// caller has been authorized for both.
pub(crate) fn mount(
    call: Call<'_>,
    source: &Repository,
    target: &Repository,
    digest: &Digest,
    mounts: Mounts,
) -> Result<bool, EcrError> {
    if mounts == Mounts::BySetting && source.encryption != target.encryption {
        return Ok(false);
    }
    call.state.store.write(|writer| {
        let key = content_key(call.registry, &source.name, digest);
        let Some(size) = writer.get(&BLOBS, &key)? else {
            return Ok(false);
        };
        if mounts == Mounts::BySetting && !is_referenced(call, writer, &source.name, digest)? {
            return Ok(false);
        }
        writer.put(
            &BLOBS,
            &content_key(call.registry, &target.name, digest),
            &size,
        )?;
        Ok(true)
    })
}

/// Whether a manifest of the repository refers to the blob; ECR mounts no other
/// (aws/containers-roadmap#2860).
fn is_referenced(
    call: Call<'_>,
    writer: &Writer,
    name: &RepositoryName,
    digest: &Digest,
) -> Result<bool, StoreError> {
    let images = writer.list(&IMAGES, &content_prefix(call.registry, name))?;
    Ok(images.iter().any(|(_, image)| image.blobs.contains(digest)))
}
