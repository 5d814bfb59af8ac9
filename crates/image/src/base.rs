//! The image that another one is built on: a value.

use std::collections::BTreeMap;
use std::path::PathBuf;

use oci::{
    Descriptor, Digest, Empty, History, ImageConfig, Manifest, Platform, annotation, media_type,
};

use crate::entry::Entry;
use crate::error::ImageError;
use crate::layout::Layout;
use crate::recipe::Recipe;

/// A base: its layers and what its configuration hands down.
///
/// The bytes of its layers need not be here. Blobs that are nowhere on this
/// machine are left out of the layout, which says so; the registry that the
/// image is pushed to must have them, or get them by a mount.
#[derive(Debug, Clone)]
pub struct Base {
    /// The reference that was asked for, such as `debian:12`.
    pub name: Option<String>,
    /// The digest of the manifest for this platform.
    pub digest: Digest,
    /// The manifest's media type, as it was sent.
    pub media_type: String,
    /// The layers, lowest first, each with the digest of its tar.
    pub layers: Vec<(Descriptor, Digest)>,
    /// The configuration.
    pub config: ImageConfig,
    /// Where blobs are, for those that are here.
    pub blobs: Option<PathBuf>,
    /// Whether it was built here, from a Dockerfile: no registry has it under its
    /// digest, which the image then does not say.
    pub built: bool,
}

impl Base {
    /// The base of a manifest and the configuration that it names. Layers in
    /// Docker's words get the specification's: the bytes are the same.
    pub fn new(
        descriptor: &Descriptor,
        manifest: &Manifest,
        config: &[u8],
    ) -> Result<Self, ImageError> {
        if Digest::of(config) != manifest.config.digest {
            return Err(ImageError::TamperedBlob {
                expected: manifest.config.digest,
                actual: Digest::of(config),
            });
        }
        let config: ImageConfig = serde_json::from_slice(config)
            .map_err(|error| ImageError::Base(format!("its configuration: {error}")))?;
        let diff_ids = &config.rootfs.diff_ids;
        if diff_ids.len() != manifest.layers.len() {
            return Err(ImageError::Base(format!(
                "its manifest lists {} layers, its configuration {}",
                manifest.layers.len(),
                diff_ids.len()
            )));
        }
        let layers = manifest.layers.iter().map(|layer| Descriptor {
            media_type: media_type::as_oci(&layer.media_type).to_owned(),
            ..layer.clone()
        });
        Ok(Self {
            name: None,
            digest: descriptor.digest,
            media_type: descriptor.media_type.clone(),
            layers: layers.zip(diff_ids.iter().copied()).collect(),
            config,
            blobs: None,
            built: false,
        })
    }

    /// The image of a layout, for `platform` where it holds several.
    pub fn from_layout(layout: &Layout, platform: &Platform) -> Result<Self, ImageError> {
        let stored = layout.stored()?;
        let image = stored.image_for(platform);
        let image =
            image.ok_or_else(|| ImageError::Base(format!("it has no image for {platform}")))?;
        let config = layout.document(&image.manifest.config)?;
        let mut base = Self::new(&image.descriptor, &image.manifest, &config)?;
        base.blobs = Some(layout.blobs());
        Ok(base)
    }

    /// Makes sure that programs for `platform` run on this base.
    pub(crate) fn fits(&self, platform: &Platform) -> Result<(), ImageError> {
        let Self { config, .. } = self;
        if config.os == platform.os && config.architecture == platform.architecture {
            return Ok(());
        }
        Err(ImageError::Base(format!(
            "it is for {}/{}, the image for {platform}",
            config.os, config.architecture
        )))
    }

    /// Refuses paths below what is a link to `/usr` in most distributions: a layer
    /// with a directory of that name replaces the link, and with it everything
    /// that the base has behind it.
    pub(crate) fn keeps_its_links(entries: &[Entry]) -> Result<(), ImageError> {
        let links = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];
        let top = |entry: &&Entry| {
            let top = entry.path.split('/').next().unwrap_or_default();
            links.contains(&top)
        };
        match entries.iter().find(top) {
            Some(Entry { path, .. }) => Err(ImageError::Base(format!(
                "`/{path}` would replace a link that it may have; use `/usr/{path}`"
            ))),
            None => Ok(()),
        }
    }

    /// How the base's layers came to be: its own account, where that is
    /// consistent, and otherwise one line for each.
    pub(crate) fn history(&self) -> Vec<History> {
        let account = &self.config.history;
        let layers = account.iter().filter(|step| !step.empty_layer).count();
        if layers == self.layers.len() {
            return account.clone();
        }
        let of_base = History {
            created_by: Some("base".to_owned()),
            comment: self.name.clone(),
            ..History::default()
        };
        vec![of_base; self.layers.len()]
    }
}

/// Variables of the base, then the recipe's, which win where both have one.
pub(crate) fn environment(recipe: &Recipe) -> Vec<String> {
    let mut variables: BTreeMap<&str, String> = BTreeMap::new();
    if let Some(base) = &recipe.base {
        for pair in &base.config.config.env {
            let name = pair.split('=').next().unwrap_or_default();
            variables.insert(name, pair.clone());
        }
    }
    for (name, value) in &recipe.environment {
        variables.insert(name, format!("{name}={value}"));
    }
    variables.into_values().collect()
}

/// Labels of the base that speak of files and not of the base itself, then the
/// recipe's annotations and labels.
pub(crate) fn labels(recipe: &Recipe) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    if let Some(base) = &recipe.base {
        let of_itself = |name: &str| {
            name.starts_with("org.opencontainers.image.") || name.starts_with("org.label-schema.")
        };
        let theirs = base.config.config.labels.iter();
        labels.extend(
            theirs
                .filter(|(name, _)| !of_itself(name))
                .map(|(name, value)| (name.clone(), value.clone())),
        );
    }
    labels.extend(recipe.annotations.clone());
    labels.extend(recipe.labels.clone());
    // `created` has a field of its own in the configuration.
    labels.remove(annotation::CREATED);
    labels
}

/// Ports of the base, and the recipe's.
#[expect(
    clippy::zero_sized_map_values,
    reason = "the specification writes a set so"
)]
pub(crate) fn ports(recipe: &Recipe) -> BTreeMap<String, Empty> {
    let mut ports = BTreeMap::new();
    if let Some(base) = &recipe.base {
        ports.extend(base.config.config.exposed_ports.clone());
    }
    let ours = recipe.ports.iter();
    ports.extend(ours.map(|port| (format!("{port}/tcp"), Empty {})));
    ports
}

#[cfg(test)]
mod tests;
