//! A workspace as a build of one binary sees it: what it is made from, and
//! whether that was compiled here before.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use attest::Dependencies;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use oci::Digest;
use serde::{Deserialize, Serialize};

use crate::audit_section;
use crate::cargo_config::CargoConfig;
use crate::declared::Seen;
use crate::dependencies::Resolution;
use crate::facts::{Answers, Facts, MANIFEST};
use crate::files::{ABSENT, content, hash, list, plain, walk};
use crate::inputs::{Declared, Inputs};
use crate::linker::Linker;
use crate::lock_file::LOCK_FILE;
use crate::remembered::{recall, remember, signature};
use crate::shared::Search;
use crate::toolchain::Toolchain;
use crate::{Binary, BuildError, CargoBuild, Imprint, Linking};

/// Where answers are remembered, below the checkout.
const MEMORY: &str = "target/longshore/inputs";
/// Where programs are kept, below the checkout.
pub(crate) const PROGRAMS: &str = "target/longshore/programs";
/// How many packages cargo is asked about at the same time.
const ASKED_TOGETHER: usize = 2;
/// The input of a compile during which files changed: nothing equals it.
const UNSETTLED: &str = "unsettled";

/// A workspace at one moment.
#[derive(Debug)]
pub struct Workspace {
    pub(crate) build: CargoBuild,
    pub(crate) facts: Facts,
    toolchain: Toolchain,
    config: Option<Digest>,
    /// Whether the target's standard library is compiled too.
    builds_library: bool,
    /// Files of local packages that may be compiled, with their digests, relative
    /// to the workspace where they lie in it.
    tree: BTreeMap<String, String>,
}

/// A binary and what it was compiled from.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// The binary.
    pub binary: Binary,
    /// What it was compiled from.
    pub inputs: Inputs,
    /// What the compile looked at besides the trees of its packages.
    pub declared: Declared,
    /// What the binary holds of this machine and of the moment of its compile.
    pub imprints: Vec<Imprint>,
}

/// A compile as it is remembered.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    inputs: Inputs,
    declared: Declared,
    binary: PathBuf,
    /// What tells the binary from another without reading it.
    seen: String,
    digest: Digest,
    imprints: Vec<Imprint>,
}

impl Record {
    /// Whether the binary is still the one that was compiled.
    fn holds(&self) -> Result<bool, BuildError> {
        let binary = &self.binary;
        Ok(binary.is_file() && (signature(binary) == self.seen || hash(binary)? == self.digest))
    }
}

impl Workspace {
    /// Looks at everything that a compile would; starts cargo and rustc only
    /// where what is remembered of them does not hold any more.
    pub async fn read(build: &CargoBuild) -> Result<Self, BuildError> {
        let mut read = Self::read_all(std::slice::from_ref(build)).await?;
        let lost = || BuildError::NoBinary("there is no workspace".to_owned());
        read.pop().ok_or_else(lost)
    }

    /// The same for several builds: what they share is looked at once.
    pub async fn read_all(builds: &[CargoBuild]) -> Result<Vec<Self>, BuildError> {
        let mut answers = Answers::default();
        let mut files = Files::default();
        let mut workspaces = Vec::new();
        for build in builds {
            let memory = build.workspace.join(MEMORY);
            let config = CargoConfig::read(&build.workspace, &build.environment)?;
            let known = memory.join(format!("toolchain-{}.json", file_name(&build.target)));
            let target = (&*build.target, &*build.workspace);
            let linkers = config.linkers.with_variable(target, &build.environment);
            let toolchain = Toolchain::read(target, &linkers, &build.environment, &known).await?;
            let key = facts_key(build, &toolchain, config.whole);
            let facts = memory.join(format!("workspace-{}.json", build.name()));
            let facts = Facts::read(build, key, &facts, &mut answers).await?;
            let tree = tree(&facts, &mut files).await?;
            workspaces.push(Self {
                build: build.clone(),
                facts,
                toolchain,
                config: config.effective,
                builds_library: config.builds_library,
                tree,
            });
        }
        Ok(workspaces)
    }

