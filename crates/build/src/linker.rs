//! What links programs for a target that may be another processor's.

use serde::{Deserialize, Serialize};

use crate::environment::Environment;

/// Compiles for other processors with `zig` as the linker.
pub(crate) const ZIGBUILD: &str = "cargo-zigbuild";

/// What links programs for a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Linker {
    /// What cargo uses by itself: this machine's.
    Own,
    /// The one that cargo is told, by its name or path.
    Configured(String),
    /// The GCC of another processor, by its name.
    Gcc(String),
    /// `cargo zigbuild`.
    Zig,
    /// Nothing here does.
    Missing,
}

impl Linker {
    /// The first that is there: one that is `configured` for the target; for this
    /// machine's processor its own compiler; the target's GCC; `cargo zigbuild`, which has
    /// no static C library but musl.
    pub(crate) fn choose(
        host: &str,
        target: &str,
        configured: Option<&str>,
        environment: &Environment,
    ) -> Self {
        if let Some(configured) = configured {
            return Self::Configured(configured.to_owned());
        }
        if processor(host) == processor(target) {
            return Self::Own;
        }
        let gcc = gcc(target);
        if environment.program(&gcc).is_some() {
            return Self::Gcc(gcc);
        }
        if has_musl(target) && environment.program(ZIGBUILD).is_some() {
            return Self::Zig;
        }
        Self::Missing
    }
}

/// The target's GCC, as distributions name it.
pub(crate) fn gcc(target: &str) -> String {
    let library = if has_musl(target) { "musl" } else { "gnu" };
    format!("{}-linux-{library}-gcc", processor(target))
}

/// Whether the target's C library is musl.
pub(crate) fn has_musl(target: &str) -> bool {
    target.ends_with("-musl")
}

/// The variable that tells cargo the linker for `target` (The Cargo Book,
/// "Environment variables").
pub(crate) fn variable(target: &str) -> String {
    let name = target.to_uppercase().replace(['-', '.'], "_");
    format!("CARGO_TARGET_{name}_LINKER")
}

/// The processor of a target.
pub(crate) fn processor(target: &str) -> &str {
    target.split('-').next().unwrap_or(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "x86_64-unknown-linux-gnu";
    const GNU: &str = "aarch64-unknown-linux-gnu";
    const MUSL: &str = "aarch64-unknown-linux-musl";

    /// An environment with these programs.
    fn with(programs: &[&str]) -> (tempfile::TempDir, Environment) {
        let directory = tempfile::tempdir().unwrap();
        for program in programs {
            fs_err::write(directory.path().join(program), "").unwrap();
        }
        let path = ("PATH".to_owned(), directory.path().display().to_string());
        (directory, [path].into_iter().collect())
    }

    #[test]
    fn the_first_that_is_there_links() {
        let gcc = "aarch64-linux-gnu-gcc";
        let (_both, both) = with(&[gcc, ZIGBUILD]);
        let (_none, none) = with(&[]);
        let choose =
            |target, configured, machine| Linker::choose(HOST, target, configured, machine);
        assert_eq!(choose(HOST, None, &none), Linker::Own);
        assert_eq!(
            choose("x86_64-unknown-linux-musl", None, &none),
            Linker::Own
        );
        for target in [HOST, GNU] {
            let configured = Linker::Configured("ld".to_owned());
            assert_eq!(choose(target, Some("ld"), &both), configured);
        }
        assert_eq!(choose(GNU, None, &both), Linker::Gcc(gcc.to_owned()));
        assert_eq!(choose(MUSL, None, &both), Linker::Zig);
        assert_eq!(choose(GNU, None, &none), Linker::Missing);
        // Zig has no static glibc.
        let (_zig, zig) = with(&[ZIGBUILD]);
        assert_eq!(choose(GNU, None, &zig), Linker::Missing);
    }

    #[test]
    fn cargo_is_told_the_linker_by_the_variable_of_the_target() {
        assert_eq!(
            variable(GNU),
            "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER"
        );
    }
}
