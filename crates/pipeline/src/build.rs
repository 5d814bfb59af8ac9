//! `longshore build`: a source into a layout. No credentials, no network but
//! cargo's own.

mod archive;
mod contents;
mod dockerfile;
mod failure;
mod imprints;
mod kept;
mod materials;
mod platform;
mod several;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use attest::Contents;
use build::{Builder, Declared, Environment, Source};
use image::{Assembly, ImageError, IndexRecipe, Layout, Recipe, Stored, StoredLayer};
use oci::Platform;
use receipts::{BuildReceipt, Layer, PlatformBuild};

use crate::base::BaseFailure;
use crate::configuration::{Configuration, ConfigurationError, ImageTable};
use crate::event::{Event, Observer, Stage};
use crate::inputs::ExpectedImage;
use crate::publish::Logins;
use crate::recipe::rfc3339;

pub use archive::{Archive, ArchiveError, ArchiveForm};
pub(crate) use contents::contents_of;
pub(crate) use failure::image_problem;
pub use failure::{BuildFailure, layout_problem};
pub(crate) use imprints::imprint_receipts;
pub(crate) use materials::Materials;
pub(crate) use platform::PlatformPlan;
pub(crate) use several::MadeProgram;

/// What a machine gives to its builds.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    /// The environment that compilers and builders are started in.
    pub environment: Environment,
    /// Where a login to the registry of the base may come from.
    pub logins: Logins,
    /// What builds the Dockerfile, whatever the configuration says.
    pub builder: Option<Builder>,
}

/// A program that was compiled elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedProgram {
    /// What it runs on.
    pub platform: Platform,
    /// Where it is.
    pub file: PathBuf,
}

/// What will be built, and where to.
#[derive(Debug, Clone)]
pub struct BuildPlan {
    /// The checkout's directory.
    pub checkout: PathBuf,
    /// The image.
    pub image: ImageTable,
    /// What is said of all images.
    pub configuration: Configuration,
    /// The commit.
    pub source: Source,
    /// Where the layout goes.
    pub layout: PathBuf,
    /// What is written besides it.
    pub archives: Vec<Archive>,
    /// The image of each platform, in the order that an index lists them.
    pub(crate) platforms: Vec<PlatformPlan>,
}

/// A finished build.
#[derive(Debug, Clone)]
pub struct Built {
    /// The image, or the index of those of several platforms.
    pub stored: Stored,
    /// What machines read.
    pub receipt: BuildReceipt,
}

/// The commit of `checkout`. One with uncommitted changes is refused unless
/// `allow_dirty`.
pub async fn read_source(checkout: &Path, allow_dirty: bool) -> Result<Source, BuildFailure> {
    build::hide_ours(checkout)?;
    let source = Source::read(checkout).await?;
    if source.dirty() && !allow_dirty {
        return Err(BuildFailure::Dirty(source));
    }
    Ok(source)
}

impl BuildPlan {
    /// Plans to build `image` of `configuration` from the source of `checkout`, which
    /// [`read_source`] gave, on `machine`.
    pub fn new(
        checkout: &Path,
        configuration: &Configuration,
        (image, source): (&ImageTable, &Source),
        layout: PathBuf,
        machine: Machine,
    ) -> Result<Self, BuildFailure> {
        let machine = Arc::new(machine);
        let images = image.for_each_platform().into_iter();
        let platforms =
            images.map(|image| PlatformPlan::new(checkout, image, source, Arc::clone(&machine)));
        Ok(Self {
            checkout: checkout.to_owned(),
            image: image.clone(),
            configuration: configuration.clone(),
            source: source.clone(),
            layout,
            archives: Vec::new(),
            platforms: platforms.collect::<Result<_, _>>()?,
        })
    }

    /// Has `program` taken in the place of one that is compiled here.
    pub fn prepare(&mut self, program: PreparedProgram) -> Result<(), BuildFailure> {
        let wrong = |reason| {
            let key = "image.platforms";
            BuildFailure::Configuration(ConfigurationError::Value { key, reason })
        };
        let wanted = program.platform.to_string();
        let known: Vec<_> = self
            .platforms
            .iter()
            .map(|plan| plan.platform().to_string())
            .collect();
        let own = self.platforms.iter_mut();
        let Some(own) = own.zip(&known).find(|(_, known)| **known == wanted) else {
            let known = known.join(", ");
            let reason =
                format!("lists no `{wanted}`, for which there is a program; it is {known}");
            return Err(wrong(reason));
        };
        let plan = own.0;
        if plan.image.package.is_none() {
            let reason = format!("has a program for `{wanted}`, and the image has no package");
            return Err(wrong(reason));
        }
        plan.prepared = Some(program.file);
        Ok(())
    }

    /// Compiles, unless nothing has changed since that was last done here; packs,
    /// and writes the layout.
    pub async fn execute(&self, observe: Observer<'_>) -> Result<Built, BuildFailure> {
        let mut built = Self::execute_all(std::slice::from_ref(self), observe).await?;
        let lost = || BuildFailure::Interrupted("the image was lost".to_owned());
        built.pop().ok_or_else(lost)
    }

    /// Has cargo put what it makes below `directory`, and nothing of earlier builds
    /// enter.
    pub(crate) fn build_apart(&mut self, directory: &Path) {
        for plan in &mut self.platforms {
            plan.target_directory = Some(directory.to_owned());
        }
    }

