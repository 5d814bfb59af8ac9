//! Cargo's configuration files, as far as they shape a binary.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fs_err as fs;
use oci::Digest;

use crate::BuildError;
use crate::environment::Environment;
use crate::linker;

/// Tables that say how cargo works, and nothing of what comes out. Sources of
/// crates are among them: the lock file has the checksum of each.
const WITHOUT_EFFECT: [&str; 13] = [
    "alias",
    "cache",
    "cargo-new",
    "credential-alias",
    "doc",
    "future-incompat-report",
    "http",
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
    /// The targets that have a linker of their own.
    linkers: BTreeSet<String>,
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
        let (mut effective, mut whole) = (String::new(), Vec::new());
        let mut linkers = BTreeSet::new();
        for place in places {
            // Where both are there, cargo reads the one without extension.
            let names = ["config", "config.toml"].map(|name| place.join(name));
            let Some(file) = names.into_iter().find(|file| file.is_file()) else {
                continue;
            };
            let text = fs::read_to_string(file)?;
            whole.extend_from_slice(text.as_bytes());
            whole.push(0);
            effective.push_str(&with_effect(&text));
            linkers.extend(with_linker(&text));
        }
        Ok(Self {
            effective: (!effective.is_empty()).then(|| Digest::of(effective.as_bytes())),
            whole: Digest::of(&whole),
            linkers,
        })
    }

    /// Whether a linker is configured for `target`, in a file or by a variable.
    pub(crate) fn has_linker(&self, target: &str, environment: &Environment) -> bool {
        self.linkers.contains(target) || environment.get(&linker::variable(target)).is_some()
    }
}

/// The targets for which a file names a linker.
fn with_linker(text: &str) -> Vec<String> {
    let table = text.parse::<toml::Table>().unwrap_or_default();
    let targets = table.get("target").and_then(toml::Value::as_table);
    let named = targets.into_iter().flatten();
    let named = named.filter(|(_, target)| target.get("linker").is_some());
    named.map(|(name, _)| name.clone()).collect()
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
