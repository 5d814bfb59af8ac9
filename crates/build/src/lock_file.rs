//! `Cargo.lock`: which packages a workspace may compile, and where each comes from.

use serde::Deserialize;

/// The file's name; it stands beside the manifest of the workspace.
pub(crate) const LOCK_FILE: &str = "Cargo.lock";

/// One package as it is locked.
#[derive(Debug, Deserialize)]
pub(crate) struct Locked {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The registry or repository; none for a package of the workspace.
    pub(crate) source: Option<String>,
    /// The SHA-256 of its archive, where it comes from a registry.
    pub(crate) checksum: Option<String>,
}

/// The packages of a lock file.
pub(crate) fn packages(lock: &str) -> Result<Vec<Locked>, toml::de::Error> {
    #[derive(Deserialize)]
    struct LockFile {
        #[serde(default)]
        package: Vec<Locked>,
    }
    Ok(toml::from_str::<LockFile>(lock)?.package)
}
