//! The environment that a compiler would see, as a value.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Variables by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<String, String>);

/// Variables that cargo or rustc read from the environment itself.
const READ_BY_CARGO: [&str; 4] = [
    "RUSTC",
    "RUSTC_BOOTSTRAP",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
];
/// Prefixes of the same.
const PREFIXES_READ_BY_CARGO: [&str; 4] = [
    "CARGO_BUILD_",
    "CARGO_PROFILE_",
    "CARGO_TARGET_",
    "CARGO_UNSTABLE_",
];
/// Of those, the ones that this engine sets itself, and the ones that shape no
/// binary.
const WITHOUT_EFFECT: [&str; 6] = [
    "CARGO_BUILD_INCREMENTAL",
    "CARGO_BUILD_JOBS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_TARGET_DIR",
];

impl Environment {
    /// The value of `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Names of variables that shape a binary whatever is compiled.
    pub(crate) fn read_by_cargo(&self) -> impl Iterator<Item = &str> {
        let names = self.0.keys().map(String::as_str);
        names.filter(|name| {
            let prefixed = PREFIXES_READ_BY_CARGO
                .iter()
                .any(|prefix| name.starts_with(prefix));
            let flags = name.ends_with("_RUSTFLAGS") || name.ends_with("_RUNNER");
            READ_BY_CARGO.contains(name) || (prefixed && !flags && !WITHOUT_EFFECT.contains(name))
        })
    }

    /// A directory that a variable names, or one below the home directory.
    pub(crate) fn directory(&self, name: &str, below_home: &str) -> Option<PathBuf> {
        let set = self.get(name).filter(|value| !value.is_empty());
        let home = || Some(Path::new(self.get("HOME")?).join(below_home));
        set.map(PathBuf::from).or_else(home)
    }

    /// The program that a shell would start.
    pub(crate) fn program(&self, name: &str) -> Option<PathBuf> {
        if name.contains('/') {
            return Some(name.into());
        }
        let places = self.get("PATH")?.split(':');
        let mut found = places.map(|place| Path::new(place).join(name));
        found.find(|path| path.is_file())
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_reads_counts_and_what_shapes_no_binary_does_not() {
        let names = [
            "CARGO_PROFILE_RELEASE_LTO",
            "CARGO_TARGET_DIR",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
            "CARGO_UNSTABLE_BUILD_STD",
            "HOME",
            "RUSTC_WRAPPER",
        ];
        let pairs = names.map(|name| (name.to_owned(), String::new()));
        let environment: Environment = pairs.into_iter().collect();
        assert_eq!(
            environment.read_by_cargo().collect::<Vec<_>>(),
            [
                "CARGO_PROFILE_RELEASE_LTO",
                "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER",
                "CARGO_UNSTABLE_BUILD_STD",
                "RUSTC_WRAPPER"
            ]
        );
    }
}
