//! A recipe into a layout.

use std::collections::BTreeMap;
use std::path::Path;

use oci::{
    Descriptor, Empty, History, ImageConfig, Manifest, RootFilesystem, RuntimeConfig, annotation,
    media_type,
};

use crate::ImageError;
use crate::entry::Entry;
use crate::layout::{LayoutWriter, StoredImage};

/// Everything an image is made of.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// Layers, lowest first.
    pub layers: Vec<LayerRecipe>,
    /// `amd64`, `arm64`.
    pub architecture: String,
    /// The program and its fixed arguments.
    pub entrypoint: Vec<String>,
    /// `user:group` by number.
    pub user: String,
    /// TCP ports that the program listens on.
    pub ports: Vec<u16>,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Labels of the configuration.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the manifest; each is also a label, for tools that read
    /// only those.
    pub annotations: BTreeMap<String, String>,
    /// When the image counts as made, RFC 3339: the commit's time.
    pub created: String,
}

/// One layer of a recipe.
#[derive(Debug, Clone)]
pub struct LayerRecipe {
    /// What it holds, for the image's history.
    pub comment: String,
    /// Its entries.
    pub entries: Vec<Entry>,
}

/// Writes the image of `recipe` as a layout at `directory`, replacing a layout
/// that is there only when the new one is complete.
pub fn assemble(recipe: &Recipe, directory: &Path) -> Result<StoredImage, ImageError> {
    let writer = LayoutWriter::create(directory)?;
    let mut layers: Vec<Descriptor> = Vec::new();
    let mut diff_ids = Vec::new();
    for layer in &recipe.layers {
        let written = writer.add_layer(&layer.entries)?;
        layers.push(written.descriptor);
        diff_ids.push(written.diff_id);
    }
    let config = ImageConfig {
        created: Some(recipe.created.clone()),
        architecture: recipe.architecture.clone(),
        os: "linux".to_owned(),
        config: runtime(recipe),
        rootfs: RootFilesystem {
            kind: "layers".to_owned(),
            diff_ids,
        },
        history: recipe
            .layers
            .iter()
            .map(|layer| history(recipe, layer))
            .collect(),
    };
    let config = writer.add_document(media_type::CONFIG, &config)?;
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(media_type::MANIFEST.to_owned()),
        artifact_type: None,
        config,
        layers,
        subject: None,
        annotations: recipe.annotations.clone(),
    };
    let manifest = writer.add_document(media_type::MANIFEST, &manifest)?;
    writer.finish(manifest)
}

fn runtime(recipe: &Recipe) -> RuntimeConfig {
    let mut labels = recipe.annotations.clone();
    labels.extend(recipe.labels.clone());
    // `created` has a field of its own in the configuration.
    labels.remove(annotation::CREATED);
    RuntimeConfig {
        user: Some(recipe.user.clone()),
        exposed_ports: recipe
            .ports
            .iter()
            .map(|port| (format!("{port}/tcp"), Empty {}))
            .collect(),
        env: recipe
            .environment
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect(),
        entrypoint: recipe.entrypoint.clone(),
        working_dir: Some("/".to_owned()),
        labels,
        stop_signal: Some("SIGTERM".to_owned()),
        ..RuntimeConfig::default()
    }
}

fn history(recipe: &Recipe, layer: &LayerRecipe) -> History {
    History {
        created: Some(recipe.created.clone()),
        created_by: Some("longshore".to_owned()),
        comment: Some(layer.comment.clone()),
    }
}
