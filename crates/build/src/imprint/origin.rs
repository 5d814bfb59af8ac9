//! Which package brought something into a program.

use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use cargo_metadata::{Artifact, BuildScript, PackageId, TargetKind};
use fs_err as fs;

use super::ImprintKind;
use super::scan::Found;
use crate::Environment;
use crate::files::walk;

/// A finished compile, as cargo told of it.
pub(crate) struct Compile<'a> {
    pub(crate) environment: &'a Environment,
    /// The workspace's directory.
    pub(crate) root: &'a Path,
    /// Directories of this machine that the compile works in.
    pub(crate) directories: Vec<PathBuf>,
    /// The files of local packages.
    pub(crate) sources: Vec<PathBuf>,
    pub(crate) artifacts: &'a [Artifact],
    pub(crate) scripts: &'a [BuildScript],
    /// The commit's time, seconds since 1970.
    pub(crate) source_date_epoch: i64,
}

impl Compile<'_> {
    /// What it left behind, libraries and what scripts said.
    pub(super) fn files(&self) -> impl Iterator<Item = PathBuf> {
        let made = self
            .artifacts
            .iter()
            .flat_map(|artifact| &artifact.filenames);
        let made = made.map(|file| file.as_std_path().to_owned());
        made.chain(self.scripts.iter().map(output))
    }
}

/// What a build script printed, where cargo keeps it.
fn output(script: &BuildScript) -> PathBuf {
    script.out_dir.as_std_path().with_file_name("output")
}

/// A package that was compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// `NAME VERSION`.
    pub(super) name: String,
    pub(super) directory: PathBuf,
    /// The source of its build script, where that brought it in.
    pub(super) script: Option<PathBuf>,
}

/// Finds origins.
pub(super) struct Origins<'a> {
    compile: &'a Compile<'a>,
    /// What each build script said and made, read once.
    scripts: Vec<(&'a BuildScript, Vec<u8>)>,
}

impl<'a> Origins<'a> {
    pub(super) fn new(compile: &'a Compile<'a>) -> Self {
        let scripts = compile.scripts.iter();
        let scripts = scripts.map(|script| {
            let mut files = vec![output(script)];
            // Some make nothing.
            let _ = walk(script.out_dir.as_std_path(), &mut files);
            let texts = files.into_iter().filter_map(|file| fs::read(file).ok());
            (script, texts.collect::<Vec<_>>().concat())
        });
        Self {
            compile,
            scripts: scripts.collect(),
        }
    }

    /// The package that `found` comes from: one whose script wrote it, whose
    /// directory it names, or whose library is the first to hold it.
    pub(super) fn of(&mut self, found: &Found) -> Option<Origin> {
        if found.kind == ImprintKind::Incremental {
            return None;
        }
        let text = AhoCorasick::new([&found.text]).ok()?;
        let mut scripts = self.scripts.iter();
        if let Some((script, _)) = scripts.find(|(_, said)| text.is_match(said)) {
            return self.package(&script.package_id, true);
        }
        let by_path = || {
            let path = Path::new(&found.text);
            let mut scripts = self.compile.scripts.iter();
            let made = scripts.find(|script| path.starts_with(script.out_dir.as_std_path()));
            let artifacts = self.compile.artifacts.iter();
            let within = artifacts.filter(|artifact| path.starts_with(directory(artifact)));
            let within = within.max_by_key(|artifact| directory(artifact).as_os_str().len());
            made.map(|script| &script.package_id)
                .or(within.map(|artifact| &artifact.package_id))
        };
        let by_library = || {
            let libraries = self.compile.artifacts.iter().filter(|artifact| {
                let kinds = &artifact.target.kind;
                let apart = [
                    TargetKind::Bin,
                    TargetKind::ProcMacro,
                    TargetKind::CustomBuild,
                ];
                !kinds.iter().any(|kind| apart.contains(kind))
            });
            let mut libraries = libraries.flat_map(|artifact| {
                let files = artifact.filenames.iter();
                files.map(move |file| (file, &artifact.package_id))
            });
            let holds = |(file, _): &(&_, _)| {
                let file: &cargo_metadata::camino::Utf8PathBuf = file;
                fs::read(file).is_ok_and(|bytes| text.is_match(&bytes))
            };
            libraries.find(holds).map(|(_, package)| package)
        };
        let package = (found.kind == ImprintKind::Path).then(by_path).flatten();
        self.package(package.or_else(by_library)?, false)
    }

    fn package(&self, id: &PackageId, scripted: bool) -> Option<Origin> {
        let mut artifacts = self.compile.artifacts.iter();
        let artifact = artifacts.find(|artifact| artifact.package_id == *id)?;
        let script = self.compile.artifacts.iter().find(|artifact| {
            artifact.package_id == *id && artifact.target.kind.contains(&TargetKind::CustomBuild)
        });
        let script = script.map(|artifact| artifact.target.src_path.as_std_path().to_owned());
        Some(Origin {
            name: name(&id.repr),
            directory: directory(artifact).to_owned(),
            script: script.filter(|_| scripted),
        })
    }
}

/// The directory of an artifact's package.
pub(super) fn directory(artifact: &Artifact) -> &Path {
    let manifest = artifact.manifest_path.as_std_path();
    manifest.parent().unwrap_or(manifest)
}

/// `NAME VERSION` of cargo's id: `path+file:///w/api#0.1.0`,
/// `registry+https://...#serde@1.0.1`.
fn name(id: &str) -> String {
    let (place, rest) = id.rsplit_once('#').unwrap_or(("", id));
    match rest.split_once('@') {
        Some((name, version)) => format!("{name} {version}"),
        None => format!("{} {rest}", place.rsplit('/').next().unwrap_or(place)),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn packages_are_named_as_people_name_them() {
        for (id, name) in [
            ("path+file:///w/api#0.1.0", "api 0.1.0"),
            ("path+file:///w/other#api@0.1.0", "api 0.1.0"),
            (
                "registry+https://github.com/rust-lang/crates.io-index#serde@1.0.1",
                "serde 1.0.1",
            ),
        ] {
            assert_eq!(super::name(id), name);
        }
    }
}
