//! The list of packages inside of the program, as `cargo auditable` embeds it:
//! compressed JSON in a section named `.dep-v0`, which scanners read.
//!
//! The section comes from an object file that is linked to the program and to
//! nothing else. Its path is relative and follows from its content: the same list
//! gives the same arguments on every machine, and another list links again.
//!
//! Source: [cargo-auditable], `PARSING.md`.
//!
//! [cargo-auditable]: https://github.com/rust-secure-code/cargo-auditable

use std::io::Write as _;
use std::path::{Path, PathBuf};

use attest::{Dependencies, PackageSource};
use auditable_serde::{DependencyKind, Package, Source, VersionInfo};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use object::write::Object;
use object::{Architecture, BinaryFormat, Endianness, SectionKind};

use crate::BuildError;

/// Where object files lie, below the workspace.
const FOLDER: &str = "target/longshore/audit";

/// Writes the object file for a program of `target`, and returns its path relative
/// to `workspace`.
pub(crate) fn write(
    dependencies: &Dependencies,
    target: &str,
    workspace: &Path,
) -> Result<Option<PathBuf>, BuildError> {
    let architecture = match target.split('-').next().unwrap_or_default() {
        "x86_64" => Architecture::X86_64,
        "aarch64" => Architecture::Aarch64,
        // The section is of use, and no reason to refuse a build.
        _ => return Ok(None),
    };
    let object = object(&compressed(dependencies)?, architecture)?;
    let name = format!("{}.o", oci::Digest::of(&object).hex());
    let relative = Path::new(FOLDER).join(name);
    let path = workspace.join(&relative);
    if !path.exists() {
        fs_err::create_dir_all(workspace.join(FOLDER))?;
        let mut file = tempfile::NamedTempFile::new_in(workspace.join(FOLDER))?;
        file.write_all(&object)?;
        file.persist(&path).map_err(|error| error.error)?;
    }
    Ok(Some(relative))
}

fn compressed(dependencies: &Dependencies) -> Result<Vec<u8>, BuildError> {
    let unreadable = |error: semver::Error| BuildError::Dependencies(error.to_string());
    let list = version_info(dependencies).map_err(unreadable)?;
    let json = serde_json::to_vec(&list).map_err(std::io::Error::from)?;
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&json)?;
    Ok(encoder.finish()?)
}

fn version_info(dependencies: &Dependencies) -> Result<VersionInfo, semver::Error> {
    let package = |(place, package): (usize, &attest::Package)| {
        Ok(Package {
            name: package.name.clone(),
            version: package.version.parse()?,
            source: source(&package.source),
            kind: if package.build_only {
                DependencyKind::Build
            } else {
                DependencyKind::Runtime
            },
            dependencies: package.dependencies.clone(),
            root: place == dependencies.root,
        })
    };
    let packages = dependencies.packages.iter().enumerate();
    Ok(VersionInfo {
        packages: packages.map(package).collect::<Result<_, _>>()?,
        // 1: macros and what they need count as building, not as shipped.
        format: 1,
    })
}

fn source(source: &PackageSource) -> Source {
    match source {
        PackageSource::Local => Source::Local,
        PackageSource::CratesIo => Source::CratesIo,
        PackageSource::Registry(_) => Source::Registry,
        PackageSource::Git(_) => Source::Git,
    }
}

/// A section that is not loaded is neither collected nor stripped by linkers.
fn object(data: &[u8], architecture: Architecture) -> Result<Vec<u8>, BuildError> {
    let mut object = Object::new(BinaryFormat::Elf, architecture, Endianness::Little);
    let section = object.add_section(Vec::new(), b".dep-v0".to_vec(), SectionKind::Other);
    object.append_section_data(section, data, 1);
    object
        .write()
        .map_err(|error| BuildError::Dependencies(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_list_gives_the_same_file_and_another_list_another() {
        let folder = tempfile::tempdir().unwrap();
        let package = |name: &str| attest::Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            source: PackageSource::Local,
            build_only: false,
            license: None,
            checksum: None,
            dependencies: Vec::new(),
        };
        let path = |name| {
            let dependencies = Dependencies {
                packages: vec![package(name)],
                root: 0,
            };
            write(&dependencies, "x86_64-unknown-linux-gnu", folder.path())
                .unwrap()
                .unwrap()
        };
        assert_eq!(path("a"), path("a"));
        assert_ne!(path("a"), path("b"));
        assert!(path("a").is_relative() && folder.path().join(path("a")).exists());
    }
}
