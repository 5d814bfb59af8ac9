//! Cargo's configuration files, as far as they shape a binary.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fs_err as fs;
use oci::Digest;

use crate::BuildError;
use crate::environment::Environment;
use crate::linkers::Linkers;

/// Tables that say how cargo works, and nothing of what comes out. Sources of
/// crates are among them: the lock file has the checksum of each.
const WITHOUT_EFFECT: [&str; 14] = [
    "alias",
    "cache",
    "cargo-new",
    "credential-alias",
    "doc",
    "future-incompat-report",
    "http",
    // Each file that is included counts itself.
    "include",
    "install",
    "net",
    "registries",
    "registry",
    "source",
    "term",
];
/// Keys of `[build]` without effect, or which the engine sets itself.
const BUILD_WITHOUT_EFFECT: [&str; 8] = [
    "dep-info-basedir",
    "incremental",
    "jobs",
    "rustdoc",
    "rustdocflags",
    "rustflags",
    "target",
    "target-dir",
];

/// The configuration of one workspace.
pub(crate) struct CargoConfig {
    /// What shapes a binary, nearest file first; none where nothing does.
    pub(crate) effective: Option<Digest>,
    /// All bytes of all files.
    pub(crate) whole: Digest,
    /// Those that files name.
    pub(crate) linkers: Linkers,
    /// Whether the standard library is compiled too.
    pub(crate) builds_library: bool,
}

/// What was read of the files so far.
#[derive(Default)]
struct Read {
    effective: String,
    whole: Vec<u8>,
    linkers: Linkers,
    builds_library: bool,
    files: BTreeSet<PathBuf>,
}

impl CargoConfig {
    /// Reads the files that cargo would: those of the workspace and of the
    /// directories above it, and that of cargo's home.
    pub(crate) fn read(workspace: &Path, environment: &Environment) -> Result<Self, BuildError> {
        let mut places: Vec<PathBuf> = workspace
            .ancestors()
            .map(|directory| directory.join(".cargo"))
            .collect();
        let home = environment.directory("CARGO_HOME", ".cargo");
        places.extend(home.filter(|home| !places.contains(home)));
        let mut read = Read::default();
        for place in places {
            // Where both are there, cargo reads the one without extension.
            let names = ["config", "config.toml"].map(|name| place.join(name));
            let Some(file) = names.into_iter().find(|file| file.is_file()) else {
                continue;
            };
            read.add(&file)?;
        }
        let effective = read.effective;
        let variable = environment.get("CARGO_UNSTABLE_BUILD_STD").is_some();
        Ok(Self {
            effective: (!effective.is_empty()).then(|| Digest::of(effective.as_bytes())),
            whole: Digest::of(&read.whole),
            linkers: read.linkers,
            builds_library: read.builds_library || variable,
        })
    }
}

impl Read {
    /// Adds a file, and then those that it includes, of which the last counts first.
    fn add(&mut self, file: &Path) -> Result<(), BuildError> {
        // One that is not there may be optional; otherwise cargo will say so.
        if !file.is_file() || !self.files.insert(file.to_owned()) {
            return Ok(());
        }
        let text = fs::read_to_string(file)?;
        self.whole.extend_from_slice(text.as_bytes());
        self.whole.push(0);
        self.effective.push_str(&with_effect(&text));
        let table = text.parse::<toml::Table>().unwrap_or_default();
        self.linkers.add(file, &table);
        let unstable = table.get("unstable");
        self.builds_library |= unstable.is_some_and(|table| table.get("build-std").is_some());
        let directory = file.parent().unwrap_or(file);
        for included in included(&table).into_iter().rev() {
            self.add(&directory.join(included))?;
        }
        Ok(())
    }
}

/// The files that a file includes, relative to its own directory (The Cargo Book,
/// "Configuration", `include`): each a text, or a table with `path`.
fn included(table: &toml::Table) -> Vec<&str> {
    let list = table.get("include").and_then(toml::Value::as_array);
    let list = list.into_iter().flatten();
    list.filter_map(|entry| entry.get("path").unwrap_or(entry).as_str())
        .collect()
}

/// What is left of a file without the tables that shape no binary. A file that
/// is not TOML counts whole; cargo will say what is wrong with it.
fn with_effect(text: &str) -> String {
    let Ok(mut table) = text.parse::<toml::Table>() else {
        return text.to_owned();
    };
    for name in WITHOUT_EFFECT {
        table.remove(name);
    }
    if let Some(toml::Value::Table(build)) = table.get_mut("build") {
        for name in BUILD_WITHOUT_EFFECT {
            build.remove(name);
        }
        if build.is_empty() {
            table.remove("build");
        }
    }
    if let Some(toml::Value::Table(targets)) = table.get_mut("target") {
        for (_, target) in targets.iter_mut() {
            if let toml::Value::Table(target) = target {
                target.remove("rustflags");
                target.remove("runner");
            }
        }
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_shapes_a_binary_is_left() {
        assert_eq!(with_effect("[net]\nretry = 3\n[build]\njobs = 2\n"), "");
        let flags = "[target.a]\nlinker = \"x\"\nrustflags = [\"y\"]\n[alias]\nb = \"build\"\n";
        let left = with_effect(flags);
        assert!(
            left.contains("linker") && !left.contains("rustflags"),
            "{left}"
        );
        assert_eq!(with_effect("["), "[");
    }

    #[test]
    fn what_a_file_includes_counts_after_it_and_once() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join(".cargo");
        fs::create_dir_all(place.join("more")).unwrap();
        let write = |name: &str, text: &str| fs::write(place.join(name), text).unwrap();
        let read = || CargoConfig::read(directory.path(), &Environment::default()).unwrap();
        write(
            "config.toml",
            "include = [\"a.toml\", { path = \"more/b.toml\", optional = true }]\n",
        );
        let nothing = read();
        assert!(!nothing.builds_library && nothing.effective.is_none());
        let linker = |text: &str| format!("[target.t]\nlinker = \"{text}\"\n");
        write("a.toml", &linker("a"));
        let one = read();
        assert_eq!(one.linkers.of("t", &[]), Some("a"));
        let back = "include = [\"../config.toml\"]\n[unstable]\nbuild-std = [\"std\"]\n";
        write("more/b.toml", &format!("{back}{}", linker("b")));
        let two = read();
        assert_eq!(two.linkers.of("t", &[]), Some("b"));
        assert!(two.builds_library);
        assert!(one.effective != two.effective && one.whole != two.whole);
    }

    #[test]
    fn the_file_nearest_to_the_workspace_and_that_of_cargos_home_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let (workspace, home) = (directory.path().join("a"), directory.path().join("home"));
        fs::create_dir_all(workspace.join(".cargo")).unwrap();
        fs::create_dir_all(&home).unwrap();
        let pair = ("CARGO_HOME".to_owned(), home.display().to_string());
        let environment: Environment = [pair].into_iter().collect();
        let effective = || {
            CargoConfig::read(&workspace, &environment)
                .unwrap()
                .effective
        };
        let nothing = effective();
        fs::write(home.join("config.toml"), "[net]\noffline = true\n").unwrap();
        assert_eq!(effective(), nothing);
        fs::write(home.join("config.toml"), "[profile.release]\nlto = true\n").unwrap();
        let at_home = effective();
        assert_ne!(at_home, nothing);
        let nearest = workspace.join(".cargo/config.toml");
        fs::write(nearest, "[profile.release]\nlto = false\n").unwrap();
        assert_ne!(effective(), at_home);
    }
}
