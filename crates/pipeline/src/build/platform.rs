//! The image of one platform.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use build::{CargoBuild, Compiled, Declared, Inputs, Source, Workspace};
use image::{Base, LayerStore};
use oci::Platform;

use super::{BuildFailure, Machine, Materials, base_failed, blocking, dockerfile, imprints};
use crate::base::{BaseReference, LOCK_FILE_NAME, PinnedBase, platform};
use crate::configuration::{FILE_NAME, ImageTable};
use crate::inputs::Expected;
use crate::recipe::{Libraries, Program, assets, recipe};

/// Where packed layers are kept, below the checkout.
const LAYERS: &str = "target/longshore/layers";

/// What will be built for one platform.
#[derive(Debug, Clone)]
pub(crate) struct PlatformPlan {
    pub(super) checkout: PathBuf,
    /// The image, with the target of this platform.
    pub(crate) image: ImageTable,
    pub(super) source: Source,
    pub(crate) machine: Arc<Machine>,
    /// The base, as it is pinned.
    pub(crate) base: Option<Arc<PinnedBase>>,
    /// The program, where it was compiled elsewhere.
    pub(super) prepared: Option<PathBuf>,
    /// Where cargo puts what it makes, if not to its usual place.
    pub(super) target_directory: Option<PathBuf>,
}

impl PlatformPlan {
    pub(super) fn new(
        checkout: &Path,
        image: ImageTable,
        source: &Source,
        machine: Arc<Machine>,
    ) -> Result<Self, BuildFailure> {
        let base = PinnedBase::of(&image, checkout).map_err(base_failed)?;
        Ok(Self {
            checkout: checkout.to_owned(),
            image,
            source: source.clone(),
            machine,
            base: base.map(Arc::new),
            prepared: None,
            target_directory: None,
        })
    }

    /// What the image runs on.
    pub(crate) fn platform(&self) -> Platform {
        platform(&self.image)
    }

    /// What the base hands down, if there is one.
    pub(super) async fn read_base(&self) -> Result<Option<&Base>, BuildFailure> {
        match &self.base {
            None => Ok(None),
            Some(base) => {
                let read = base.read(&self.machine.logins).await;
                read.map(Some).map_err(base_failed)
            }
        }
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
            libraries: libraries(workspace, &compiled.inputs, &compiled.declared),
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
        let program = materials.workspace.as_ref().map(|workspace| Program {
            name: workspace.binary().to_owned(),
            architecture: self.platform().architecture,
            file: PathBuf::new(),
            inputs: inputs.digest(),
            libraries: libraries(workspace, &inputs, &declared),
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
            let environment = &plan.machine.environment;
            let apart = build::made(&plan.checkout, environment, table.package.is_some());
            let assets = assets(table, &plan.checkout, &apart)?;
            let recipe = recipe(table, &plan.source, program.as_ref(), assets, base.as_ref())
                .map_err(BuildFailure::Configuration)?;
            let store = store(&plan.checkout)?;
            let layers = image::inputs(&recipe, &store).map_err(BuildFailure::Image)?;
            Ok(Expected::new(recipe, layers, inputs, declared))
        })
        .await
    }

    /// The engine for the package, if there is one.
    pub(super) fn engine(&self) -> Option<CargoBuild> {
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
            linking: table.linking(),
            profile: table.profile.clone(),
            source_date_epoch: self.source.committed_at,
            environment: self.machine.environment.clone(),
            set_aside: assets
                .chain(layout)
                .chain(dockerfile)
                .chain([FILE_NAME.into(), LOCK_FILE_NAME.into()])
                .collect(),
            target_directory: self.target_directory.clone(),
        })
    }
}

/// The shared objects that a program loads, of those that `declared` names.
fn libraries(workspace: &Workspace, inputs: &Inputs, declared: &Declared) -> Option<Libraries> {
    let files = workspace.shared_objects(declared);
    (!files.is_empty()).then(|| Libraries {
        files,
        inputs: inputs.of_kind("library").digest(),
    })
}

pub(super) fn store(checkout: &Path) -> Result<LayerStore, BuildFailure> {
    LayerStore::open(&checkout.join(LAYERS)).map_err(BuildFailure::Image)
}
