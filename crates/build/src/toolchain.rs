//! The compiler, the linker and the C library: which ones a build would use.
//!
//! Starting `rustc` through rustup takes tens of milliseconds, so the answer is
//! remembered with everything that decides which compiler is started, and with
//! the compiler itself, which an update replaces in its place.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use cargo_platform::Cfg;
use fs_err as fs;
use oci::Digest;
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::BuildError;
use crate::environment::Environment;
use crate::linker::{Linker, ZIGBUILD, gcc, processor};
use crate::linkers::{Linkers, parse_cfg};
use crate::remembered::{recall, remember, signature};

/// What compiles and links.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Toolchain {
    /// Of everything that decides which programs are started.
    key: Digest,
    /// Files that are the toolchain, with their signatures.
    files: Vec<(PathBuf, String)>,
    /// What `rustc -vV` prints.
    pub(crate) compiler: String,
    /// The first line of what the linker says to `--version`; empty without one.
    pub(crate) linker: String,
    /// The digest of the C library that is linked into the binary, where it is
    /// this machine's.
    pub(crate) c_library: Option<Digest>,
    /// Where rustc and its libraries are.
    pub(crate) sysroot: PathBuf,
    /// What links.
    pub(crate) links: Linker,
}

/// What the linker said.
struct Said {
    version: String,
    library: String,
}

impl Toolchain {
    /// The toolchain for `target` in `workspace`, from memory or by asking; `linkers` are
    /// those that cargo is told.
    pub(crate) async fn read(
        (target, workspace): (&str, &Path),
        linkers: &Linkers,
        environment: &Environment,
        memory: &Path,
    ) -> Result<Self, BuildError> {
        let key = key((target, workspace), linkers, environment);
        let unchanged = |(file, seen): &(PathBuf, String)| signature(file) == *seen;
        let known = recall::<Self>(memory)
            .filter(|known| known.key == key && known.files.iter().all(unchanged));
        if let Some(known) = known {
            return Ok(known);
        }
        let toolchain = Self::ask(key, (target, workspace), linkers, environment).await?;
        remember(memory, &toolchain)?;
        Ok(toolchain)
    }

    async fn ask(
        key: Digest,
        (target, workspace): (&str, &Path),
        linkers: &Linkers,
        environment: &Environment,
    ) -> Result<Self, BuildError> {
        let (compiler, sysroot) = ask_rustc(workspace, environment).await?;
        let sysroot = PathBuf::from(sysroot.trim());
        let host = host(&compiler);
        let cfg = if linkers.need_cfg() {
            ask_cfg(target, workspace, environment).await
        } else {
            Vec::new()
        };
        let configured = linkers.of(target, &cfg);
        let links = Linker::choose(host, target, configured, environment);
        let (program, own) = match &links {
            Linker::Gcc(program) | Linker::Configured(program) => (program.as_str(), true),
            Linker::Zig => (ZIGBUILD, false),
            Linker::Own | Linker::Missing => ("cc", host == target),
        };
        let mut said = ask_linker(program, workspace).await;
        if let (Linker::Configured(_), "", Some(file)) =
            (&links, &*said.version, environment.program(program))
        {
            // One that tells no version is known by what it is.
            said.version = fs::read(file)
                .map_or_else(|_| String::new(), |bytes| Digest::of(&bytes).to_string());
        }
        let mut files = vec![sysroot.join("bin/rustc")];
        files.extend(environment.program(program));
        let library = Some(PathBuf::from(said.library.trim()))
            .filter(|library| own && target.contains("-gnu") && library.is_absolute());
        let c_library = match &library {
            Some(library) => Some(Digest::of(&fs::read(library)?)),
            None => None,
        };
        files.extend(library);
        let seen = |file: PathBuf| {
            let signature = signature(&file);
            (file, signature)
        };
        Ok(Self {
            key,
            files: files.into_iter().map(seen).collect(),
            compiler: compiler.trim().to_owned(),
            linker: said.version,
            c_library,
            sysroot,
            links,
        })
    }

    /// The compiler that knows the target's libraries.
    pub(crate) fn compiler_of_libraries(&self, target: &str) -> &str {
        let foreign = processor(host(&self.compiler)) != processor(target);
        match &self.links {
            Linker::Gcc(program) => program,
            Linker::Configured(program) if foreign => program,
            Linker::Own | Linker::Configured(_) | Linker::Zig | Linker::Missing => "cc",
        }
    }

    /// Whether the standard library for `target` is there.
    pub(crate) fn has_target(&self, target: &str) -> bool {
        let libraries = self.sysroot.join("lib/rustlib").join(target);
        libraries.join("lib").is_dir()
    }
}

