//! The images that a Dockerfile names, as the lock file pins them.

use std::collections::BTreeMap;
use std::path::Path;

use oci::{Digest, ManifestReference};

use super::lock::Lock;
use super::{BaseFailure, BaseReference};

/// Digests by the names that the Dockerfile has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pins {
    pub(crate) digests: BTreeMap<String, Digest>,
    /// Whether there are images, all of them in registries that speak plain HTTP, as
    /// those of this machine do.
    pub(crate) plain_http: bool,
}

impl Pins {
    /// The digest of each of `images`; one that is not pinned is an error, for it
    /// could be another tomorrow.
    pub(crate) fn of(images: &[String], checkout: &Path) -> Result<Self, BaseFailure> {
        let lock = Lock::read(checkout)?;
        let mut pins = Self {
            plain_http: !images.is_empty(),
            ..Self::default()
        };
        for image in images {
            let reference = reference(image)?;
            let BaseReference::Registry {
                address,
                reference: named,
            } = &reference
            else {
                return Err(BaseFailure::NotPinned(image.clone()));
            };
            pins.plain_http &= address.endpoint.scheme() == "http";
            let digest = match named {
                ManifestReference::Digest(digest) => Some(*digest),
                ManifestReference::Tag(_) => {
                    let lock = lock.clone().and_then(|lock| lock.find(&reference));
                    lock.map(|locked| locked.digest)
                }
            };
            let digest = digest.ok_or_else(|| BaseFailure::NotPinned(reference.to_string()))?;
            pins.digests.insert(image.clone(), digest);
        }
        Ok(pins)
    }
}

/// An image as a Dockerfile names it, in full: `debian` is
/// `docker.io/library/debian:latest`.
pub(super) fn reference(image: &str) -> Result<BaseReference, BaseFailure> {
    let mut name = image.to_owned();
    let first = image.split('/').next().unwrap_or_default();
    let is_host = image.contains('/') && (first.contains(['.', ':']) || first == "localhost");
    if !is_host {
        let library = if image.contains('/') { "" } else { "library/" };
        name = format!("docker.io/{library}{image}");
    }
    let last = name.rsplit('/').next().unwrap_or_default();
    if !last.contains([':', '@']) {
        name.push_str(":latest");
    }
    // With both, the digest decides.
    if let Some((named, digest)) = name.clone().split_once('@') {
        let slash = named.rfind('/').unwrap_or_default();
        let end = named[slash..]
            .find(':')
            .map_or(named.len(), |colon| slash + colon);
        name = format!("{}@{digest}", &named[..end]);
    }
    name.parse().map_err(|error| BaseFailure::Named {
        image: image.to_owned(),
        source: Box::new(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_those_of_docker_hub() {
        let digest = Digest::of(b"1");
        let both = format!("r.example/aa:1@{digest}");
        for (image, full) in [
            ("debian", "docker.io/library/debian:latest"),
            ("debian:12", "docker.io/library/debian:12"),
            ("team/app:1", "docker.io/team/app:1"),
            ("localhost:5000/aa", "localhost:5000/aa:latest"),
            ("r.example/aa:1", "r.example/aa:1"),
            (&both, &format!("r.example/aa@{digest}")),
        ] {
            assert_eq!(reference(image).unwrap().to_string(), full, "{image}");
        }
        assert!(reference("A b").is_err());
    }
}
