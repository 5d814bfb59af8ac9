//! What cargo knows of a workspace, as far as a build of one binary needs it.
//!
//! `cargo metadata` takes a fifth of a second and more, so its answer is
//! remembered with the digests of the files that it is a function of.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, Package, PackageId, TargetKind};
use fs_err as fs;
use oci::Digest;
use serde::{Deserialize, Serialize};

use crate::lock_file::{self, LOCK_FILE, Locked};
use crate::remembered::{recall, remember};
use crate::{BuildError, CargoBuild};

/// A package's or a workspace's manifest.
pub(crate) const MANIFEST: &str = "Cargo.toml";

/// The facts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// Of what was asked, and of everything but files that the answer follows from.
    key: Digest,
    /// The manifests of all local packages and the lock file.
    files: BTreeMap<PathBuf, Digest>,
    /// The directory of the workspace's manifest.
    pub(crate) root: PathBuf,
    pub(crate) target_directory: PathBuf,
    pub(crate) cargo_home: Option<PathBuf>,
    /// The name of the binary.
    pub(crate) binary: String,
    /// Packages that may be compiled.
    pub(crate) total: usize,
    /// The directories of local packages among them.
    pub(crate) packages: BTreeSet<PathBuf>,
    /// The others, as `NAME@VERSION`, each with its checksum or its source.
    pub(crate) crates: BTreeMap<String, String>,
}

impl Facts {
    /// From `memory`, or from cargo. `key` is of what the answer depends on
    /// besides files of the workspace: cargo's version and its configuration.
    pub(crate) async fn read(
        build: &CargoBuild,
        key: Digest,
        memory: &Path,
        answers: &mut Answers,
    ) -> Result<Self, BuildError> {
        let known = recall::<Self>(memory).filter(|known| {
            known.key == key
                && known.files.iter().all(|(file, digest)| {
                    fs::read(file).is_ok_and(|content| Digest::of(&content) == *digest)
                })
        });
        if let Some(known) = known {
            return Ok(known);
        }
        let metadata = answers.about(build).await?;
        let facts = Self::of(build, key, metadata)?;
        remember(memory, &facts)?;
        Ok(facts)
    }

    /// What else follows from the same files and questions is remembered with this.
    pub(crate) fn digest(&self) -> Digest {
        let of = serde_json::to_vec(&(&self.key, &self.files)).unwrap_or_default();
        Digest::of(&of)
    }

    fn of(build: &CargoBuild, key: Digest, metadata: &Metadata) -> Result<Self, BuildError> {
        let (package, binary) = binary_of(build, metadata)?;
        let reachable = reachable(metadata, package);
        let root = metadata.workspace_root.as_std_path().to_owned();
        let is_local = |package: &&Package| package.source.is_none();
        let local: Vec<_> = metadata.packages.iter().filter(is_local).collect();
        let manifest = |package: &&Package| package.manifest_path.as_std_path().to_owned();
        let lock = root.join(LOCK_FILE);
        let mut files = BTreeMap::new();
        let manifests = local.iter().map(manifest);
        for file in manifests.chain([root.join(MANIFEST), lock.clone()]) {
            let digest = Digest::of(&fs::read(&file)?);
            files.insert(file, digest);
        }
        let reached = local
            .iter()
            .filter(|package| reachable.contains(&package.id));
        let directory = |package: &&Package| Some(manifest(package).parent()?.to_owned());
        let locked = locked(&fs::read_to_string(&lock)?);
        let external = metadata
            .packages
            .iter()
            .filter(|package| !is_local(package) && reachable.contains(&package.id));
        let crates = external.map(|package| {
            let name = format!("{}@{}", package.name, package.version);
            let source = package.source.as_ref().map(ToString::to_string);
            let checksum = locked.get(&name).cloned();
            (name, checksum.or(source).unwrap_or_default())
        });
        Ok(Self {
            key,
            files,
            target_directory: metadata.target_directory.as_std_path().to_owned(),
            cargo_home: cargo_home(metadata),
            binary,
            total: reachable.len(),
            packages: reached.filter_map(directory).collect(),
            crates: crates.collect(),
            root,
        })
    }
}

/// The checksum of each crate that a lock file has one for.
fn locked(lock: &str) -> BTreeMap<String, String> {
    let packages = lock_file::packages(lock).unwrap_or_default();
    let pair = |locked: Locked| {
        let name = format!("{}@{}", locked.name, locked.version);
        Some((name, locked.checksum?))
    };
    packages.into_iter().filter_map(pair).collect()
}