/// What `rustc -vV` says, and where its libraries are.
async fn ask_rustc(
    workspace: &Path,
    environment: &Environment,
) -> Result<(String, String), BuildError> {
    let rustc = environment.get("RUSTC").unwrap_or("rustc");
    let cannot = |source| BuildError::NoProgram {
        program: "rustc",
        source,
    };
    let said = tokio::try_join!(
        output(rustc, &["-vV"], workspace),
        output(rustc, &["--print", "sysroot"], workspace),
    );
    said.map_err(cannot)
}

/// This machine's target, of what `rustc -vV` says.
fn host(compiler: &str) -> &str {
    let mut hosts = compiler
        .lines()
        .filter_map(|line| line.strip_prefix("host: "));
    hosts.next().unwrap_or_default()
}

/// What `cfg(...)` of cargo's configuration is compared with. Of a target that rustc does
/// not know nothing is; cargo will say so.
async fn ask_cfg(target: &str, workspace: &Path, environment: &Environment) -> Vec<Cfg> {
    let rustc = environment.get("RUSTC").unwrap_or("rustc");
    let said = output(rustc, &["--print", "cfg", "--target", target], workspace).await;
    parse_cfg(&said.unwrap_or_default())
}

/// Asks what links. Without it the linker is another; cargo will say so if it needs one.
async fn ask_linker(program: &str, workspace: &Path) -> Said {
    let zig = program == ZIGBUILD;
    let (version, library) = tokio::join!(
        output(program, &["--version"], workspace),
        output(program, &["-print-file-name=libc.a"], workspace),
    );
    let mut version = first_line(version);
    if zig {
        let own = output("zig", &["version"], workspace).await;
        version = format!("{version}, zig {}", first_line(own));
    }
    Said {
        version,
        library: library.unwrap_or_default(),
    }
}

/// The file that `compiler` links under this name.
pub(crate) async fn file_of(compiler: &str, name: &str, workspace: &Path) -> Option<PathBuf> {
    let option = format!("-print-file-name={name}");
    let said = output(compiler, &[&option], workspace).await.ok()?;
    let file = PathBuf::from(said.trim());
    // One that it does not know it repeats.
    (file.is_absolute() && file.is_file()).then_some(file)
}

fn first_line(said: Result<String, std::io::Error>) -> String {
    let said = said.unwrap_or_default();
    said.lines().next().unwrap_or_default().to_owned()
}

/// Everything that decides which `rustc` and which linker are started.
fn key((target, workspace): (&str, &Path), linkers: &Linkers, environment: &Environment) -> Digest {
    // Writing to a text never fails.
    let mut text = format!("{target} {linkers:?}\n");
    for name in ["PATH", "RUSTC", "RUSTUP_TOOLCHAIN", "RUSTUP_HOME", "HOME"] {
        let value = environment.get(name).unwrap_or_default();
        let _ = writeln!(text, "{name}={value}");
    }
    let known = ["rustc", "cc", &gcc(target), ZIGBUILD, "zig"];
    for program in known.into_iter().chain(linkers.programs()) {
        let place = environment.program(program).unwrap_or_default();
        let _ = writeln!(text, "{} {}", place.display(), signature(&place));
    }
    let settings = environment.directory("RUSTUP_HOME", ".rustup");
    let mut files: Vec<_> = settings
        .map(|home| home.join("settings.toml"))
        .into_iter()
        .collect();
    for directory in workspace.ancestors() {
        files.extend(["rust-toolchain", "rust-toolchain.toml"].map(|name| directory.join(name)));
    }
    for file in files {
        let content = fs::read(&file).map(|content| Digest::of(&content).to_string());
        let content = content.unwrap_or_default();
        let _ = writeln!(text, "{} {content}", file.display());
    }
    Digest::of(text.as_bytes())
}

async fn output(
    program: &str,
    arguments: &[&str],
    directory: &Path,
) -> Result<String, std::io::Error> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .await?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    Err(std::io::Error::other(message.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(home: &Path) -> Environment {
        let keep = |name: &str, value: String| (name.to_owned(), value);
        [
            keep("PATH", format!("{}:/usr/bin:/bin", home.display())),
            keep("HOME", home.display().to_string()),
        ]
        .into_iter()
        .collect()
    }

    #[test]
    fn another_toolchain_file_setting_or_compiler_is_asked_again() {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path();
        fs::create_dir(home.join(".rustup")).unwrap();
        let environment = environment(home);
        let workspace = home.join("workspace");
        fs::create_dir(&workspace).unwrap();
        let mut seen = vec![key(("t", &workspace), &Linkers::default(), &environment)];
        for file in ["rustc", ".rustup/settings.toml", "workspace/rust-toolchain"] {
            fs::write(home.join(file), "x").unwrap();
            let now = key(("t", &workspace), &Linkers::default(), &environment);
            assert!(!seen.contains(&now), "{file}");
            seen.push(now);
        }
    }
}