    /// How cargo is to link; an error where this machine cannot compile for the target.
    pub(crate) fn linker(&self) -> Result<&Linker, BuildError> {
        let (build, toolchain) = (&self.build, &self.toolchain);
        let no_target = !self.builds_library && !toolchain.has_target(&build.target);
        let no_linker = toolchain.links == Linker::Missing;
        if no_target || no_linker {
            return Err(BuildError::NoTarget {
                target: build.target.clone(),
                installed: !no_target,
                linked: !no_linker,
            });
        }
        Ok(&toolchain.links)
    }

    /// The name of the binary.
    pub fn binary(&self) -> &str {
        &self.facts.binary
    }

    /// Everything that is compiled, as a graph. Cargo is asked where what is
    /// remembered does not hold any more.
    pub async fn dependencies(&self) -> Result<Dependencies, BuildError> {
        Ok(self.resolution().await?.dependencies)
    }

    /// What cargo would compile for each of `workspaces`.
    pub(crate) async fn resolutions(workspaces: &[&Self]) -> Result<Vec<Resolution>, BuildError> {
        let asked = workspaces.iter().map(|workspace| workspace.resolution());
        stream::iter(asked)
            .buffered(ASKED_TOGETHER)
            .try_collect()
            .await
    }

    async fn resolution(&self) -> Result<Resolution, BuildError> {
        #[derive(Serialize, Deserialize)]
        struct Known {
            of: Digest,
            resolution: Resolution,
        }
        let memory = self.memory("dependencies");
        let of = self.facts.digest();
        if let Some(known) = recall::<Known>(&memory).filter(|known| known.of == of) {
            return Ok(known.resolution);
        }
        let resolution = self.build.resolution(&self.facts.root).await?;
        let known = Known { of, resolution };
        remember(&memory, &known)?;
        Ok(known.resolution)
    }

    /// The inputs of a compile that looks at `declared` besides its packages.
    pub fn inputs(&self, declared: &Declared) -> Result<Inputs, BuildError> {
        let mut inputs = Inputs::default();
        let build = &self.build;
        inputs.insert("package", &*build.package);
        inputs.insert("binary", &*self.facts.binary);
        inputs.insert("profile", &*build.profile);
        inputs.insert("target", &*build.target);
        let features = build.features();
        if !features.is_empty() {
            inputs.insert("features", features.join(" "));
        }
        inputs.insert("flags", crate::cargo::flags(build.linking));
        inputs.insert("compiler", &*self.toolchain.compiler);
        inputs.insert("linker", &*self.toolchain.linker);
        let digest = |digest: &Option<Digest>| digest.map(|digest| digest.to_string());
        if let Some(library) = digest(&self.toolchain.c_library) {
            inputs.insert("c-library", library);
        }
        if let Some(config) = digest(&self.config) {
            inputs.insert("cargo-config", config);
        }
        for (name, checksum) in &self.facts.crates {
            inputs.insert(format!("crate:{name}"), &**checksum);
        }
        let aside = self.set_aside(declared);
        for (file, digest) in &self.tree {
            if !aside.iter().any(|place| is_within(file, place)) {
                inputs.insert(format!("file:{file}"), &**digest);
            }
        }
        for file in &declared.files {
            let place = plain(&self.facts.root.join(file));
            // A package is counted file by file.
            if !self.tree.contains_key(file) && !self.facts.packages.contains(&place) {
                let content = content(&place)?;
                inputs.insert(format!("file:{file}"), content);
            }
        }
        for (place, file) in self.shared_objects(declared) {
            let content = content(&file)?;
            inputs.insert(format!("library:{place}"), content);
        }
        let names = build.environment.read_by_cargo();
        for name in names.chain(declared.environment.iter().map(String::as_str)) {
            inputs.insert(format!("environment:{name}"), build.variable(name));
        }
        Ok(inputs)
    }

    /// The binary of an earlier compile here, if nothing has changed since.
    pub fn compiled(&self) -> Result<Option<Compiled>, BuildError> {
        let Some(record) = self.record() else {
            return Ok(None);
        };
        let same = self.inputs(&record.declared)? == record.inputs;
        if !same || !record.holds()? {
            return Ok(None);
        }
        Ok(Some(Compiled {
            binary: Binary::inspect(&record.binary, self.build.linking)?,
            inputs: record.inputs,
            declared: record.declared,
            imprints: record.imprints,
        }))
    }

    /// What the last compile here looked at, if there was one.
    pub fn declared(&self) -> Option<Declared> {
        Some(self.record()?.declared)
    }

