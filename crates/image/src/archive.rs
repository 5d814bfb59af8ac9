//! A layout as one file: streamed, and the same bytes for the same image.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};

use fs_err as fs;
use oci::{Descriptor, Digest, Hasher, ImageConfig, annotation, media_type};
use serde::Serialize;

use crate::error::ImageError;
use crate::layout::{INDEX, Layout, MARKER, MARKER_CONTENT, StoredImage, index_of};
use crate::tarball;

#[cfg(test)]
mod tests;

/// Writes the layout as a tar, as `skopeo` and `podman` read it (`oci-archive:`).
/// `name` is what the image goes by in it. A layout that leaves out blobs cannot
/// be written: nobody could read the result.
pub fn write_oci_archive(
    layout: &Layout,
    name: Option<&str>,
    output: impl Write,
) -> Result<(), ImageError> {
    let stored = layout.stored()?;
    let blobs = stored.images().iter().flat_map(StoredImage::blobs);
    refuse_absent(layout, blobs)?;
    let mut archive = Archive::new(output);
    archive.bytes(MARKER, MARKER_CONTENT.as_bytes())?;
    let mut descriptor = stored.descriptor().clone();
    let name = name.map(|name| (annotation::REFERENCE_NAME.to_owned(), name.to_owned()));
    descriptor.annotations.extend(name);
    let index = index_of(descriptor, &BTreeSet::new());
    archive.bytes(INDEX, &json(&index)?)?;

    archive.blob(layout, stored.descriptor())?;
    for image in stored.images() {
        archive.blob(layout, &image.descriptor)?;
        for blob in image.blobs() {
            archive.blob(layout, blob)?;
        }
    }
    archive.finish()
}

/// Writes an image of the layout as `docker load` takes it, under `names` such as
/// `backend:latest`. Docker Engine before 23.0 reads no zstd here, so zstd layers
/// are written uncompressed: the way to the engine is short. Of an index, `image`
/// is the one for the engine's platform.
pub fn write_docker_archive(
    layout: &Layout,
    image: &StoredImage,
    names: &[String],
    output: impl Write,
) -> Result<(), ImageError> {
    refuse_absent(layout, image.blobs())?;
    let config = layout.document(&image.manifest.config)?;
    let diff_ids = serde_json::from_slice::<ImageConfig>(&config)
        .map_err(|error| ImageError::Invalid {
            file: layout.blob(&image.manifest.config.digest),
            reason: error.to_string(),
        })?
        .rootfs
        .diff_ids;
    let mut archive = Archive::new(output);
    let config_name = format!("{}.json", image.manifest.config.digest.hex());
    archive.bytes(&config_name, &config)?;
    let mut layers = Vec::new();
    for (layer, diff_id) in image.manifest.layers.iter().zip(&diff_ids) {
        layers.push(archive.docker_layer(layout, layer, diff_id)?);
    }
    let list = [DockerImage {
        config: config_name,
        repo_tags: names,
        layers,
    }];
    archive.bytes("manifest.json", &json(&list)?)?;
    archive.finish()
}

/// One line of the `manifest.json` in a docker archive.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DockerImage<'a> {
    config: String,
    repo_tags: &'a [String],
    layers: Vec<String>,
}

fn json(document: &impl Serialize) -> Result<Vec<u8>, ImageError> {
    Ok(serde_json::to_vec(document).map_err(io::Error::other)?)
}

fn refuse_absent<'a>(
    layout: &Layout,
    mut blobs: impl Iterator<Item = &'a Descriptor>,
) -> Result<(), ImageError> {
    match blobs.find(|blob| layout.is_absent(&blob.digest)) {
        Some(blob) => Err(ImageError::AbsentBlob(blob.digest)),
        None => Ok(()),
    }
}

/// A tar of plain files.
struct Archive<W> {
    output: W,
    names: BTreeSet<String>,
}

impl<W: Write> Archive<W> {
    fn new(output: W) -> Self {
        Self {
            output,
            names: BTreeSet::new(),
        }
    }

    fn bytes(&mut self, name: &str, bytes: &[u8]) -> Result<(), ImageError> {
        self.file(name, bytes.len() as u64, &mut &*bytes, None)
    }

    /// A blob of the layout under its own name, once.
    fn blob(&mut self, layout: &Layout, descriptor: &Descriptor) -> Result<(), ImageError> {
        let digest = descriptor.digest;
        let name = format!("blobs/{}/{}", digest.algorithm(), digest.hex());
        let mut file = fs::File::open(layout.blob(&digest))?;
        self.file(&name, descriptor.size, &mut file, Some(digest))
    }

    /// A layer as Docker takes it: gzip as it is, anything else as a tar.
    fn docker_layer(
        &mut self,
        layout: &Layout,
        layer: &Descriptor,
        diff_id: &Digest,
    ) -> Result<String, ImageError> {
        let path = layout.blob(&layer.digest);
        if layer.media_type != media_type::LAYER_ZSTD {
            let gzip = layer.media_type == media_type::LAYER_GZIP;
            let name = format!(
                "{}.tar{}",
                layer.digest.hex(),
                if gzip { ".gz" } else { "" }
            );
            let mut file = fs::File::open(path)?;
            self.file(&name, layer.size, &mut file, Some(layer.digest))?;
            return Ok(name);
        }
        // A tar says how long a file is before its bytes: the layer is
        // decompressed twice rather than held.
        let decompressed = || -> Result<_, ImageError> {
            let file = io::BufReader::with_capacity(1 << 18, fs::File::open(&path)?);
            Ok(zstd::Decoder::with_buffer(file)?)
        };
        let size = io::copy(&mut decompressed()?, &mut io::sink())?;
        let name = format!("{}.tar", diff_id.hex());
        self.file(&name, size, &mut decompressed()?, Some(*diff_id))?;
        Ok(name)
    }

    /// A file of `size` bytes; they must hash to `expected`.
    fn file(
        &mut self,
        name: &str,
        size: u64,
        content: &mut impl Read,
        expected: Option<Digest>,
    ) -> Result<(), ImageError> {
        if !self.names.insert(name.to_owned()) {
            return Ok(());
        }
        self.output.write_all(&tarball::file_header(name, size))?;
        let algorithm = expected.map_or_else(Default::default, |digest| digest.algorithm());
        let mut hasher = Hasher::new(algorithm);
        let mut content = content.take(size);
        let mut buffer = vec![0; 1 << 18];
        let mut written = 0;
        loop {
            let count = content.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            hasher.update(&buffer[..count]);
            self.output.write_all(&buffer[..count])?;
            written += count as u64;
        }
        let actual = hasher.finish();
        if let Some(expected) = expected
            && (actual != expected || written != size)
        {
            return Err(ImageError::TamperedBlob { expected, actual });
        }
        self.output.write_all(tarball::padding(size))?;
        Ok(())
    }

    fn finish(mut self) -> Result<(), ImageError> {
        self.output.write_all(&tarball::END)?;
        Ok(self.output.flush()?)
    }
}
