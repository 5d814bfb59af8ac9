//! A program that was compiled elsewhere: on the platform that it is for.

use std::path::Path;

use attest::Dependencies;
use oci::Digest;

use crate::files::hash;
use crate::inputs::{Declared, Inputs};
use crate::{Binary, BuildError, Compiled, Linking, Workspace, audit_section};

/// Such a program.
#[derive(Debug, Clone)]
pub struct Prepared {
    binary: Binary,
    digest: Digest,
}

impl Prepared {
    /// Looks at `file`, which must be a program for Linux on `architecture`, in the image
    /// specification's words, and a static one but on a base: libraries of another
    /// platform are not to be found here.
    pub fn read(file: &Path, architecture: &str, linking: Linking) -> Result<Self, BuildError> {
        let linking = match linking {
            Linking::Packed => Linking::Static,
            other => other,
        };
        let binary = Binary::inspect(file, linking)?;
        if binary.architecture != architecture {
            return Err(BuildError::OtherPlatform {
                path: file.to_owned(),
                found: binary.architecture,
                wanted: architecture.to_owned(),
            });
        }
        let digest = hash(file)?;
        Ok(Self { binary, digest })
    }

    /// The inputs of its image: what it was compiled from is not known here, so it is
    /// itself what counts.
    pub fn inputs(&self, workspace: &Workspace) -> Inputs {
        let mut inputs = Inputs::default();
        inputs.insert("package", &*workspace.build.package);
        inputs.insert("binary", workspace.binary());
        inputs.insert("program", self.digest.to_string());
        inputs
    }

    /// As if it had been compiled here.
    pub fn compiled(&self, workspace: &Workspace) -> Compiled {
        Compiled {
            binary: self.binary.clone(),
            inputs: self.inputs(workspace),
            declared: Declared::default(),
            imprints: Vec::new(),
        }
    }

    /// Whether the list of packages in it is that of `dependencies`.
    pub fn lists(&self, dependencies: &Dependencies) -> Result<bool, BuildError> {
        audit_section::is_of(&self.binary.path, dependencies)
    }
}
