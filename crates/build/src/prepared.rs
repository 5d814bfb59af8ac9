//! A program that was compiled elsewhere: on the platform that it is for.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use attest::Dependencies;
use fs_err as fs;
use oci::Digest;

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

/// What the names of copies begin with, and of those that were never finished.
const PREFIXES: [&str; 2] = ["sha256-", UNFINISHED];
const UNFINISHED: &str = ".unfinished-";

/// The copies that this process reads, until it ends.
static READ_HERE: Mutex<Vec<fs::File>> = Mutex::new(Vec::new());

/// A copy of `file` in `directory`, under the name that its content gives it; it stays
/// while this process runs. Those of processes that have ended go.
fn kept(file: &Path, directory: &Path) -> Result<(PathBuf, Digest), BuildError> {
    fs::create_dir_all(directory)?;
    // One process at a time, where there are locks: none removes what another has not yet
    // said that it reads.
    let turn = fs::File::open(directory)?;
    let _ = turn.file().lock();
    remove_unread(directory)?;
    let copy = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .permissions(Permissions::from_mode(0o777))
        .tempfile_in(directory)?;
    io::copy(&mut fs::File::open(file)?, &mut copy.as_file())?;
    let digest = hash(copy.path())?;
    let place = directory.join(digest.to_string().replace(':', "-"));
    copy.persist(&place).map_err(|failed| failed.error)?;
    let reads = fs::File::open(&place)?;
    let _ = reads.file().lock_shared();
    let mut held = READ_HERE.lock().unwrap_or_else(PoisonError::into_inner);
    held.push(reads);
    Ok((place, digest))
}

/// Removes the copies that no process reads; what cannot be removed, or locked, stays.
fn remove_unread(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)?.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_copy = PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        let unread = || Some(fs::File::open(entry.path()).ok()?.file().try_lock().is_ok());
        if is_copy && unread() == Some(true) {
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
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
    #[test]
    fn copies_that_no_process_reads_any_more_go() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        let program = directory.join("program");
        let make = |name: &str| {
            fs::write(directory.join(name), name).unwrap();
            fs::File::open(directory.join(name)).unwrap()
        };
        let elsewhere = make("sha256-elsewhere");
        elsewhere.file().lock_shared().unwrap();
        drop([
            make("sha256-old"),
            make(".unfinished-old"),
            make("hello--target"),
        ]);
        let mut own = Vec::new();
        for text in ["one", "another"] {
            fs::write(&program, text).unwrap();
            own.push(kept(&program, directory).unwrap().0);
        }
        let left = fs::read_dir(directory).unwrap().flatten();
        let mut left: Vec<_> = left.map(|entry| entry.path()).collect();
        let stay = ["sha256-elsewhere", "hello--target", "program"];
        own.extend(stay.map(|name| directory.join(name)));
        left.sort();
        own.sort();
        assert_eq!(left, own);
    }
}
