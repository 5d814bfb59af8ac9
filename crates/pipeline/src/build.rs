//! `longshore build`: a source into a layout. No credentials, no network but
//! cargo's own.

mod archive;
mod dependencies;
mod dockerfile;
mod failure;
mod imprints;
mod kept;
mod materials;
mod several;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use attest::Dependencies;
use build::{Builder, CargoBuild, Compiled, Declared, Environment, Inputs, Source, Workspace};
use image::{Assembly, Base, LayerStore, Recipe, StoredImage, StoredLayer};
use receipts::{BuildReceipt, Layer};

use oci::Platform;

use crate::base::{BaseFailure, BaseReference, LOCK_FILE_NAME, PinnedBase, platform};
use crate::configuration::{Configuration, FILE_NAME, ImageTable};
use crate::event::{Event, Observer, Stage};
use crate::inputs::Expected;
use crate::recipe::{Program, assets, recipe, rfc3339};

pub use archive::{Archive, ArchiveError, ArchiveForm};
pub(crate) use dependencies::dependencies_of;
pub(crate) use failure::image_problem;
pub use failure::{BuildFailure, layout_problem};
pub(crate) use imprints::imprint_receipts;
pub(crate) use materials::Materials;

/// Where packed layers are kept, below the checkout.
const LAYERS: &str = "target/longshore/layers";

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
    /// The environment that the compiler is started in.
    pub environment: Environment,
    /// The files that may keep a login to the registry of the base, in their order.
    pub logins: Vec<PathBuf>,
    /// The base, as it is pinned.
    pub(crate) base: Option<Arc<PinnedBase>>,
    /// What builds the Dockerfile, whatever the configuration says.
    pub builder: Option<Builder>,
    /// Where cargo puts what it makes, if not to its usual place.
    pub(crate) target_directory: Option<PathBuf>,
}

/// A finished build.
#[derive(Debug, Clone)]
pub struct Built {
    /// The image.
    pub image: StoredImage,
    /// What machines read.
    pub receipt: BuildReceipt,
}

/// The commit of `checkout`. One with uncommitted changes is refused unless
/// `allow_dirty`.
pub async fn read_source(checkout: &Path, allow_dirty: bool) -> Result<Source, BuildFailure> {
    let source = Source::read(checkout).await.map_err(BuildFailure::Engine)?;
    if source.dirty && !allow_dirty {
        return Err(BuildFailure::Dirty(source.commit));
    }
    Ok(source)
}

impl BuildPlan {
    /// Plans to build `image` of `configuration` from the source of `checkout`, which
    /// [`read_source`] gave.
    pub fn new(
        checkout: &Path,
        configuration: &Configuration,
        image: &ImageTable,
        source: &Source,
        layout: PathBuf,
    ) -> Result<Self, BuildFailure> {
        let base = PinnedBase::of(image, checkout).map_err(base_failed)?;
        Ok(Self {
            checkout: checkout.to_owned(),
            image: image.clone(),
            configuration: configuration.clone(),
            source: source.clone(),
            layout,
            archives: Vec::new(),
            environment: Environment::default(),
            logins: Vec::new(),
            base: base.map(Arc::new),
            builder: None,
            target_directory: None,
        })
    }

    /// Compiles, unless nothing has changed since that was last done here; packs,
    /// and writes the layout.
    pub async fn execute(&self, observe: Observer<'_>) -> Result<Built, BuildFailure> {
        let started = Instant::now();
        let materials = self.look().await?;
        let mut compiled = materials.compiled().map_err(BuildFailure::Engine)?;
        let was_compiled = compiled.is_none() && materials.has_program();
        if was_compiled {
            compiled = Some(self.compile(&materials, observe).await?);
        }
        let compile_milliseconds = milliseconds(started);
        let finish = self.finish(&materials, compiled.as_ref(), observe);
        let mut built = Box::pin(finish).await?;
        built.receipt.compiled = was_compiled;
        built.receipt.compile_milliseconds = compile_milliseconds;
        Ok(built)
    }

