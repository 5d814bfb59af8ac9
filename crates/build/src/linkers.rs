//! The linkers that cargo is told of, by files and variables.
//!
//! Flags (`-Clinker=...`) are none of them: cargo is given the engine's flags in the place
//! of all others.

use std::path::Path;

use cargo_platform::{Cfg, Platform};
use serde::Serialize;

use crate::environment::Environment;
use crate::linker;

/// Linkers, each with what it is for: a target or `cfg(...)`. What cargo takes first
/// comes first (The Cargo Book, "Configuration", `target.<triple>.linker` and
/// `target.<cfg>.linker`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Linkers(Vec<(String, String)>);

impl Linkers {
    /// Adds those of a configuration file. One with a slash is relative to the directory
    /// above the file's, any other is looked for in `PATH`.
    pub(crate) fn add(&mut self, file: &Path, table: &toml::Table) {
        let above = file.ancestors().nth(2).unwrap_or(file);
        let targets = table.get("target").and_then(toml::Value::as_table);
        for (name, target) in targets.into_iter().flatten() {
            if let Some(linker) = target.get("linker").and_then(toml::Value::as_str) {
                self.0.push((name.clone(), place(linker, above)));
            }
        }
    }

    /// All of them for builds for `target` in `workspace`: a variable comes before files.
    pub(crate) fn with_variable(
        &self,
        (target, workspace): (&str, &Path),
        environment: &Environment,
    ) -> Self {
        let variable = environment.get(&linker::variable(target));
        let variable = variable.map(|linker| (target.to_owned(), place(linker, workspace)));
        Self(variable.into_iter().chain(self.0.iter().cloned()).collect())
    }

    /// Whether what `cfg(...)` means must be known.
    pub(crate) fn need_cfg(&self) -> bool {
        self.0.iter().any(|(name, _)| name.starts_with("cfg("))
    }

    /// The linker for `target`, of which rustc says `cfg`.
    pub(crate) fn of(&self, target: &str, cfg: &[Cfg]) -> Option<&str> {
        let matches = |name: &str| {
            let platform = name.parse::<Platform>();
            platform.is_ok_and(|platform| platform.matches(target, cfg))
        };
        let named = self.0.iter().find(|(name, _)| name == target);
        let found = named.or_else(|| self.0.iter().find(|(name, _)| matches(name)));
        found.map(|(_, linker)| &**linker)
    }

    /// The programs.
    pub(crate) fn programs(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, linker)| &**linker)
    }
}

/// What `rustc --print cfg` says.
pub(crate) fn parse_cfg(said: &str) -> Vec<Cfg> {
    said.lines().filter_map(|line| line.parse().ok()).collect()
}

fn place(linker: &str, root: &Path) -> String {
    if linker.contains('/') {
        root.join(linker).display().to_string()
    } else {
        linker.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: &str = "aarch64-unknown-linux-gnu";
    const CFG: &str = "target_arch=\"aarch64\"\ntarget_os=\"linux\"\nunix\n";

    fn of(text: &str, variables: &[(&str, &str)]) -> Option<String> {
        let mut linkers = Linkers::default();
        let file = Path::new("/work/.cargo/config.toml");
        linkers.add(file, &text.parse().unwrap());
        let pairs = variables.iter();
        let pairs = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment: Environment = pairs.collect();
        let all = linkers.with_variable((TARGET, Path::new("/work/api")), &environment);
        all.of(TARGET, &parse_cfg(CFG)).map(str::to_owned)
    }

    #[test]
    fn a_target_has_the_linker_that_cargo_would_take() {
        let own = "[target.aarch64-unknown-linux-gnu]\nlinker = \"own\"\n";
        let arm = "[target.'cfg(target_arch = \"aarch64\")']\nlinker = \"tools/arm\"\n";
        let other = "[target.'cfg(all(unix, target_arch = \"x86_64\"))']\nlinker = \"other\"\n";
        let wrong = "[target.'cfg(']\nlinker = \"wrong\"\n";
        let flags = "[target.aarch64-unknown-linux-gnu]\nrustflags = [\"-Clinker=x\"]\n";
        let variable = ["CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", "said"];
        let variable = (variable[0], variable[1]);
        for (text, variables, expected) in [
            (own.to_owned(), &[][..], Some("own")),
            (arm.to_owned(), &[], Some("/work/tools/arm")),
            (format!("{arm}{own}"), &[], Some("own")),
            (format!("{arm}{own}"), &[variable], Some("said")),
            (
                String::new(),
                &[(variable.0, "bin/a")],
                Some("/work/api/bin/a"),
            ),
            (other.to_owned(), &[], None),
            (wrong.to_owned(), &[], None),
            (flags.to_owned(), &[("RUSTFLAGS", "-Clinker=x")], None),
        ] {
            assert_eq!(of(&text, variables).as_deref(), expected, "{text}");
        }
    }
}
