//! `longshore build`: a source into a layout. No credentials, no network but
//! cargo's own.

mod archive;
mod failure;

use std::path::{Path, PathBuf};
use std::time::Instant;

use build::{CargoBuild, Source};
use image::{Assembly, LayerStore, StoredImage};
use receipts::{BuildReceipt, Layer};

use crate::configuration::Configuration;
use crate::event::{Event, Observer, Stage};
use crate::recipe::{assets, recipe, rfc3339};

pub use archive::{Archive, ArchiveError, ArchiveForm};
pub(crate) use failure::image_problem;
pub use failure::{BuildFailure, layout_problem};

/// Where packed layers are kept, below the checkout.
const LAYERS: &str = "target/longshore/layers";

/// What will be built, and where to.
#[derive(Debug, Clone)]
pub struct BuildPlan {
    /// The checkout's directory.
    pub checkout: PathBuf,
    /// The configuration.
    pub configuration: Configuration,
    /// The commit.
    pub source: Source,
    /// Where the layout goes.
    pub layout: PathBuf,
    /// What is written besides it.
    pub archives: Vec<Archive>,
}

/// A finished build.
#[derive(Debug, Clone)]
pub struct Built {
    /// The image.
    pub image: StoredImage,
    /// What machines read.
    pub receipt: BuildReceipt,
}

impl BuildPlan {
    /// Reads the source of `checkout`. A source with uncommitted changes is
    /// refused unless `allow_dirty`.
    pub async fn new(
        checkout: &Path,
        configuration: &Configuration,
        layout: PathBuf,
        allow_dirty: bool,
    ) -> Result<Self, BuildFailure> {
        let source = Source::read(checkout).await.map_err(BuildFailure::Engine)?;
        if source.dirty && !allow_dirty {
            return Err(BuildFailure::Dirty(source.commit));
        }
        let (checkout, configuration) = (checkout.to_owned(), configuration.clone());
        Ok(Self {
            checkout,
            configuration,
            source,
            layout,
            archives: Vec::new(),
        })
    }

    /// Compiles, packs, and writes the layout.
    pub async fn execute(&self, observe: Observer<'_>) -> Result<Built, BuildFailure> {
        let table = &self.configuration.image;
        let engine = CargoBuild {
            workspace: self.checkout.clone(),
            package: table.package.clone(),
            binary: table.binary.clone(),
            target: table.target.clone(),
            profile: table.profile.clone(),
            source_date_epoch: self.source.committed_at,
        };
        observe(Event::Stage(Stage::Compile));
        let started = Instant::now();
        let binary = engine
            .run(&|progress| observe(Event::Compiled(progress)))
            .await
            .map_err(BuildFailure::Engine)?;
        let compile_milliseconds = milliseconds(started);

        observe(Event::Stage(Stage::Assemble));
        let started = Instant::now();
        let assets = assets(table, &self.checkout).map_err(BuildFailure::Image)?;
        let recipe =
            recipe(table, &self.source, &binary, assets).map_err(BuildFailure::Configuration)?;
        let (layout, store) = (self.layout.clone(), self.checkout.join(LAYERS));
        let archives = self.archives.clone();
        let assemble = move || {
            let store = LayerStore::open(&store)?;
            let layout = image::assemble(&recipe, &layout, Assembly::new(&store))?;
            let image = layout.image()?;
            for archive in archives {
                archive.write(&layout, &image)?;
            }
            Ok(image)
        };
        let image = tokio::task::spawn_blocking(assemble)
            .await
            .map_err(|error| BuildFailure::Interrupted(error.to_string()))?
            .map_err(BuildFailure::Image)?;
        let receipt = BuildReceipt {
            digest: image.descriptor.digest.to_string(),
            layout: self.layout.display().to_string(),
            source: source_receipt(&self.source),
            layers: layers(&image),
            size_bytes: image.size(),
            binary_bytes: binary.size,
            compile_milliseconds,
            assemble_milliseconds: milliseconds(started),
        };
        Ok(Built { image, receipt })
    }
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
