//! What an image would be made from, as it was looked at.

use attest::Dependencies;
use build::{BuildError, Compiled, Declared, Dockerfile, Inputs, Workspace};

/// A workspace, a Dockerfile, or both: at one moment.
pub(crate) struct Materials {
    /// None where the image has no program of a package.
    pub(super) workspace: Option<Workspace>,
    /// None where the image is not built on a Dockerfile's.
    pub(super) dockerfile: Option<Dockerfile>,
}

impl Materials {
    /// Whether there is something for cargo to compile.
    pub(crate) fn has_program(&self) -> bool {
        self.workspace.is_some()
    }

    /// The program of an earlier compile here, if nothing has changed since.
    pub(crate) fn compiled(&self) -> Result<Option<Compiled>, BuildError> {
        match &self.workspace {
            Some(workspace) => workspace.compiled(),
            None => Ok(None),
        }
    }

    /// What the last compile here looked at, if there was one.
    pub(crate) fn declared(&self) -> Option<Declared> {
        self.workspace.as_ref()?.declared()
    }

    /// Everything that is compiled. What a Dockerfile puts into its image is not known.
    pub(crate) async fn dependencies(&self) -> Result<Option<Dependencies>, BuildError> {
        match &self.workspace {
            Some(workspace) => workspace.dependencies().await.map(Some),
            None => Ok(None),
        }
    }

    /// The inputs of a compile that looks at `declared`; none of a package that is not
    /// there.
    pub(super) fn inputs(&self, declared: &Declared) -> Result<Inputs, BuildError> {
        match &self.workspace {
            Some(workspace) => workspace.inputs(declared),
            None => Ok(Inputs::default()),
        }
    }
}