/// What cargo has answered about the workspace, by target and by whether all features
/// were asked about: it is the same for all packages.
#[derive(Default)]
pub(crate) struct Answers(BTreeMap<(PathBuf, String, bool), Metadata>);

impl Answers {
    async fn about(&mut self, build: &CargoBuild) -> Result<&Metadata, BuildError> {
        let all = !build.features.is_empty();
        let key = (build.workspace.clone(), build.target.clone(), all);
        match self.0.entry(key) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => Ok(place.insert(metadata(build).await?)),
        }
    }
}

async fn metadata(build: &CargoBuild) -> Result<Metadata, BuildError> {
    let arguments = ["metadata", "--format-version=1", "--locked"];
    let platform = ["--filter-platform", &build.target];
    // Cargo does not say what a package with these features needs, but what any may.
    let features: &[_] = if build.features.is_empty() {
        &[]
    } else {
        &["--all-features"]
    };
    let arguments = [&arguments[..], &platform, features].concat();
    let answer = build.ask(&arguments).await?;
    serde_json::from_slice(&answer)
        .map_err(|error| BuildError::NoBinary(format!("cargo's metadata cannot be read: {error}")))
}

/// The package's id and the name of its binary.
fn binary_of<'a>(
    build: &CargoBuild,
    metadata: &'a Metadata,
) -> Result<(&'a PackageId, String), BuildError> {
    let members = metadata.workspace_packages();
    let package = members
        .iter()
        .find(|package| package.name.as_str() == build.package);
    let package = package.ok_or_else(|| {
        let names: Vec<_> = members
            .iter()
            .map(|package| package.name.as_str())
            .collect();
        BuildError::NoBinary(format!(
            "`image.package` is `{}`, and the workspace has no such package: it has {}",
            build.package,
            names.join(", ")
        ))
    })?;
    let binaries: Vec<_> = package
        .targets
        .iter()
        .filter(|target| target.kind.contains(&TargetKind::Bin))
        .map(|target| target.name.clone())
        .collect();
    let chosen = match &build.binary {
        Some(name) => binaries.iter().find(|binary| *binary == name),
        None if binaries.len() == 1 => binaries.first(),
        None => None,
    };
    let chosen = chosen.cloned().ok_or_else(|| {
        let found = if binaries.is_empty() {
            "none".to_owned()
        } else {
            binaries.join(", ")
        };
        let package = &build.package;
        BuildError::NoBinary(match &build.binary {
            Some(name) => format!("package `{package}` has no binary `{name}`: it has {found}"),
            None => format!("package `{package}` has no single binary to choose: it has {found}"),
        })
    })?;
    Ok((&package.id, chosen))
}

/// Cargo's home, as the place of any registry package shows it.
fn cargo_home(metadata: &Metadata) -> Option<PathBuf> {
    metadata.packages.iter().find_map(|package| {
        let mut ancestors = package.manifest_path.as_std_path().ancestors();
        let registry = ancestors.find(|path| path.ends_with("registry/src"))?;
        registry.parent()?.parent().map(Path::to_owned)
    })
}

/// Every package that building `root` may compile.
fn reachable<'a>(metadata: &'a Metadata, root: &'a PackageId) -> BTreeSet<&'a PackageId> {
    let Some(resolve) = &metadata.resolve else {
        return BTreeSet::new();
    };
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let mut seen = BTreeSet::from([root]);
    let mut open = vec![root];
    while let Some(node) = open.pop().and_then(|id| nodes.get(id)) {
        for dependency in &node.deps {
            let development = dependency
                .dep_kinds
                .iter()
                .all(|kind| kind.kind == DependencyKind::Development);
            if !development && seen.insert(&dependency.pkg) {
                open.push(&dependency.pkg);
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_are_known_by_their_checksums_and_local_packages_have_none() {
        let lock = "version = 4\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n\
                    [[package]]\nname = \"serde\"\nversion = \"1.0.1\"\nchecksum = \"ab\"\n";
        let expected = BTreeMap::from([("serde@1.0.1".to_owned(), "ab".to_owned())]);
        assert_eq!(locked(lock), expected);
        assert!(locked("not a lock file").is_empty());
    }
}
