//! What belongs to one image, by its name where there are several.

use std::path::PathBuf;
use std::str::FromStr;

use oci::{Digest, DigestError};
use pipeline::PreparedProgram;

/// The digest of an image, and the image's name where there are several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExpectedDigest {
    pub(crate) name: Option<String>,
    pub(crate) digest: Digest,
}

impl FromStr for ExpectedDigest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (name, digest) = match text.trim().split_once('@') {
            Some((name, digest)) => (Some(name.to_owned()), digest),
            None => (None, text.trim()),
        };
        let digest = digest.parse()?;
        Ok(Self { name, digest })
    }
}

/// A program that was compiled elsewhere, and the name of its image where there are
/// several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GivenBinary {
    pub(crate) name: Option<String>,
    pub(crate) program: PreparedProgram,
}

impl FromStr for GivenBinary {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` must be like `linux/arm64=FILE` or `NAME@linux/arm64=FILE`");
        let (what, file) = text.split_once('=').ok_or_else(wrong)?;
        let (name, platform) = match what.split_once('@') {
            Some((name, platform)) => (Some(name.to_owned()), platform),
            None => (None, what),
        };
        let platform = platform.parse().map_err(|_| wrong())?;
        if file.is_empty() || name.as_deref() == Some("") {
            return Err(wrong());
        }
        let file = PathBuf::from(file);
        Ok(Self {
            name,
            program: PreparedProgram { platform, file },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_given_for_a_platform_and_perhaps_an_image() {
        let given: GivenBinary = "api@linux/arm64=out/a=b@c".parse().unwrap();
        assert_eq!(given.name.as_deref(), Some("api"));
        assert_eq!(given.program.platform.to_string(), "linux/arm64");
        assert_eq!(given.program.file.to_str(), Some("out/a=b@c"));
        let given: GivenBinary = "linux/amd64=x".parse().unwrap();
        assert_eq!(given.name, None);
        for wrong in [
            "",
            "x",
            "linux=x",
            "linux/arm64=",
            "linux/arm64",
            "@linux/arm64=x",
        ] {
            assert!(wrong.parse::<GivenBinary>().is_err(), "{wrong}");
        }
    }
}
