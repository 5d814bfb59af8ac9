//! Where a base is read from. Whatever is read is what its digest says.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::{ImageError, Layout, verify_blob};
use oci::{AnyManifest, Descriptor, Digest, ManifestReference, media_type};
use registry::{Options, Publication, Registry, RegistryError};
use serde::Deserialize;
use tokio::sync::OnceCell;

use super::{BaseFailure, BaseReference};
use crate::publish::{Logins, RegistryAddress};

/// A registry or a layout, as a source of bases.
pub(super) struct Place {
    name: String,
    from: From,
    /// What was read of a registry is kept here.
    kept: PathBuf,
}

enum From {
    Registry(Box<Remote>),
    Layout(PathBuf),
}

/// A repository of a registry. A login is looked for when something is read from there: it
/// may have to be asked for, and what is kept here needs none.
struct Remote {
    address: RegistryAddress,
    reference: ManifestReference,
    logins: Logins,
    registry: OnceCell<Arc<Registry>>,
}

impl Place {
    /// Asks nobody anything yet.
    pub(super) fn new(base: &BaseReference, checkout: &Path, logins: &Logins, kept: &Path) -> Self {
        let from = match base {
            BaseReference::Layout(path) => From::Layout(checkout.join(path)),
            BaseReference::Registry { address, reference } => From::Registry(Box::new(Remote {
                address: address.clone(),
                reference: reference.clone(),
                logins: logins.clone(),
                registry: OnceCell::new(),
            })),
        };
        Self {
            name: base.to_string(),
            from,
            kept: kept.to_owned(),
        }
    }

    /// The registry, with the login to it if there is one.
    async fn registry(&self, remote: &Remote) -> Result<Arc<Registry>, BaseFailure> {
        let connected = remote.registry.get_or_try_init(async || {
            let login = remote.logins.login(&remote.address).await;
            let login = login.map_err(|error| BaseFailure::Login(Box::new(error)))?;
            let endpoint = remote.address.endpoint.clone();
            let registry = Registry::new(endpoint, login, Options::default());
            registry
                .map(Arc::new)
                .map_err(|source| failed(&self.name, source))
        });
        connected.await.cloned()
    }

    /// What the reference names now.
    pub(super) async fn resolve(&self) -> Result<(Digest, AnyManifest), BaseFailure> {
        let digest = match &self.from {
            From::Layout(directory) => {
                let layout = Layout::open(directory).map_err(BaseFailure::Image)?;
                layout
                    .stored()
                    .map_err(BaseFailure::Image)?
                    .descriptor()
                    .digest
            }
            From::Registry(remote) => {
                let registry = self.registry(remote).await?;
                let repository = &remote.address.repository;
                let found = registry.manifest(repository, &remote.reference).await;
                let found = found.map_err(|source| failed(&self.name, source))?;
                let (descriptor, bytes) =
                    found.ok_or_else(|| BaseFailure::Unknown(self.name.clone()))?;
                self.keep(&descriptor.digest, &bytes)?;
                descriptor.digest
            }
        };
        let (_, manifest) = self.manifest(&digest).await?;
        Ok((digest, manifest))
    }

    /// The manifest or index with this digest.
    pub(super) async fn manifest(
        &self,
        digest: &Digest,
    ) -> Result<(Descriptor, AnyManifest), BaseFailure> {
        let bytes = match self.here(digest)? {
            Some(bytes) => bytes,
            None => self.asked_for(digest).await?,
        };
        let media_type = media_type_of(&bytes);
        let descriptor = Descriptor::new(&media_type, *digest, bytes.len() as u64);
        Ok((descriptor, AnyManifest::parse(&media_type, &bytes)?))
    }

    /// The bytes of a configuration.
    pub(super) async fn config(&self, config: &Descriptor) -> Result<Vec<u8>, BaseFailure> {
        if let Some(bytes) = self.here(&config.digest)? {
            return Ok(bytes);
        }
        let From::Registry(remote) = &self.from else {
            return Err(self.missing(&format!("blob {}", config.digest)));
        };
        let registry = self.registry(remote).await?;
        let bytes = registry.blob(&remote.address.repository, config).await;
        let bytes = bytes.map_err(|source| failed(&self.name, source))?;
        self.keep(&config.digest, &bytes)?;
        Ok(bytes)
    }

