//! What an image would be made from, as it was looked at.

use attest::Dependencies;
use build::{BuildError, Compiled, Declared, Dockerfile, Inputs, Prepared, Workspace};

/// A workspace, a Dockerfile, or both, as the image of one platform needs them: at one
/// moment.
pub(crate) struct Materials {
    /// None where the image has no program of a package.
    pub(super) workspace: Option<Workspace>,
    /// The program of that package, where it was compiled elsewhere.
    pub(super) prepared: Option<Prepared>,
    /// None where the image is not built on a Dockerfile's.
    pub(super) dockerfile: Option<Dockerfile>,
}

impl Materials {
    /// Whether there is something for cargo to compile.
    pub(crate) fn has_program(&self) -> bool {
        self.workspace.is_some()
    }

    /// Whether the program was compiled elsewhere.
    pub(crate) fn is_given(&self) -> bool {
        self.prepared.is_some()
    }

    /// The program of an earlier compile here, if nothing has changed since; one that
    /// was compiled elsewhere is always there.
    pub(crate) fn compiled(&self) -> Result<Option<Compiled>, BuildError> {
        match (&self.workspace, &self.prepared) {
            (Some(workspace), Some(prepared)) => Ok(Some(prepared.compiled(workspace))),
            (Some(workspace), None) => workspace.compiled(),
            (None, _) => Ok(None),
        }
    }

    /// What the last compile here looked at, if there was one.
    pub(crate) fn declared(&self) -> Option<Declared> {
        match &self.prepared {
            Some(_) => Some(Declared::default()),
            None => self.workspace.as_ref()?.declared(),
        }
    }

    /// Everything that is compiled; of a program that was compiled elsewhere it is known
    /// only where its own list is ours.
    pub(crate) async fn dependencies(&self) -> Result<Option<Dependencies>, BuildError> {
        let Some(workspace) = &self.workspace else {
            return Ok(None);
        };
        let dependencies = workspace.dependencies().await?;
        let known = match &self.prepared {
            Some(prepared) => prepared.lists(&dependencies)?,
            None => true,
        };
        Ok(known.then_some(dependencies))
    }

    /// The inputs of a compile that looks at `declared`; none of a package that is not
    /// there.
    pub(super) fn inputs(&self, declared: &Declared) -> Result<Inputs, BuildError> {
        match (&self.workspace, &self.prepared) {
            (Some(workspace), Some(prepared)) => Ok(prepared.inputs(workspace)),
            (Some(workspace), None) => workspace.inputs(declared),
            (None, _) => Ok(Inputs::default()),
        }
    }
}
