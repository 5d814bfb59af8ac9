//! What `image.base` may say.

use std::fmt;
use std::path::{Component, PathBuf};
use std::str::FromStr;

use oci::{Digest, ManifestReference, NameError, Tag};
use serde::Deserialize;

use crate::publish::{AddressError, RegistryAddress};

/// A base as `longshore.toml` names it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum BaseReference {
    /// `HOST/REPOSITORY:TAG`, or `HOST/REPOSITORY@sha256:...`.
    Registry {
        /// The repository.
        address: RegistryAddress,
        /// What is named in it.
        reference: ManifestReference,
    },
    /// `oci:DIR`: a layout, relative to `longshore.toml`.
    Layout(PathBuf),
}

/// Why a text names no base.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseReferenceError {
    /// Neither a tag nor a digest.
    #[error(
        "`{0}` names no tag and no digest: it must be HOST/REPOSITORY:TAG, \
         HOST/REPOSITORY@sha256:... or oci:DIR"
    )]
    Incomplete(String),
    /// No repository of a registry.
    #[error("`{0}` names no image: {1}")]
    Address(String, AddressError),
    /// The tag or digest.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The layout is not in the checkout.
    #[error("`oci:{0}` must lie below the directory of longshore.toml")]
    Outside(String),
}

impl FromStr for BaseReference {
    type Err = BaseReferenceError;

    fn from_str(text: &str) -> Result<Self, BaseReferenceError> {
        if let Some(directory) = text.strip_prefix("oci:") {
            let path = PathBuf::from(directory);
            let inside = |part: Component<'_>| matches!(part, Component::Normal(_));
            if directory.is_empty() || !path.components().all(inside) {
                return Err(BaseReferenceError::Outside(directory.to_owned()));
            }
            return Ok(Self::Layout(path));
        }
        // The first part may have a port; the tag stands in the last one.
        let last = text.rfind('/').unwrap_or_default();
        let (address, reference) = if let Some((address, digest)) = text.split_once('@') {
            let digest: Digest = digest.parse().map_err(NameError::from)?;
            (address, digest.into())
        } else if let Some(colon) = text[last..].find(':') {
            let (address, tag) = text.split_at(last + colon);
            let tag: Tag = tag[1..].parse()?;
            (address, tag.into())
        } else {
            return Err(BaseReferenceError::Incomplete(text.to_owned()));
        };
        let wrong = |error| BaseReferenceError::Address(text.to_owned(), error);
        Ok(Self::Registry {
            address: address.parse().map_err(wrong)?,
            reference,
        })
    }
}

impl TryFrom<String> for BaseReference {
    type Error = BaseReferenceError;

    fn try_from(text: String) -> Result<Self, BaseReferenceError> {
        text.parse()
    }
}

impl fmt::Display for BaseReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry { address, reference } => {
                let sign = match reference {
                    ManifestReference::Tag(_) => ':',
                    ManifestReference::Digest(_) => '@',
                };
                write!(formatter, "{address}{sign}{reference}")
            }
            Self::Layout(path) => write!(formatter, "oci:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_a_tag_a_digest_or_a_layout_and_is_written_as_it_was_read() {
        let digest = Digest::of(b"base");
        for right in [
            "docker.io/library/debian:12",
            "localhost:5000/team/base:v1",
            &format!("r.example:5000/team/base@{digest}"),
            "oci:bases/debian",
        ] {
            let base: BaseReference = right.parse().unwrap();
            assert_eq!(base.to_string(), right);
        }
    }

    #[test]
    fn what_names_nothing_or_leads_out_is_refused() {
        for wrong in [
            "",
            "debian:12",
            "library/debian:12",
            "r.example/base",
            "r.example:5000/base",
            "r.example/base@v1",
            "r.example/base:",
            "https://r.example/base:v1",
            "ada:secret@r.example/base:v1",
            "oci:",
            "oci:/etc",
            "oci:../base",
        ] {
            assert!(wrong.parse::<BaseReference>().is_err(), "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_parsed_without_panic(text: String) {
            let _ = text.parse::<BaseReference>();
        }
    }
}
