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

    /// The files that may keep logins to registries, in the order in which podman,
    /// buildah and skopeo look (containers-auth.json(5)); Docker's is the last of them.
    /// A file that `REGISTRY_AUTH_FILE` names is the only one.
    pub(crate) fn logins(&self) -> Vec<PathBuf> {
        let get = |name: &str| self.environment.get(name).map(PathBuf::from);
        if let Some(file) = get("REGISTRY_AUTH_FILE") {
            return vec![file];
        }
        let home = |path: &str| Some(get("HOME")?.join(path));
        let files = [
            get("XDG_RUNTIME_DIR").map(|run| run.join("containers/auth.json")),
            get("XDG_CONFIG_HOME")
                .or_else(|| home(".config"))
                .map(|configuration| configuration.join("containers/auth.json")),
            get("DOCKER_CONFIG")
                .or_else(|| home(".docker"))
                .map(|docker| docker.join("config.json")),
        ];
        files.into_iter().flatten().collect()
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
