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

    /// Where Docker keeps its logins to registries.
    pub(crate) fn docker_configuration(&self) -> Option<PathBuf> {
        let home = || Some(PathBuf::from(self.environment.get("HOME")?).join(".docker"));
        let directory = self.environment.get("DOCKER_CONFIG").map(PathBuf::from);
        Some(directory.or_else(home)?.join("config.json"))
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