    /// Packs what was compiled, and writes the layout.
    async fn finish(
        &self,
        materials: &[Materials],
        programs: &[MadeProgram],
        observe: Observer<'_>,
    ) -> Result<Built, BuildFailure> {
        self.fetch_bases(observe).await?;
        let mut expected = Vec::new();
        let mut contents = Vec::new();
        for ((plan, materials), program) in self.platforms.iter().zip(materials).zip(programs) {
            let mut of = match &program.compiled {
                Some(compiled) => plan.expected_of(materials, compiled).await?,
                None => plan.expected_before(materials, Declared::default()).await?,
            };
            let installed = plan.settle(materials, &mut of.recipe, observe).await?;
            expected.push(of);
            let compiled = materials.dependencies().await;
            let compiled = compiled.map_err(BuildFailure::Engine)?;
            contents.push(Contents {
                compiled,
                installed,
            });
        }
        observe(Event::Stage(Stage::Assemble));
        let started = Instant::now();
        let expected = ExpectedImage::new(expected);
        let stored = self.assemble(expected, &contents, |_| {}).await?;
        let receipt = self.receipt(&stored, programs, started);
        Ok(Built { stored, receipt })
    }

    async fn fetch_bases(&self, observe: Observer<'_>) -> Result<(), BuildFailure> {
        if self.platforms.iter().any(|plan| plan.base.is_some()) {
            observe(Event::Stage(Stage::Base));
        }
        for plan in &self.platforms {
            if let Some(base) = &plan.base {
                let fetched = base.fetch(&plan.machine.logins).await;
                fetched.map_err(base_failed)?;
            }
        }
        Ok(())
    }

    fn receipt(&self, stored: &Stored, programs: &[MadeProgram], started: Instant) -> BuildReceipt {
        let platforms = self.platforms.iter().zip(stored.images()).zip(programs);
        let platforms = platforms.map(|((plan, image), program)| {
            let binary = program.compiled.as_ref().map(|compiled| &compiled.binary);
            PlatformBuild {
                platform: plan.platform().to_string(),
                digest: image.descriptor.digest.to_string(),
                size_bytes: image.size(),
                binary_bytes: binary.map_or(0, |binary| binary.size),
                binary: binary.map(|binary| binary.path.display().to_string()),
            }
        });
        let platforms: Vec<_> = platforms.collect();
        let compiled = programs
            .iter()
            .filter_map(|program| program.compiled.as_ref());
        let imprints = compiled.flat_map(|compiled| compiled.imprints.clone());
        let imprints: Vec<_> = imprints.collect();
        BuildReceipt {
            digest: stored.descriptor().digest.to_string(),
            layout: self.layout.display().to_string(),
            source: source_receipt(&self.source),
            layers: layers(stored),
            size_bytes: stored.size(),
            binary_bytes: platforms.iter().map(|of| of.binary_bytes).sum(),
            platforms,
            imprints: imprint_receipts(self.image.reproducible, &imprints),
            compiled: programs.iter().any(|program| program.is_new),
            compile_milliseconds: 0,
            assemble_milliseconds: milliseconds(started),
        }
    }

    /// The whole image of programs that are not compiled, were the compile for each
    /// platform to look at what `declared` says.
    pub(crate) async fn expected_before(
        &self,
        materials: &[Materials],
        declared: impl Fn(&Platform) -> Declared,
    ) -> Result<ExpectedImage, BuildFailure> {
        let mut expected = Vec::new();
        for (plan, materials) in self.platforms.iter().zip(materials) {
            let declared = declared(&plan.platform());
            expected.push(plan.expected_before(materials, declared).await?);
        }
        Ok(ExpectedImage::new(expected))
    }

    /// Writes the layout, telling `observe` of each layer as soon as it is packed.
    pub(crate) async fn assemble(
        &self,
        expected: ExpectedImage,
        contents: &[Contents],
        observe: impl Fn(&StoredLayer) + Send + Sync + 'static,
    ) -> Result<Stored, BuildFailure> {
        let (plan, contents) = (self.clone(), contents.to_vec());
        blocking(move || {
            let store = platform::store(&plan.checkout)?;
            let assembly = Assembly {
                observe: &observe,
                ..Assembly::new(&store)
            };
            let whole = expected.index();
            let recipes: Vec<_> = expected.recipes().collect();
            let write = || {
                let layout = plan.write(&recipes, &whole, assembly)?;
                let stored = layout.stored()?;
                contents::write(&contents, &stored, &plan.layout)?;
                for archive in &plan.archives {
                    archive.write(&layout, &stored)?;
                }
                Ok(stored)
            };
            write().map_err(BuildFailure::Image)
        })
        .await
    }

    fn write(
        &self,
        recipes: &[Recipe],
        whole: &IndexRecipe,
        assembly: Assembly<'_>,
    ) -> Result<Layout, ImageError> {
        match recipes {
            [recipe] => image::assemble(recipe, &self.layout, assembly),
            recipes => image::assemble_index(recipes, whole, &self.layout, assembly),
        }
    }
}

pub(crate) fn base_failed(error: BaseFailure) -> BuildFailure {
    BuildFailure::Base(Box::new(error))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BuildFailure> + Send + 'static,
) -> Result<T, BuildFailure> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(BuildFailure::Interrupted(error.to_string())))
}

fn source_receipt(source: &Source) -> receipts::Source {
    receipts::Source {
        commit: source.commit.clone(),
        committed_at: rfc3339(source.committed_at),
        dirty: source.dirty(),
        repository: source.repository.clone(),
    }
}

fn layers(stored: &Stored) -> Vec<Layer> {
    let layer = |layer: &oci::Descriptor| Layer {
        digest: layer.digest.to_string(),
        size_bytes: layer.size,
        origin: None,
    };
    stored.layers().into_iter().map(layer).collect()
}

/// Milliseconds since `started`, as receipts count.
pub(crate) fn milliseconds(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}