    /// Whether a layer is here, whole. One that was kept and is damaged is removed.
    pub(super) async fn keeps(&self, layer: &Descriptor) -> Result<bool, BaseFailure> {
        let file = self.file(&layer.digest);
        let whole = self.verified(layer).await?.is_ok();
        if !whole && self.is_registry() {
            match fs_err::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(BaseFailure::Io(error));
                }
                _ => {}
            }
        }
        Ok(whole)
    }

    async fn verified(&self, layer: &Descriptor) -> Result<Result<(), ImageError>, BaseFailure> {
        let (file, descriptor) = (self.file(&layer.digest), layer.clone());
        let verified = tokio::task::spawn_blocking(move || verify_blob(&file, &descriptor)).await;
        verified.map_err(|error| BaseFailure::Io(io::Error::other(error)))
    }

    /// Makes sure that a layer is here, whole.
    pub(super) async fn fetch(&self, layer: &Descriptor) -> Result<(), BaseFailure> {
        let verified = self.verified(layer).await?;
        let From::Registry(remote) = &self.from else {
            return verified.map_err(BaseFailure::Image);
        };
        if verified.is_ok() {
            return Ok(());
        }
        let file = self.unfinished()?;
        let registry = self.registry(remote).await?;
        let repository = &remote.address.repository;
        let download = registry.download(repository, layer, file.path()).await;
        download.map_err(|source| failed(&self.name, source))?;
        self.finish(file, &layer.digest)
    }

    /// Whether it is a registry, which others know by the same name.
    pub(super) fn is_registry(&self) -> bool {
        matches!(self.from, From::Registry(_))
    }

    /// Where layers may be mounted or read from, where that is a registry.
    pub(super) async fn publication(&self) -> Result<Option<Publication>, BaseFailure> {
        let From::Registry(remote) = &self.from else {
            return Ok(None);
        };
        Ok(Some(Publication {
            registry: self.registry(remote).await?,
            repository: remote.address.repository.clone(),
        }))
    }

    /// The directory of the blobs that are here.
    pub(super) fn blobs(&self) -> PathBuf {
        match &self.from {
            From::Layout(directory) => directory.join("blobs/sha256"),
            From::Registry(_) => self.kept.clone(),
        }
    }

    fn file(&self, digest: &Digest) -> PathBuf {
        self.blobs().join(digest.hex())
    }

    /// A small blob that is here. One of ours that is damaged counts as not here; one
    /// of a layout is an error.
    fn here(&self, digest: &Digest) -> Result<Option<Vec<u8>>, BaseFailure> {
        let bytes = match fs_err::read(self.file(digest)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes.map_err(BaseFailure::Io)?,
        };
        let actual = Digest::with(digest.algorithm(), &bytes);
        match &self.from {
            _ if actual == *digest => Ok(Some(bytes)),
            From::Registry(_) => Ok(None),
            From::Layout(_) => Err(BaseFailure::OtherBytes {
                expected: *digest,
                actual,
            }),
        }
    }

    async fn asked_for(&self, digest: &Digest) -> Result<Vec<u8>, BaseFailure> {
        let missing = || self.missing(&format!("manifest {digest}"));
        let From::Registry(remote) = &self.from else {
            return Err(missing());
        };
        let registry = self.registry(remote).await?;
        let repository = &remote.address.repository;
        let found = registry.manifest(repository, &(*digest).into()).await;
        let found = found.map_err(|source| failed(&self.name, source))?;
        let (_, bytes) = found.ok_or_else(missing)?;
        self.keep(digest, &bytes)?;
        Ok(bytes.to_vec())
    }

    fn keep(&self, digest: &Digest, bytes: &[u8]) -> Result<(), BaseFailure> {
        let file = self.unfinished()?;
        fs_err::write(file.path(), bytes).map_err(BaseFailure::Io)?;
        self.finish(file, digest)
    }

    /// A file beside its place, which it gets when it is complete.
    fn unfinished(&self) -> Result<tempfile::NamedTempFile, BaseFailure> {
        fs_err::create_dir_all(&self.kept).map_err(BaseFailure::Io)?;
        tempfile::Builder::new()
            .prefix(".unfinished-")
            .permissions(std::fs::Permissions::from_mode(0o666))
            .tempfile_in(&self.kept)
            .map_err(BaseFailure::Io)
    }

    fn finish(&self, file: tempfile::NamedTempFile, digest: &Digest) -> Result<(), BaseFailure> {
        let persisted = file.persist(self.kept.join(digest.hex()));
        persisted.map_err(|error| BaseFailure::Io(error.error))?;
        Ok(())
    }

    fn missing(&self, what: &str) -> BaseFailure {
        BaseFailure::Missing {
            reference: self.name.clone(),
            what: what.to_owned(),
        }
    }
}

fn failed(name: &str, source: RegistryError) -> BaseFailure {
    BaseFailure::Registry {
        reference: name.to_owned(),
        source: Box::new(source),
    }
}

/// The type that a manifest has by its own account: Docker always writes it, and the
/// specification's may leave it out.
fn media_type_of(bytes: &[u8]) -> String {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Kind {
        media_type: Option<String>,
        manifests: Option<serde::de::IgnoredAny>,
    }
    let kind: Kind = serde_json::from_slice(bytes).unwrap_or_default();
    let own = if kind.manifests.is_some() {
        media_type::INDEX
    } else {
        media_type::MANIFEST
    };
    kind.media_type.unwrap_or_else(|| own.to_owned())
}
