//! The image of a Dockerfile, as the base of ours.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use attest::{Contents, Installed};
use build::{BuildError, Dockerfile, DockerfileBuild};
use fs_err as fs;
use image::{Base, ImageError, Import, Layout, Recipe, Secret};
use oci::{Digest, ImageConfig, Platform, RootFilesystem, RuntimeConfig, media_type};

use super::kept::{BUILDING, PREFIX, USED, presence, prune, turn};
use super::{BuildFailure, Materials, PlatformPlan, base_failed, blocking, contents};
use crate::base::Pins;
use crate::configuration::{ConfigurationError, DockerfileTable};
use crate::event::{Event, Observer, Stage};
use crate::recipe::{placeholders, put_on};

/// Where images of Dockerfiles are kept, below the checkout.
const KEPT: &str = "target/longshore/dockerfile";

impl PlatformPlan {
    /// What the Dockerfile's image would be built from.
    pub(super) fn look_at_dockerfile(&self) -> Result<Option<Dockerfile>, BuildFailure> {
        let Some(table) = &self.image.dockerfile else {
            return Ok(None);
        };
        let mut build = self.dockerfile_build(table)?;
        let file = self.checkout.join(&table.file);
        let images = DockerfileBuild::images(&file, &build.arguments, &build.architecture);
        let images = images.map_err(BuildFailure::Engine)?;
        let pins = Pins::of(&images, &self.checkout).map_err(base_failed)?;
        build.plain_http = pins.plain_http;
        build
            .look(pins.digests)
            .map(Some)
            .map_err(BuildFailure::Engine)
    }

    fn dockerfile_build(&self, table: &DockerfileTable) -> Result<DockerfileBuild, BuildFailure> {
        let placeholders = placeholders(&self.source);
        let mut arguments = BTreeMap::new();
        for (name, template) in &table.arguments {
            let value = placeholders.fill(template).map_err(|placeholder| {
                BuildFailure::Configuration(ConfigurationError::Value {
                    key: "image.dockerfile.arguments",
                    reason: format!("gives `{name}` the unknown placeholder `{placeholder}`"),
                })
            })?;
            arguments.insert(name.clone(), value);
        }
        Ok(DockerfileBuild {
            checkout: self.checkout.clone(),
            dockerfile: table.file.clone(),
            context: table.context.clone(),
            target: table.target.clone(),
            beside_cargo: self.image.package.is_some(),
            arguments,
            secrets: table.secrets.clone(),
            architecture: self.platform().architecture,
            source_date_epoch: self.source.committed_at,
            builder: self.machine.builder.or(table.builder),
            environment: self.machine.environment.clone(),
            plain_http: false,
            fresh: self.target_directory.is_some(),
        })
    }

    /// Has the Dockerfile built, unless its image is kept or there is none, and puts
    /// `recipe` on it in the place of its stand-in. What its files tell to be in it comes
    /// back.
    pub(crate) async fn settle(
        &self,
        materials: &Materials,
        recipe: &mut Recipe,
        observe: Observer<'_>,
    ) -> Result<Option<Installed>, BuildFailure> {
        let Some(dockerfile) = &materials.dockerfile else {
            return Ok(None);
        };
        // It is a small part of what awaits it, but not of its size.
        let (base, mut installed) = Box::pin(self.built(dockerfile, recipe, observe)).await?;
        put_on(recipe, &self.image, &self.source, base).map_err(BuildFailure::Configuration)?;
        for entry in recipe.layers.iter().flat_map(|layer| &layer.entries) {
            installed.replace(&format!("/{}", entry.path));
        }
        Ok(Some(installed))
    }