    /// The program with its list of packages in it, at a place of its own: cargo's own
    /// copy may be replaced by a binary of the same name.
    pub(crate) fn listed(
        &self,
        program: &Path,
        dependencies: &Dependencies,
    ) -> Result<PathBuf, BuildError> {
        let place = self.build.workspace.join(PROGRAMS).join(self.build.name());
        audit_section::add(program, dependencies, &place)?;
        Ok(place)
    }

    /// Makes a value of a finished compile that began when the workspace was as
    /// `self` has it and ended when it was as `now` has it, and remembers it.
    pub(crate) fn finished(
        &self,
        now: &Self,
        binary: Binary,
        (seen, libraries): (Seen, BTreeMap<String, PathBuf>),
        imprints: Vec<Imprint>,
    ) -> Result<Compiled, BuildError> {
        let declared = Declared {
            libraries,
            ..self.declared_of(seen)
        };
        let mut inputs = now.inputs(&declared)?;
        if now.tree != self.tree {
            let before = self.inputs(&declared)?.digest();
            inputs.insert(UNSETTLED, before.to_string());
        }
        let record = Record {
            seen: signature(&binary.path),
            digest: hash(&binary.path)?,
            binary: binary.path.clone(),
            inputs: inputs.clone(),
            declared: declared.clone(),
            imprints: imprints.clone(),
        };
        remember(&self.memory("compiled"), &record)?;
        Ok(Compiled {
            binary,
            inputs,
            declared,
            imprints,
        })
    }

    /// The shared objects that `program` loads, where they are to be packed with it.
    pub(crate) async fn libraries(
        &self,
        program: &Path,
    ) -> Result<BTreeMap<String, PathBuf>, BuildError> {
        if self.build.linking != Linking::Packed {
            return Ok(BTreeMap::new());
        }
        let search = Search {
            compiler: self.toolchain.compiler_of_libraries(&self.build.target),
            workspace: &self.build.workspace,
            target: &self.build.target,
        };
        let found = search.closure(program).await?.into_iter();
        let root = &self.facts.root;
        Ok(found
            .map(|(place, file)| (place, name_of(&file, root).into()))
            .collect())
    }

    /// Where each of the shared objects is that `declared` names, by its path in the
    /// image; none where they are not packed.
    pub fn shared_objects(&self, declared: &Declared) -> BTreeMap<String, PathBuf> {
        let files = declared.libraries.iter();
        files
            .filter(|_| self.build.linking == Linking::Packed)
            .map(|(place, file)| (place.clone(), self.facts.root.join(file)))
            .collect()
    }

    /// Directories of this machine that a compile works in.
    pub(crate) fn directories(&self) -> Vec<PathBuf> {
        let facts = &self.facts;
        let home = facts.cargo_home.iter();
        [&facts.root, &self.build.workspace, &facts.target_directory]
            .into_iter()
            .chain(home)
            .cloned()
            .collect()
    }

    /// The files of local packages that may be compiled.
    pub(crate) fn sources(&self) -> Vec<PathBuf> {
        let names = self.tree.keys();
        names.map(|name| self.facts.root.join(name)).collect()
    }

    /// What was seen, without what is counted anyway or made by the build itself.
    fn declared_of(&self, seen: Seen) -> Declared {
        let facts = &self.facts;
        let made = [Some(&facts.target_directory), facts.cargo_home.as_ref()];
        let made = made.into_iter().flatten();
        let made: Vec<_> = made.chain([&self.toolchain.sysroot]).collect();
        let files = seen
            .files
            .into_iter()
            .filter(|file| !made.iter().any(|directory| file.starts_with(directory)));
        let named = files.map(|file| name_of(&file, &facts.root));
        let aside = self.build.set_aside.iter();
        let aside: Vec<_> = aside.map(|place| self.name_of_aside(place)).collect();
        let counted = |file: &String| {
            self.tree.contains_key(file) && !aside.iter().any(|place| is_within(file, place))
        };
        Declared {
            files: named.filter(|file| !counted(file)).collect(),
            environment: seen.environment,
            libraries: BTreeMap::new(),
        }
    }

