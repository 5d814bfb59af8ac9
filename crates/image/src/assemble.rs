//! Recipes into a layout.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;

use oci::{
    Descriptor, Digest, History, ImageConfig, Index, Manifest, RootFilesystem, RuntimeConfig,
    annotation, media_type,
};

use crate::base::{self, Base};
use crate::compatibility::COMPATIBILITY;
use crate::error::ImageError;
use crate::layout::{Layout, LayoutWriter};
use crate::pack::pack;
use crate::recipe::{LayerRecipe, Recipe, RecordedInputs};
use crate::store::{LayerStore, StoredLayer};

/// What Docker Engine runs at most (`maxLayerDepth` of its layer store).
const MOST_LAYERS: usize = 125;

/// What assembling needs besides the recipe; none of it shapes a digest.
#[derive(Clone, Copy)]
pub struct Assembly<'a> {
    /// Layers that were packed before.
    pub store: &'a LayerStore,
    /// Threads that compress.
    pub threads: NonZeroUsize,
    /// Is told of each layer as soon as it is packed or found, from any thread.
    pub observe: &'a (dyn Fn(&StoredLayer) + Sync),
}

impl<'a> Assembly<'a> {
    /// With as many threads as the machine has, telling nobody.
    pub fn new(store: &'a LayerStore) -> Self {
        Self {
            store,
            threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            observe: &|_| {},
        }
    }
}

/// One layer of an image, as manifest and configuration list it.
pub(crate) struct FinishedLayer {
    pub(crate) descriptor: Descriptor,
    pub(crate) diff_id: Digest,
}

/// Writes the image of `recipe` as a layout at `directory`, replacing a layout
/// that is there only when the new one is complete.
pub fn assemble(
    recipe: &Recipe,
    directory: &Path,
    assembly: Assembly<'_>,
) -> Result<Layout, ImageError> {
    let mut writer = LayoutWriter::create(directory)?;
    let images = images(std::slice::from_ref(recipe), &mut writer, assembly)?;
    let [image] = images.try_into().map_err(|_| interrupted())?;
    writer.finish(image)
}

/// What an index says besides its images.
#[derive(Debug, Clone, Default)]
pub struct IndexRecipe {
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// What it records of the inputs of all its images, if that is known.
    pub inputs: Option<RecordedInputs>,
}

/// Writes the images of `recipes`, each for another platform, as a layout of one
/// index.
pub fn assemble_index(
    recipes: &[Recipe],
    whole: &IndexRecipe,
    directory: &Path,
    assembly: Assembly<'_>,
) -> Result<Layout, ImageError> {
    for (position, recipe) in recipes.iter().enumerate() {
        if recipes[..position]
            .iter()
            .any(|other| other.platform == recipe.platform)
        {
            return Err(ImageError::DuplicatePlatform(recipe.platform.clone()));
        }
    }
    let mut writer = LayoutWriter::create(directory)?;
    let mut manifests = images(recipes, &mut writer, assembly)?;
    for (descriptor, recipe) in manifests.iter_mut().zip(recipes) {
        descriptor.platform = Some(recipe.platform.clone());
    }
    // The order in which platforms were named does not shape the digest.
    manifests.sort_by_key(|descriptor| descriptor.platform.as_ref().map(ToString::to_string));
    let mut annotations = with_compatibility(&whole.annotations);
    record(whole.inputs.as_ref(), &mut annotations, &writer)?;
    let index = Index {
        schema_version: 2,
        media_type: Some(media_type::INDEX.to_owned()),
        manifests,
        subject: None,
        annotations,
    };
    let index = writer.add_document(media_type::INDEX, &index)?;
    writer.finish(index)
}

fn images(
    recipes: &[Recipe],
    writer: &mut LayoutWriter,
    assembly: Assembly<'_>,
) -> Result<Vec<Descriptor>, ImageError> {
    for recipe in recipes {
        let base = recipe.base.as_ref().map_or(0, |base| base.layers.len());
        if base + recipe.layers.len() > MOST_LAYERS {
            return Err(ImageError::TooManyLayers(base + recipe.layers.len()));
        }
        if let Some(base) = &recipe.base {
            base.fits(&recipe.platform)?;
            for layer in &recipe.layers {
                Base::keeps_its_links(&layer.entries)?;
            }
        }
    }
    let packed = pack(recipes, &writer.blobs(), assembly)?;
    let mut images = Vec::new();
    for (recipe, layers) in recipes.iter().zip(packed) {
        add_blobs(recipe, &layers, writer)?;
        images.push(add_image(recipe, layers, writer)?);
    }
    assembly.store.tidy()?;
    Ok(images)
}

