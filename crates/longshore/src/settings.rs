//! Flags and environment into settings, once.

use std::path::PathBuf;

use crate::arguments::{Arguments, Format};
use crate::environment::Environment;

/// Everything that commands may know of where they run.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Where the search for `longshore.toml` begins.
    pub(crate) directory: PathBuf,
    /// For whom the output is.
    pub(crate) format: Format,
    /// The environment.
    pub(crate) environment: Environment,
}

impl Settings {
    pub(crate) fn resolve(arguments: &Arguments, environment: Environment) -> Self {
        Self {
            directory: arguments.directory.clone(),
            format: arguments.format,
            environment,
        }
    }

    /// Where logins to registries are kept: the file that a variable names, or the
    /// first that is there of Docker's and those of podman, buildah and skopeo
    /// (containers-auth.json(5)), which have the same form.
    pub(crate) fn docker_configuration(&self) -> Option<PathBuf> {
        let below = |name: &str, path: &str| {
            let directory = self.environment.get(name)?;
            Some(PathBuf::from(directory).join(path))
        };
        let file = || {
            self.environment
                .get("REGISTRY_AUTH_FILE")
                .map(PathBuf::from)
        };
        let named = below("DOCKER_CONFIG", "config.json").or_else(file);
        if named.is_some() {
            return named;
        }
        let usual = [
            below("HOME", ".docker/config.json"),
            below("XDG_RUNTIME_DIR", "containers/auth.json"),
            below("HOME", ".config/containers/auth.json"),
        ];
        let mut there = usual.iter().flatten().filter(|file| file.is_file());
        there.next().or(usual[0].as_ref()).cloned()
    }

    /// Whether this is a job of GitHub Actions.
    pub(crate) fn in_github_actions(&self) -> bool {
        self.environment.is_true("GITHUB_ACTIONS")
    }

    /// Whether nobody watches: lines then, instead of bars.
    pub(crate) fn in_ci(&self) -> bool {
        self.in_github_actions() || self.environment.get("CI").is_some()
    }
}