    /// Packs what was compiled, and writes the layout.
    async fn finish(
        &self,
        materials: &Materials,
        compiled: Option<&Compiled>,
        observe: Observer<'_>,
    ) -> Result<Built, BuildFailure> {
        if let Some(base) = &self.base {
            observe(Event::Stage(Stage::Base));
            let fetched = base.fetch(&self.logins).await;
            fetched.map_err(base_failed)?;
        }

        let binary_bytes = compiled.map_or(0, |compiled| compiled.binary.size);
        let expected = match compiled {
            Some(compiled) => self.expected_of(materials, compiled).await?,
            None => self.expected_before(materials, Declared::default()).await?,
        };
        let mut recipe = expected.recipe;
        self.settle(materials, &mut recipe, observe).await?;
        observe(Event::Stage(Stage::Assemble));
        let started = Instant::now();
        let imprints = compiled.map(|compiled| &*compiled.imprints);
        let imprints = imprint_receipts(self.image.reproducible, imprints.unwrap_or_default());
        let dependencies = materials.dependencies().await;
        let dependencies = dependencies.map_err(BuildFailure::Engine)?;
        let image = self.assemble(recipe, dependencies.as_ref(), |_| {}).await?;
        let receipt = BuildReceipt {
            digest: image.descriptor.digest.to_string(),
            layout: self.layout.display().to_string(),
            source: source_receipt(&self.source),
            layers: layers(&image),
            size_bytes: image.size(),
            binary_bytes,
            imprints,
            compiled: true,
            compile_milliseconds: 0,
            assemble_milliseconds: milliseconds(started),
        };
        Ok(Built { image, receipt })
    }

    /// Looks at everything that the image would be made from.
    pub(crate) async fn look(&self) -> Result<Materials, BuildFailure> {
        let engine = self.engine();
        let workspace = async {
            match &engine {
                Some(engine) => Workspace::read(engine).await.map(Some),
                None => Ok(None),
            }
            .map_err(BuildFailure::Engine)
        };
        let plan = self.clone();
        let dockerfile = blocking(move || plan.look_at_dockerfile());
        // A base that cannot be had is no reason to have compiled.
        let (workspace, dockerfile, _) = tokio::try_join!(workspace, dockerfile, self.read_base())?;
        Ok(Materials {
            workspace,
            dockerfile,
        })
    }

    /// What the image runs on.
    fn platform(&self) -> Platform {
        platform(&self.image)
    }

    /// What the base hands down, if there is one.
    async fn read_base(&self) -> Result<Option<&Base>, BuildFailure> {
        match &self.base {
            None => Ok(None),
            Some(base) => {
                let read = base.read(&self.logins).await;
                read.map(Some).map_err(base_failed)
            }
        }
    }

    /// Runs cargo. Dropping the future stops it.
    pub(crate) async fn compile(
        &self,
        materials: &Materials,
        observe: Observer<'_>,
    ) -> Result<Compiled, BuildFailure> {
        let Some(workspace) = &materials.workspace else {
            return Err(BuildFailure::Interrupted(
                "there is nothing to compile".to_owned(),
            ));
        };
        observe(Event::Stage(Stage::Compile));
        let observe = |progress: build::Progress<'_>| observe(Event::Compiled(progress));
        let mut compiled = CargoBuild::run(&[workspace], &observe)
            .await
            .map_err(BuildFailure::Engine)?;
        let lost = || BuildFailure::Interrupted("the program was lost".to_owned());
        compiled.pop().ok_or_else(lost)
    }

    /// The image of a program that was compiled; an error where that holds what it may
    /// not.
    pub(crate) async fn expected_of(
        &self,
        materials: &Materials,
        compiled: &Compiled,
    ) -> Result<Expected, BuildFailure> {
        imprints::accept(self.image.reproducible, &compiled.imprints)?;
        let program = materials.workspace.as_ref().map(|workspace| Program {
            name: workspace.binary().to_owned(),
            architecture: compiled.binary.architecture.to_owned(),
            file: compiled.binary.path.clone(),
            inputs: compiled.inputs.digest(),
        });
        let (inputs, declared) = (compiled.inputs.clone(), compiled.declared.clone());
        self.expected(materials, program, inputs, declared).await
    }