/// The base's blobs, where they are here, and those of published layers, which
/// are not.
fn add_blobs(
    recipe: &Recipe,
    layers: &[FinishedLayer],
    writer: &mut LayoutWriter,
) -> Result<(), ImageError> {
    if let Some(base) = &recipe.base {
        for (layer, _) in &base.layers {
            let file = base
                .blobs
                .as_ref()
                .map(|blobs| blobs.join(layer.digest.hex()))
                .filter(|file| file.is_file());
            // No registry has what was built here.
            if base.built && file.is_none() {
                return Err(ImageError::MissingBlob(layer.digest));
            }
            writer.add_blob(&layer.digest, file.as_deref())?;
        }
    }
    for layer in layers {
        writer.add_blob(&layer.descriptor.digest, None)?;
    }
    Ok(())
}

fn add_image(
    recipe: &Recipe,
    ours: Vec<FinishedLayer>,
    writer: &LayoutWriter,
) -> Result<Descriptor, ImageError> {
    let (mut layers, mut diff_ids, mut history) = (Vec::new(), Vec::new(), Vec::new());
    let mut annotations = with_compatibility(&recipe.annotations);
    if let Some(base) = &recipe.base {
        for (layer, diff_id) in &base.layers {
            layers.push(layer.clone());
            diff_ids.push(*diff_id);
        }
        history = base.history();
        let digest = (!base.built).then(|| base.digest.to_string());
        annotations.extend(digest.map(|digest| (annotation::BASE_DIGEST.to_owned(), digest)));
        let name = base.name.iter();
        annotations.extend(name.map(|name| (annotation::BASE_NAME.to_owned(), name.clone())));
    }
    record(recipe.inputs.as_ref(), &mut annotations, writer)?;
    for (layer, of) in ours.into_iter().zip(&recipe.layers) {
        layers.push(layer.descriptor);
        diff_ids.push(layer.diff_id);
        history.push(step(recipe, of));
    }
    let config = ImageConfig {
        created: Some(recipe.created.clone()),
        architecture: recipe.platform.architecture.clone(),
        os: recipe.platform.os.clone(),
        variant: recipe.platform.variant.clone(),
        config: runtime(recipe),
        rootfs: RootFilesystem {
            kind: "layers".to_owned(),
            diff_ids,
        },
        history,
    };
    let config = writer.add_document(media_type::CONFIG, &config)?;
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(media_type::MANIFEST.to_owned()),
        artifact_type: None,
        config,
        layers,
        subject: None,
        annotations,
    };
    writer.add_document(media_type::MANIFEST, &manifest)
}

/// Says what an image or an index was made from.
fn record(
    inputs: Option<&RecordedInputs>,
    annotations: &mut BTreeMap<String, String>,
    writer: &LayoutWriter,
) -> Result<(), ImageError> {
    if let Some(inputs) = inputs {
        let digest = writer.add_bytes(&inputs.document)?;
        annotations.insert(annotation::INPUTS.to_owned(), digest.to_string());
        annotations.insert(annotation::DECLARED.to_owned(), inputs.declared.clone());
        let program = inputs.program.clone();
        annotations.extend(program.map(|program| (annotation::PROGRAM.to_owned(), program)));
    }
    Ok(())
}

/// What the container engine starts, and as whom. Where the recipe has a program, a
/// base's arguments and health check speak of another one.
fn runtime(recipe: &Recipe) -> RuntimeConfig {
    let base = recipe.base.as_ref().map(|base| &base.config.config);
    let inherited = |own: &Option<String>, of: fn(&RuntimeConfig) -> &Option<String>| {
        let theirs = base.and_then(|base| of(base).clone());
        own.clone().or(theirs.filter(|text| !text.is_empty()))
    };
    let program = base.filter(|_| recipe.entrypoint.is_empty());
    RuntimeConfig {
        user: inherited(&recipe.user, |base| &base.user),
        exposed_ports: base::ports(recipe),
        env: base::environment(recipe),
        entrypoint: program
            .map_or_else(|| recipe.entrypoint.clone(), |base| base.entrypoint.clone()),
        cmd: program.map(|base| base.cmd.clone()).unwrap_or_default(),
        healthcheck: program.and_then(|base| base.healthcheck.clone()),
        volumes: base.map(|base| base.volumes.clone()).unwrap_or_default(),
        working_dir: inherited(&recipe.working_directory, |base| &base.working_dir)
            .or_else(|| Some("/".to_owned())),
        labels: base::labels(recipe),
        stop_signal: program
            .and_then(|base| base.stop_signal.clone())
            .or_else(|| Some("SIGTERM".to_owned())),
    }
}

fn step(recipe: &Recipe, layer: &LayerRecipe) -> History {
    History {
        created: Some(recipe.created.clone()),
        created_by: Some("longshore".to_owned()),
        comment: Some(layer.kind.comment()),
        empty_layer: false,
    }
}

fn with_compatibility(annotations: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut annotations = annotations.clone();
    annotations.insert(
        annotation::COMPATIBILITY.to_owned(),
        COMPATIBILITY.to_string(),
    );
    annotations
}

fn interrupted() -> ImageError {
    ImageError::Io(std::io::Error::other("an image was lost on the way"))
}
