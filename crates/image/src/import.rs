//! An image that another tool built, in the form of our own.
//!
//! Builders differ in what they write for the same files: times, the order of
//! entries, which parents a layer repeats, how it says that a directory was emptied,
//! what a `RUN` leaves behind of the engine's own mounts. An image's digest should
//! follow from its files and its settings alone, so each layer is read, judged against
//! what the layers below it make, and written anew. docs/images.md tells the rules.
//! The archive is foreign: every digest in it is checked, every path is.

use std::num::NonZeroUsize;
use std::path::Path;

use fs_err as fs;
use oci::{
    Descriptor, Digest, History, ImageConfig, Manifest, RootFilesystem, RuntimeConfig, annotation,
    media_type,
};

use crate::blocks::Blocks;
use crate::compression::Compression;
use crate::error::ImageError;
use crate::layout::{Layout, LayoutWriter};
use crate::recipe::{LayerKind, layer_inputs};
use crate::workers::Workers;

mod archive;
mod installed;
mod layer;
mod parse;
mod program;
mod secret;
#[cfg(test)]
mod tests;
mod tree;
mod window;
mod write;

use archive::Archive;
use attest::Installed;
use installed::Finder;
use layer::Normaliser;
use secret::Search;
pub use secret::Secret;

/// `PATH` where neither the Dockerfile nor its base sets one, as builders have it.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Labels that builders put in without being asked.
const LABELS_OF_BUILDERS: [&str; 1] = ["io.buildah.version"];

/// What an import needs besides the archive.
#[derive(Debug, Clone)]
pub struct Import<'a> {
    /// How layers are compressed.
    pub compression: Compression,
    /// The digest of what the image was built from; each layer records it.
    pub inputs: Digest,
    /// What must not be in the image.
    pub secrets: &'a [Secret],
    /// Threads that compress.
    pub threads: NonZeroUsize,
}

/// Reads the image of `archive`, which `docker save`, `buildah push docker-archive:` or
/// BuildKit's `type=docker` wrote, and leaves it as a layout at `directory`. Its files
/// tell what is installed in it.
///
/// The same files and settings give the same bytes, whichever tool built them and
/// when. Memory grows with the number of the image's paths, and not with its bytes.
pub fn import(
    archive: &Path,
    directory: &Path,
    import: &Import<'_>,
) -> Result<(Layout, Installed), ImageError> {
    let writer = LayoutWriter::create(directory)?;
    let archive = Archive::open(archive)?;
    let config = archive.config()?;
    let mut finder = Finder::default();
    let layers = Workers::run(import.threads, |workers| {
        let mut normaliser = Normaliser::new(config.config.working_dir.as_deref());
        let mut layers = Vec::new();
        for number in 0..archive.layers() {
            let data = archive.layer(number, &config.rootfs.diff_ids)?;
            let found = parse::read(&data)?;
            if let Some(content) = normaliser.layer(number, found, data)? {
                finder.layer(&content)?;
                layers.push(pack(
                    &content,
                    layers.len() + 1,
                    (&writer, workers),
                    import,
                )?);
            }
        }
        if let Some(content) = normaliser.finish() {
            layers.push(pack(
                &content,
                layers.len() + 1,
                (&writer, workers),
                import,
            )?);
        }
        Ok::<_, ImageError>(layers)
    })?;
    let layout = finish(writer, &config, layers, import.secrets)?;
    Ok((layout, finder.finish()))
}

fn pack(
    content: &layer::Content,
    number: usize,
    (writer, workers): (&LayoutWriter, &Workers),
    import: &Import<'_>,
) -> Result<(Descriptor, Digest), ImageError> {
    let output = tempfile::NamedTempFile::new_in(writer.blobs())?;
    let mut stream = workers.stream(import.compression, output);
    let mut take = |block| stream.take(block);
    let mut blocks = Blocks::new(&mut take);
    write::layer(content, import.secrets, &mut blocks)?;
    let (diff_id, _) = blocks.finish()?;
    let (digest, size, output) = stream.finish()?;
    let place = writer.blobs().join(digest.hex());
    output.persist(&place).map_err(|error| error.error)?;
    fs::set_permissions(&place, std::os::unix::fs::PermissionsExt::from_mode(0o444))?;
    let kind = LayerKind::Dockerfile(number);
    let inputs = layer_inputs(&kind, import.compression, &import.inputs);
    let mut descriptor = Descriptor::new(import.compression.media_type(), digest, size);
    let annotations = [
        (annotation::LAYER, kind.to_string()),
        (annotation::INPUTS, inputs.to_string()),
        (annotation::DIFF_ID, diff_id.to_string()),
    ];
    let annotations = annotations.map(|(name, value)| (name.to_owned(), value));
    descriptor.annotations.extend(annotations);
    Ok((descriptor, diff_id))
}

fn finish(
    writer: LayoutWriter,
    config: &ImageConfig,
    layers: Vec<(Descriptor, Digest)>,
    secrets: &[Secret],
) -> Result<Layout, ImageError> {
    let step = History {
        created_by: Some("Dockerfile".to_owned()),
        ..History::default()
    };
    let (layers, diff_ids): (Vec<_>, Vec<_>) = layers.into_iter().unzip();
    let config = ImageConfig {
        // The image's own time is the commit's.
        created: None,
        architecture: config.architecture.clone(),
        os: config.os.clone(),
        variant: config.variant.clone(),
        config: settings(&config.config),
        history: vec![step; diff_ids.len()],
        rootfs: RootFilesystem {
            kind: "layers".to_owned(),
            diff_ids,
        },
    };
    let value = serde_json::to_value(&config).map_err(std::io::Error::other)?;
    search_texts(&value, secrets)?;
    let config = writer.add_document(media_type::CONFIG, &config)?;
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(media_type::MANIFEST.to_owned()),
        artifact_type: None,
        config,
        layers,
        subject: None,
        annotations: std::collections::BTreeMap::new(),
    };
    let manifest = writer.add_document(media_type::MANIFEST, &manifest)?;
    writer.finish(manifest)
}

/// Looks at each text of the configuration as it is: encoded, it has other bytes.
fn search_texts(value: &serde_json::Value, secrets: &[Secret]) -> Result<(), ImageError> {
    let text = |text: &str| Search::new(secrets).piece("the configuration", text.as_bytes());
    match value {
        serde_json::Value::String(value) => text(value),
        serde_json::Value::Array(values) => values
            .iter()
            .try_for_each(|value| search_texts(value, secrets)),
        serde_json::Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            text(name)?;
            search_texts(value, secrets)
        }),
        _ => Ok(()),
    }
}

/// The settings that a Dockerfile can make. All that builders add of themselves, such
/// as the names of their containers, has no field here and is gone.
fn settings(config: &RuntimeConfig) -> RuntimeConfig {
    let mut config = config.clone();
    for label in LABELS_OF_BUILDERS {
        config.labels.remove(label);
    }
    if !config.env.iter().any(|pair| pair.starts_with("PATH=")) {
        config.env.insert(0, PATH.to_owned());
    }
    config.user = config.user.filter(|user| !user.is_empty());
    config.working_dir = config.working_dir.filter(|directory| !directory.is_empty());
    config.stop_signal = config.stop_signal.filter(|signal| !signal.is_empty());
    config
}
