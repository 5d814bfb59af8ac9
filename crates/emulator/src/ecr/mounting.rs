//! Blobs that a repository takes over from another one, without their bytes
//! (Amazon ECR User Guide, "Blob mounting"; distribution-spec, "Mounting a blob
//! from another repository"). Nothing is mounted that the caller may not read.

use oci::{Digest, RepositoryName};

use super::changes::Changes;
use super::lookup::{Lookup, Use};
use super::records::{BLOBS, HOLDERS, Repository, content_key, holder_key, registry_prefix};
use super::registry_settings::RegistrySettings;
use super::{Call, EcrError};
use crate::store::StoreError;

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
    let prefix = holder_key(&digest.to_string(), &registry_prefix(call.registry));
    let holders = call
        .state
        .store
        .read::<_, StoreError>(|reader| reader.list(&HOLDERS, &prefix))?;
    let names = holders.iter();
    Ok(names
        .filter_map(|(key, ())| key.strip_prefix(&prefix)?.parse().ok())
        .collect())
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
    let now = call.state.clock.now();
    call.state.store.write(|writer| {
        let key = content_key(call.registry, &source.name, digest);
        let Some(blob) = writer.get(&BLOBS, &key)? else {
            return Ok(false);
        };
        if !call.state.blobs.is_whole(digest, blob.size) {
            return Ok(false);
        }
        // ECR mounts no blob that no manifest refers to (aws/containers-roadmap#2860).
        let source = Lookup::new(writer, call.registry, &source.name);
        if mounts == Mounts::BySetting && source.use_of(digest, now)? == Use::None {
            return Ok(false);
        }
        Changes::new(writer, call.registry, &target.name).put_blob(digest, blob.size, now)?;
        Ok(true)
    })
}
