//! `longshore.lock`: what the tags pointed to when somebody last looked.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use oci::{Digest, Platform};
use serde::{Deserialize, Serialize};

use super::{BaseFailure, BaseReference};

/// The file's name; it stands beside `longshore.toml`.
pub const LOCK_FILE_NAME: &str = "longshore.lock";

/// The one form of the file.
const VERSION: u32 = 1;
const HEADER: &str = "# Written by `longshore base update`. Commit it; do not edit it.\n";

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lock {
    version: u32,
    #[serde(default)]
    base: Vec<LockedBase>,
}

/// `[[base]]`: one base, pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LockedBase {
    /// As `longshore.toml` names it.
    pub(super) reference: String,
    /// The digest of the index, or of the manifest where there is no index.
    pub(super) digest: Digest,
    /// The digest of the manifest for each platform, such as `linux/amd64`.
    pub(super) platforms: BTreeMap<String, Digest>,
}

impl Lock {
    pub(super) fn of(base: Vec<LockedBase>) -> Self {
        Self {
            version: VERSION,
            base,
        }
    }

    /// The file of a checkout; `None` where there is none.
    pub(super) fn read(checkout: &Path) -> Result<Option<Self>, BaseFailure> {
        let text = match fs_err::read_to_string(checkout.join(LOCK_FILE_NAME)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(BaseFailure::Io)?,
        };
        Self::parse(&text).map(Some)
    }

    fn parse(text: &str) -> Result<Self, BaseFailure> {
        let lock: Self =
            toml::from_str(text).map_err(|error| BaseFailure::Lock(Box::new(error)))?;
        if lock.version == VERSION {
            Ok(lock)
        } else {
            Err(BaseFailure::LockVersion(lock.version))
        }
    }

    pub(super) fn write(&self, checkout: &Path) -> Result<(), BaseFailure> {
        fs_err::write(checkout.join(LOCK_FILE_NAME), self.text()).map_err(BaseFailure::Io)
    }

    pub(super) fn remove(checkout: &Path) -> Result<(), BaseFailure> {
        fs_err::remove_file(checkout.join(LOCK_FILE_NAME)).map_err(BaseFailure::Io)
    }

    fn text(&self) -> String {
        let text = toml::to_string(self).unwrap_or_default();
        format!("{HEADER}{text}")
    }

    pub(super) fn find(self, reference: &BaseReference) -> Option<LockedBase> {
        let name = reference.to_string();
        self.base.into_iter().find(|base| base.reference == name)
    }
}

impl LockedBase {
    /// The manifest for a platform. A variant counts only where several are there.
    pub(super) fn image_for(&self, platform: &Platform) -> Option<Digest> {
        let name = platform.to_string();
        let variant = format!("{name}/");
        let mut variants = self.platforms.iter();
        self.platforms
            .get(&name)
            .or_else(|| Some(variants.find(|(name, _)| name.starts_with(&variant))?.1))
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked() -> LockedBase {
        let (one, other) = (Digest::of(b"1"), Digest::of(b"2"));
        LockedBase {
            reference: "r.example/base:v1".to_owned(),
            digest: Digest::of(b"index"),
            platforms: BTreeMap::from([
                ("linux/amd64".to_owned(), one),
                ("linux/arm64/v8".to_owned(), other),
            ]),
        }
    }

    #[test]
    fn what_is_written_is_read_and_found_by_its_reference() {
        let lock = Lock::of(vec![locked()]);
        let text = lock.text();
        assert!(text.contains("[base.platforms]"), "{text}");
        let read = Lock::parse(&text).unwrap();
        assert_eq!(read, lock);
        let other = "r.example/base:v2".parse().unwrap();
        assert_eq!(read.clone().find(&other), None);
        let base = read.find(&"r.example/base:v1".parse().unwrap()).unwrap();
        let arm = base.image_for(&Platform::linux("arm64"));
        assert_eq!(arm, Some(Digest::of(b"2")));
        assert_eq!(base.image_for(&Platform::linux("s390x")), None);
    }

    #[test]
    fn a_file_of_another_version_or_with_a_wrong_digest_is_refused() {
        let text = Lock::of(vec![locked()]).text();
        for (from, to) in [
            ("version = 1", "version = 2"),
            ("sha256:", "sha256:0"),
            ("reference", "refrence"),
        ] {
            assert!(Lock::parse(&text.replace(from, to)).is_err(), "{from}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_parsed_without_panic(text: String) {
            let _ = Lock::parse(&text);
        }
    }
}
