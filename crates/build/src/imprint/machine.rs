//! What to look for: the names and paths of this machine, and when it compiled.

use std::path::{Path, PathBuf};

use super::origin::Compile;
use super::stamp::Moments;
use crate::Environment;

/// What paths of this machine become in a program; one that is really called so is
/// no trace of it.
const CONSTANTS: [&str; 3] = ["/cargo", "/source", "/target"];
/// Names that many machines have: they tell nothing, and programs hold them for
/// reasons of their own.
const EVERYWHERE: [&str; 12] = [
    "admin",
    "alpine",
    "builder",
    "container",
    "debian",
    "docker",
    "fedora",
    "localhost",
    "nobody",
    "runner",
    "ubuntu",
    "vagrant",
];
/// Shorter names mean nothing.
const SHORTEST_NAME: usize = 5;

/// The machine and the moment.
#[derive(Debug, Default)]
pub(super) struct Machine {
    pub(super) paths: Vec<KnownPath>,
    pub(super) hosts: Vec<String>,
    pub(super) users: Vec<String>,
    pub(super) moments: Moments,
}

/// A directory of this machine.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct KnownPath {
    /// What a path in it begins with.
    pub(super) prefix: String,
    /// Whether other machines have it too, so that it may stand in a source.
    pub(super) ordinary: bool,
}

impl Machine {
    /// As the environment and the accounts of a compile show it.
    pub(super) fn of(compile: &Compile<'_>) -> Self {
        let environment = compile.environment;
        let named = |names: &[&str]| -> Vec<String> {
            let values = names.iter().filter_map(|name| environment.get(name));
            let mut values: Vec<_> = values.filter_map(name).collect();
            values.dedup();
            values
        };
        let mut hosts = named(&["HOSTNAME", "HOST"]);
        let kernel = fs_err::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        hosts.extend(name(&kernel).filter(|host| !hosts.contains(host)));
        Self {
            paths: paths(environment, &compile.directories),
            hosts,
            users: named(&["USER", "LOGNAME"]),
            moments: Moments::of(compile),
        }
    }
}

/// A name that says something.
fn name(text: &str) -> Option<String> {
    let name = text.trim();
    let short = name.split('.').next().unwrap_or(name);
    let says = short.len() >= SHORTEST_NAME && !EVERYWHERE.contains(&short);
    says.then(|| name.to_owned())
}

fn paths(environment: &Environment, directories: &[PathBuf]) -> Vec<KnownPath> {
    let home = environment.get("HOME").map(PathBuf::from);
    let tools = [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")];
    let tools = tools
        .into_iter()
        .filter_map(|(name, below_home)| environment.directory(name, below_home));
    let certain = directories.iter().cloned().chain(home).chain(tools);
    let mut paths = Vec::new();
    for directory in certain {
        let real = fs_err::canonicalize(&directory).unwrap_or_else(|_| directory.clone());
        paths.extend(
            [directory, real]
                .iter()
                .filter_map(|path| known(path, false)),
        );
    }
    let temporary = environment.get("TMPDIR").filter(|path| !path.is_empty());
    paths.extend(known(Path::new(temporary.unwrap_or("/tmp")), true));
    // The certain one of two stays.
    paths.sort_by(|one, other| (&one.prefix, one.ordinary).cmp(&(&other.prefix, other.ordinary)));
    paths.dedup_by(|later, first| later.prefix == first.prefix);
    paths
}

/// Nothing where the path means nothing, such as `/`.
fn known(path: &Path, ordinary: bool) -> Option<KnownPath> {
    let text = path.to_str()?.trim_end_matches('/');
    let depth = text.matches('/').count();
    if !text.starts_with('/') || text.len() < 2 || CONSTANTS.contains(&text) {
        return None;
    }
    // `/root` and `/app` are such on many machines, and begin other words.
    let ordinary = ordinary || depth == 1;
    let end = if ordinary { "/" } else { "" };
    Some(KnownPath {
        prefix: format!("{text}{end}"),
        ordinary,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_machines_have_is_looked_for_with_care_or_not_at_all() {
        let pairs = [("HOME", "/root"), ("CARGO_HOME", "/nowhere/cargo")];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment = pairs.into_iter().collect();
        let directories = ["/", "/source", "/nowhere/work/api"].map(PathBuf::from);
        let paths = paths(&environment, &directories);
        let paths: Vec<_> = paths
            .iter()
            .map(|path| (path.prefix.as_str(), path.ordinary))
            .collect();
        assert_eq!(
            paths,
            [
                ("/nowhere/cargo", false),
                ("/nowhere/work/api", false),
                ("/root/", true),
                ("/root/.rustup", false),
                ("/tmp/", true),
            ]
        );
        for nothing in ["vm", "localhost", "runner", "debian.example.com", ""] {
            assert_eq!(name(nothing), None, "{nothing}");
        }
        assert_eq!(name("ip-10-0-3-21\n").as_deref(), Some("ip-10-0-3-21"));
    }
}