    async fn built(
        &self,
        dockerfile: &Dockerfile,
        recipe: &Recipe,
        observe: Observer<'_>,
    ) -> Result<(Base, Installed), BuildFailure> {
        let inputs = dockerfile.inputs().digest();
        let place = self.kept(&inputs, recipe);
        let platform = self.platform();
        // Several images of a run may be on one: who comes first builds it for all.
        let turn = turn(&place);
        let _turn = turn.lock().await;
        let apart = self.target_directory.is_some();
        if !apart && let Some(kept) = kept(&place, &platform) {
            return Ok(kept);
        }
        observe(Event::Stage(Stage::Dockerfile));
        let _presence = presence(&self.checkout.join(KEPT)).map_err(engine_io)?;
        let beside = tempfile::Builder::new()
            .prefix(BUILDING)
            .tempdir_in(self.checkout.join(KEPT))
            .map_err(engine_io)?;
        let lines = |line: &str| observe(Event::Builder(line));
        let archive = dockerfile.run(beside.path(), &lines).await;
        let archive = archive.map_err(BuildFailure::Engine)?;
        let secrets = dockerfile.secrets().map_err(BuildFailure::Engine)?;
        let secrets = secrets.into_iter();
        let secrets: Vec<_> = secrets
            .map(|(name, value)| Secret { name, value })
            .collect();
        let compression = recipe.compression;
        let checkout = self.checkout.clone();
        blocking(move || {
            // Another process was as fast: what it put there may be in use.
            if !apart && let Some(kept) = kept(&place, &platform) {
                return Ok(kept);
            }
            let import = Import {
                compression,
                inputs,
                secrets: &secrets,
                threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            };
            let made = imported(&archive, &place, &import, &platform);
            let made = made.map_err(BuildFailure::Image)?;
            prune(&checkout.join(KEPT));
            Ok(made)
        })
        .await
    }

    fn kept(&self, inputs: &Digest, recipe: &Recipe) -> PathBuf {
        let key = format!("{inputs} {} {}", recipe.compression, image::COMPATIBILITY);
        let key = Digest::of(key.as_bytes());
        let apart = self.target_directory.as_ref().map_or("", |_| "apart-");
        let name = format!("{PREFIX}{apart}{}", &key.hex()[..32]);
        self.checkout.join(KEPT).join(name)
    }
}

/// What stands for the image of a Dockerfile that is not built: enough to tell what
/// the whole image would be made from.
pub(super) fn stand_in(dockerfile: &Dockerfile, platform: &Platform) -> Base {
    Base {
        name: None,
        digest: dockerfile.inputs().digest(),
        media_type: media_type::MANIFEST.to_owned(),
        layers: Vec::new(),
        config: ImageConfig {
            created: None,
            architecture: platform.architecture.clone(),
            os: platform.os.clone(),
            variant: platform.variant.clone(),
            config: RuntimeConfig::default(),
            rootfs: RootFilesystem {
                kind: "layers".to_owned(),
                diff_ids: Vec::new(),
            },
            history: Vec::new(),
        },
        blobs: None,
        built: true,
    }
}

/// Imports the image of `archive` to `place`, and keeps what is installed in it there.
fn imported(
    archive: &Path,
    place: &Path,
    import: &Import<'_>,
    platform: &Platform,
) -> Result<(Base, Installed), ImageError> {
    let (layout, installed) = image::import(archive, place, import)?;
    let known = Contents {
        compiled: None,
        installed: Some(installed.clone()),
    };
    contents::write(&[known], &layout.stored()?, place)?;
    Ok((base_of(&layout, platform)?, installed))
}

/// The image of a layout that a builder made, to put things on.
fn base_of(layout: &Layout, platform: &Platform) -> Result<Base, ImageError> {
    Ok(Base {
        built: true,
        ..Base::from_layout(layout, platform)?
    })
}

/// The image that was kept at `place`, with what is installed in it; one that is damaged
/// counts as none.
fn kept(place: &Path, platform: &Platform) -> Option<(Base, Installed)> {
    let layout = Layout::open(place).ok()?;
    layout.check(NonZeroUsize::MIN).ok()?;
    let contents = contents::contents_of(&layout.stored().ok()?, place);
    let installed = contents.into_iter().next()?.installed?;
    let base = base_of(&layout, platform).ok()?;
    // Written each time: its own time tells when the image was used last.
    let _ = fs::write(place.join(USED), "");
    Some((base, installed))
}

fn engine_io(error: std::io::Error) -> BuildFailure {
    BuildFailure::Engine(BuildError::Io(error))
}