    /// The image of a program that is not compiled, were a compile to look at
    /// `declared`.
    pub(crate) async fn expected_before(
        &self,
        materials: &Materials,
        declared: Declared,
    ) -> Result<Expected, BuildFailure> {
        let inputs = materials.inputs(&declared).map_err(BuildFailure::Engine)?;
        let target = &self.image.target;
        let architecture = build::architecture_of(target).unwrap_or(target);
        let program = materials.workspace.as_ref().map(|workspace| Program {
            name: workspace.binary().to_owned(),
            architecture: architecture.to_owned(),
            file: PathBuf::new(),
            inputs: inputs.digest(),
        });
        self.expected(materials, program, inputs, declared).await
    }

    async fn expected(
        &self,
        materials: &Materials,
        program: Option<Program>,
        mut inputs: Inputs,
        declared: Declared,
    ) -> Result<Expected, BuildFailure> {
        let mut base = self.read_base().await?.cloned();
        if let Some(dockerfile) = &materials.dockerfile {
            inputs.extend(&dockerfile.inputs());
            base = Some(dockerfile::stand_in(dockerfile, &self.platform()));
        }
        let plan = self.clone();
        blocking(move || {
            let table = &plan.image;
            let assets = assets(table, &plan.checkout).map_err(BuildFailure::Image)?;
            let recipe = recipe(table, &plan.source, program.as_ref(), assets, base.as_ref())
                .map_err(BuildFailure::Configuration)?;
            let store = plan.store()?;
            let layers = image::inputs(&recipe, &store).map_err(BuildFailure::Image)?;
            Ok(Expected::new(recipe, layers, &inputs, &declared))
        })
        .await
    }

    /// Writes the layout, telling `observe` of each layer as soon as it is packed.
    pub(crate) async fn assemble(
        &self,
        recipe: Recipe,
        dependencies: Option<&Dependencies>,
        observe: impl Fn(&StoredLayer) + Send + Sync + 'static,
    ) -> Result<StoredImage, BuildFailure> {
        let (plan, dependencies) = (self.clone(), dependencies.cloned());
        blocking(move || {
            let store = plan.store()?;
            let assembly = Assembly {
                observe: &observe,
                ..Assembly::new(&store)
            };
            let write = || {
                let layout = image::assemble(&recipe, &plan.layout, assembly)?;
                let image = layout.image()?;
                if let Some(dependencies) = &dependencies {
                    dependencies::write(dependencies, &image, &plan.layout)?;
                }
                for archive in &plan.archives {
                    archive.write(&layout, &image)?;
                }
                Ok(image)
            };
            write().map_err(BuildFailure::Image)
        })
        .await
    }

    fn store(&self) -> Result<LayerStore, BuildFailure> {
        LayerStore::open(&self.checkout.join(LAYERS)).map_err(BuildFailure::Image)
    }

    /// The engine for the package, if there is one.
    fn engine(&self) -> Option<CargoBuild> {
        let table = &self.image;
        let assets = table.assets.iter().map(|assets| assets.from.clone());
        let layout = match &table.base {
            Some(BaseReference::Layout(directory)) => Some(directory.clone()),
            _ => None,
        };
        let dockerfile = table.dockerfile.iter().map(|table| table.file.clone());
        Some(CargoBuild {
            workspace: self.checkout.clone(),
            package: table.package.clone()?,
            binary: table.binary.clone(),
            features: table.features.clone(),
            default_features: table.default_features,
            target: table.target.clone(),
            profile: table.profile.clone(),
            source_date_epoch: self.source.committed_at,
            environment: self.environment.clone(),
            set_aside: assets
                .chain(layout)
                .chain(dockerfile)
                .chain([FILE_NAME.into(), LOCK_FILE_NAME.into()])
                .collect(),
            target_directory: self.target_directory.clone(),
        })
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
        dirty: source.dirty,
        repository: source.repository.clone(),
    }
}

fn layers(image: &StoredImage) -> Vec<Layer> {
    let layer = |layer: &oci::Descriptor| Layer {
        digest: layer.digest.to_string(),
        size_bytes: layer.size,
        origin: None,
    };
    image.manifest.layers.iter().map(layer).collect()
}

/// Milliseconds since `started`, as receipts count.
pub(crate) fn milliseconds(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}
