//! What a finished compile says that it looked at.
//!
//! Cargo leaves three accounts of it: the file beside a program (`NAME.d`), which
//! lists the files of all local packages; those of rustc beside each library,
//! which name variables of the environment (`# env-dep:`); and the output of each
//! build script (`cargo::rerun-if-changed`, `cargo::rerun-if-env-changed`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_metadata::{Artifact, BuildScript, TargetKind};
use fs_err as fs;

use crate::BuildError;
use crate::files::plain;

/// Variables that cargo sets for rustc and for build scripts: functions of what
/// is counted anyway.
const SET_BY_CARGO: [&str; 9] = [
    "DEBUG",
    "HOST",
    "NUM_JOBS",
    "OPT_LEVEL",
    "OUT_DIR",
    "PROFILE",
    "RUSTC",
    "RUSTDOC",
    "TARGET",
];

/// Files and variables by name, as they are found; files are absolute.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) files: BTreeSet<PathBuf>,
    pub(crate) environment: BTreeSet<String>,
}

impl Seen {
    /// What the accounts of a finished compile say.
    pub(crate) fn after(
        artifacts: &[Artifact],
        scripts: &[BuildScript],
    ) -> Result<Self, BuildError> {
        let mut seen = Self::default();
        for artifact in artifacts {
            seen.add_artifact(artifact)?;
        }
        for script in scripts {
            // The id would have the directory in a URL's spelling.
            let local = script.package_id.repr.starts_with("path+");
            let mut packages = artifacts.iter().filter(|_| local);
            let package = packages.find(|artifact| artifact.package_id == script.package_id);
            let manifest = package.map(|package| package.manifest_path.as_std_path());
            seen.add_script(script, manifest.and_then(Path::parent));
        }
        Ok(seen)
    }

    /// Adds what the accounts beside an artifact say.
    fn add_artifact(&mut self, artifact: &Artifact) -> Result<(), BuildError> {
        if let Some(program) = &artifact.executable {
            let account = program.as_std_path().with_extension("d");
            self.add_files_of(&fs::read_to_string(account)?);
        }
        for file in &artifact.filenames {
            for account in accounts_of(file.as_std_path(), artifact)? {
                if let Ok(text) = fs::read_to_string(account) {
                    self.add_environment_of(&text);
                }
            }
        }
        Ok(())
    }

    /// Adds what a build script said; `package` is the directory of a local one.
    fn add_script(&mut self, script: &BuildScript, package: Option<&Path>) {
        let output = script.out_dir.as_std_path().with_file_name("output");
        if let Ok(text) = fs::read_to_string(output) {
            self.add_output(&text, package);
        }
    }

    /// Adds what a script printed; `package` is where a local one runs. Relative
    /// paths of others lie within crates, which the lock file pins. A script that
    /// names nothing may look at all of its package, as it does for cargo.
    fn add_output(&mut self, output: &str, package: Option<&Path>) {
        if !output.contains("rerun-if-") {
            self.files.extend(package.map(Path::to_owned));
        }
        for line in output.lines() {
            let Some(rest) = line.strip_prefix("cargo:") else {
                continue;
            };
            let rest = rest.strip_prefix(':').unwrap_or(rest);
            match rest.split_once('=') {
                Some(("rerun-if-env-changed", name)) => self.add_variable(name.trim()),
                Some(("rerun-if-changed", path)) => {
                    let path = Path::new(path.trim());
                    let place = package.map(|package| package.join(path));
                    let place = place.or_else(|| path.is_absolute().then(|| path.to_owned()));
                    self.files.extend(place.map(|place| plain(&place)));
                }
                _ => {}
            }
        }
    }

    fn add_files_of(&mut self, account: &str) {
        for line in account.lines().filter(|line| !line.starts_with('#')) {
            let dependencies = line.split_once(": ").map_or("", |(_, files)| files);
            self.files
                .extend(words(dependencies).map(|file| plain(Path::new(&file))));
        }
    }

