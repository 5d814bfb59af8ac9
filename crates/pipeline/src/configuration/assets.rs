//! `[[image.assets]]`: files of the project in the image.

use std::path::{Component, Path, PathBuf};

use image::{Assets, Exclude};
use serde::{Deserialize, Deserializer};

use super::{ConfigurationError, wrong};

/// One directory or file, and where it goes: a layer of its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AssetTable {
    /// The directory or file, relative to `longshore.toml`.
    pub from: PathBuf,
    /// Its path in the image.
    pub to: String,
    /// The owner's number.
    #[serde(default)]
    pub owner: u32,
    /// The mode of files, octal digits in a string; directories and programs get
    /// an `x` for each `r`.
    #[serde(default = "default_mode", deserialize_with = "octal")]
    pub mode: u32,
    /// Globs of what is left out.
    #[serde(default)]
    pub exclude: Vec<String>,
}

fn default_mode() -> u32 {
    0o644
}

fn octal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let digits = String::deserialize(deserializer)?;
    let mode = u32::from_str_radix(&digits, 8).ok();
    mode.filter(|mode| *mode <= 0o7777)
        .ok_or_else(|| serde::de::Error::custom(format!("`{digits}` is not a mode, as `0644` is")))
}

impl AssetTable {
    pub(super) fn check(&self) -> Result<(), ConfigurationError> {
        let within = |component| matches!(component, Component::Normal(_) | Component::CurDir);
        if self.from.as_os_str().is_empty() || !self.from.components().all(within) {
            return wrong(
                "image.assets.from",
                "must be a path within the repository: what lies outside is not in the commit",
            );
        }
        if !self.to.starts_with('/') || self.to.split('/').any(|part| part == "..") {
            return wrong("image.assets.to", "must be an absolute path without `..`");
        }
        match Exclude::new(&self.exclude) {
            Ok(_) => Ok(()),
            Err(error) => wrong("image.assets.exclude", &format!("has {error}")),
        }
    }

    /// The assets in `checkout` without what is made `apart`. The globs have been checked.
    pub(crate) fn assets(
        &self,
        checkout: &Path,
        apart: Vec<PathBuf>,
    ) -> Result<Assets, ConfigurationError> {
        let from = checkout.join(&self.from);
        if !from.exists() {
            let reason = format!("is `{}`, which is not there", self.from.display());
            wrong("image.assets.from", &reason)?;
        }
        Ok(Assets {
            from,
            apart,
            to: self.to.clone(),
            owner: self.owner.into(),
            mode: self.mode,
            exclude: Exclude::new(&self.exclude).unwrap_or_default(),
        })
    }
}