    /// The places that are set aside, but for those that a compile looks into.
    fn set_aside(&self, declared: &Declared) -> Vec<String> {
        let places = self.build.set_aside.iter();
        let places = places.map(|place| self.name_of_aside(place));
        places
            .filter(|place| {
                let looked_into = |file: &String| is_within(file, place) || is_within(place, file);
                !declared.files.iter().any(looked_into)
            })
            .collect()
    }

    fn name_of_aside(&self, place: &Path) -> String {
        name_of(&plain(&self.build.workspace.join(place)), &self.facts.root)
    }

    fn record(&self) -> Option<Record> {
        recall(&self.memory("compiled"))
    }

    fn memory(&self, what: &str) -> PathBuf {
        let name = format!("{what}-{}.json", self.build.name());
        self.build.workspace.join(MEMORY).join(name)
    }
}

/// Files that were looked at for one of several builds.
#[derive(Default)]
struct Files {
    lists: BTreeMap<PathBuf, Vec<PathBuf>>,
    contents: BTreeMap<PathBuf, String>,
}

impl Files {
    async fn list(&mut self, root: &Path) -> Result<Vec<PathBuf>, BuildError> {
        if let Some(files) = self.lists.get(root) {
            return Ok(files.clone());
        }
        let files = list(root).await?;
        self.lists.insert(root.to_owned(), files.clone());
        Ok(files)
    }

    fn content(&mut self, file: &Path) -> Result<String, BuildError> {
        if let Some(known) = self.contents.get(file) {
            return Ok(known.clone());
        }
        let content = content(file)?;
        self.contents.insert(file.to_owned(), content.clone());
        Ok(content)
    }
}

/// What cargo's account of the workspace depends on besides its files.
fn facts_key(build: &CargoBuild, toolchain: &Toolchain, config: Digest) -> Digest {
    // Writing to a text never fails.
    let mut text = format!(
        "{}\n{:?}\n{:?}\n{}\n{}\n{}\n{config}\n",
        build.package,
        build.binary,
        build.features(),
        build.workspace.display(),
        build.target,
        toolchain.compiler
    );
    for name in [
        "CARGO_HOME",
        "HOME",
        "CARGO_TARGET_DIR",
        "CARGO_BUILD_TARGET_DIR",
    ] {
        let value = build.environment.get(name).unwrap_or_default();
        let _ = writeln!(text, "{name}={value}");
    }
    // A manifest above this one may be that of the workspace.
    for above in build.workspace.ancestors() {
        let _ = writeln!(text, "{}", above.join(MANIFEST).is_file());
    }
    Digest::of(text.as_bytes())
}

/// The files of all local packages that may be compiled, and the manifest of the
/// workspace.
async fn tree(facts: &Facts, known: &mut Files) -> Result<BTreeMap<String, String>, BuildError> {
    let mut files = known.list(&facts.root).await?;
    let listed: BTreeSet<_> = files.iter().cloned().collect();
    for package in &facts.packages {
        // One that git does not list: outside of the checkout, or ignored.
        if !listed.contains(&package.join(MANIFEST)) {
            walk(package, &mut files)?;
        }
    }
    let manifests = files.iter().filter(|file| file.ends_with(MANIFEST));
    let packages: BTreeSet<_> = manifests.filter_map(|file| file.parent()).collect();
    let mut tree = BTreeMap::new();
    for file in &files {
        let mut above = file.ancestors().skip(1);
        let package = above.find(|place| packages.contains(place));
        let counts = package.is_some_and(|package| facts.packages.contains(package))
            && !file.starts_with(&facts.target_directory)
            && *file != facts.root.join(LOCK_FILE);
        if counts || *file == facts.root.join(MANIFEST) {
            let content = known.content(file)?;
            // A tracked file that was removed is no file of the tree.
            if content != ABSENT {
                tree.insert(name_of(file, &facts.root), content);
            }
        }
    }
    Ok(tree)
}

/// A path as it stands in the document: relative to the workspace if it lies there.
fn name_of(path: &Path, root: &Path) -> String {
    match path.strip_prefix(root).unwrap_or(path).to_string_lossy() {
        itself if itself.is_empty() => ".".to_owned(),
        relative => relative.into_owned(),
    }
}

/// A text as part of a file's name.
pub(crate) fn file_name(text: &str) -> String {
    text.replace('/', "_")
}

fn is_within(name: &str, place: &str) -> bool {
    place == "."
        || name
            .strip_prefix(place)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests;
