//! A program that was compiled elsewhere: on the platform that it is for.

use std::io;
use std::path::{Path, PathBuf};

use attest::Dependencies;
use fs_err as fs;
use oci::Digest;
use tempfile::NamedTempFile;

use crate::files::hash;
use crate::inputs::{Declared, Inputs};
use crate::workspace::PROGRAMS;
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
    /// platform are not to be found here. A copy below `checkout` is what counts from then
    /// on, whatever becomes of the file.
    pub fn read(
        file: &Path,
        architecture: &str,
        linking: Linking,
        checkout: &Path,
    ) -> Result<Self, BuildError> {
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
        let (copy, digest) = kept(file, &checkout.join(PROGRAMS))?;
        let binary = Binary::inspect(&copy, linking)?;
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

/// A copy of `file` in `directory`, under the name that its content gives it.
fn kept(file: &Path, directory: &Path) -> Result<(PathBuf, Digest), BuildError> {
    fs::create_dir_all(directory)?;
    let copy = NamedTempFile::new_in(directory)?;
    io::copy(&mut fs::File::open(file)?, &mut copy.as_file())?;
    let digest = hash(copy.path())?;
    let place = directory.join(digest.to_string().replace(':', "-"));
    copy.persist(&place).map_err(|failed| failed.error)?;
    Ok((place, digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_changes_after_it_was_looked_at_is_the_one_that_was_looked_at() {
        let checkout = tempfile::tempdir().unwrap();
        let file = checkout.path().join("program");
        fs::copy(std::env::current_exe().unwrap(), &file).unwrap();
        let before = hash(&file).unwrap();
        let architecture = Binary::inspect(&file, Linking::Base).unwrap().architecture;
        let read = Prepared::read(&file, architecture, Linking::Base, checkout.path());
        let prepared = read.unwrap();
        fs::write(&file, "another").unwrap();
        assert_eq!(prepared.digest, before);
        assert_eq!(hash(&prepared.binary.path).unwrap(), before);
    }
}