    fn add_environment_of(&mut self, account: &str) {
        for line in account.lines() {
            if let Some(pair) = line.strip_prefix("# env-dep:") {
                self.add_variable(pair.split('=').next().unwrap_or(pair));
            }
        }
    }

    fn add_variable(&mut self, name: &str) {
        if !name.starts_with("CARGO_") && !SET_BY_CARGO.contains(&name) {
            self.environment.insert(name.to_owned());
        }
    }
}

/// The files of rustc's accounts of an artifact: beside a library under the same
/// name; beside a program, which has been given another name, all of its crate.
fn accounts_of(file: &Path, artifact: &Artifact) -> Result<Vec<PathBuf>, BuildError> {
    let directory = file.parent().unwrap_or(Path::new("."));
    let kinds = &artifact.target.kind;
    let script = kinds.contains(&TargetKind::CustomBuild);
    if !script && !kinds.contains(&TargetKind::Bin) {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let name = stem.strip_prefix("lib").unwrap_or(&stem);
        return Ok(vec![directory.join(format!("{name}.d"))]);
    }
    let directory = if script {
        directory.to_owned()
    } else {
        directory.join("deps")
    };
    let prefix = artifact.target.name.replace('-', "_") + "-";
    let mut accounts = Vec::new();
    let Ok(entries) = fs::read_dir(&directory) else {
        return Ok(accounts);
    };
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_account = name.ends_with(".d") && (script || name.starts_with(&prefix));
        if is_account {
            accounts.push(path);
        }
    }
    Ok(accounts)
}

/// The words of a line of a makefile, in which a backslash keeps a blank.
fn words(line: &str) -> impl Iterator<Item = String> {
    let mut words = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => words
                .last_mut()
                .expect("one word")
                .extend(characters.next()),
            ' ' => words.push(String::new()),
            other => words.last_mut().expect("one word").push(other),
        }
    }
    words.into_iter().filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_with_blanks_in_their_names_are_one_word() {
        let found: Vec<_> = words(r"/a/b.rs /a/c\ d.rs  /e").collect();
        assert_eq!(found, ["/a/b.rs", "/a/c d.rs", "/e"]);
    }

    #[test]
    fn scripts_name_files_and_variables_in_both_spellings() {
        let output = "cargo:rerun-if-changed=proto/a.proto\n\
                      cargo::rerun-if-changed=/usr/include/x.h\n\
                      cargo:rerun-if-env-changed=CC\n\
                      cargo::rerun-if-env-changed=TARGET\n\
                      cargo:rustc-env=VERSION=1\nnoise\n";
        let mut local = Seen::default();
        local.add_output(output, Some(Path::new("/w/member")));
        let files = ["/usr/include/x.h", "/w/member/proto/a.proto"].map(PathBuf::from);
        assert_eq!(local.files, BTreeSet::from(files));
        assert_eq!(local.environment, BTreeSet::from(["CC".to_owned()]));

        let mut of_a_crate = Seen::default();
        of_a_crate.add_output(output, None);
        let files = BTreeSet::from([PathBuf::from("/usr/include/x.h")]);
        assert_eq!(of_a_crate.files, files);
    }

    #[test]
    fn a_script_that_names_nothing_looks_at_its_package() {
        let mut seen = Seen::default();
        seen.add_output("cargo:rustc-env=A=1\n", Some(Path::new("/w/member")));
        assert_eq!(seen.files, BTreeSet::from([PathBuf::from("/w/member")]));
    }

    #[test]
    fn variables_that_cargo_sets_are_no_inputs_of_their_own() {
        let mut seen = Seen::default();
        seen.add_environment_of(
            "/t/a: a.rs\n\n# env-dep:CARGO_PKG_VERSION=1\n# env-dep:GIT_HASH=x\n# env-dep:UNSET\n",
        );
        let names = ["GIT_HASH", "UNSET"].map(str::to_owned);
        assert_eq!(seen.environment, BTreeSet::from(names));
    }
}
