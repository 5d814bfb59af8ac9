//! The `cargo` engine: a package of a workspace into one static binary.
//!
//! The flags make the binary the same in every directory: paths of the
//! checkout, of the target directory and of cargo's home are replaced by
//! constants. Times do not enter: `SOURCE_DATE_EPOCH` is the commit's.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use cargo_metadata::{Message, Metadata, PackageId, TargetKind};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

use crate::{Binary, BuildError};

/// How many of cargo's last lines an error shows.
const SHOWN_LINES: usize = 60;

/// What to build.
#[derive(Debug, Clone)]
pub struct CargoBuild {
    /// The workspace's directory.
    pub workspace: PathBuf,
    /// The package.
    pub package: String,
    /// Its binary; a package with one binary needs no name.
    pub binary: Option<String>,
    /// The Rust target; its C library is linked statically.
    pub target: String,
    /// The cargo profile.
    pub profile: String,
    /// `SOURCE_DATE_EPOCH` for build scripts: seconds since 1970.
    pub source_date_epoch: i64,
}

/// How far a build is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The package that was finished last.
    pub package: &'a str,
    /// Packages finished.
    pub finished: usize,
    /// Packages in all.
    pub total: usize,
}

impl CargoBuild {
    /// Builds, calling `observe` whenever a package is finished.
    pub async fn run(
        &self,
        observe: &(dyn Fn(Progress<'_>) + Send + Sync),
    ) -> Result<Binary, BuildError> {
        let metadata = self.metadata().await?;
        let (package, binary) = self.binary_of(&metadata)?;
        let total = reachable(&metadata, package).len();
        let mut child = self
            .command(&metadata, &binary)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| BuildError::NoProgram {
                program: "cargo",
                source,
            })?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(BuildError::NoBinary(
                "cargo gave no output to read".to_owned(),
            ));
        };
        let (produced, last_lines) =
            tokio::join!(follow(stdout, &binary, total, observe), last_lines(stderr));
        let status = child.wait().await?;
        if !status.success() {
            let output = last_lines?.into_iter().collect::<Vec<_>>().join("\n");
            return Err(self.explained(status.to_string(), output));
        }
        let path = produced?.ok_or_else(|| {
            BuildError::NoBinary(format!(
                "cargo said that it succeeded, but not where `{binary}` is"
            ))
        })?;
        Binary::inspect(&path)
    }

    /// A missing target is the one failure whose cure we know.
    fn explained(&self, status: String, output: String) -> BuildError {
        let missing = output.contains("E0463") && output.contains("target may not be installed");
        if missing {
            BuildError::NoTarget(self.target.clone())
        } else {
            BuildError::Failed { status, output }
        }
    }

    fn command(&self, metadata: &Metadata, binary: &str) -> Command {
        let mut command = Command::new("cargo");
        command
            .current_dir(&self.workspace)
            .args([
                "build",
                "--locked",
                "--package",
                &self.package,
                "--bin",
                binary,
            ])
            .args(["--profile", &self.profile, "--target", &self.target])
            .arg("--message-format=json-render-diagnostics")
            .env(
                "CARGO_ENCODED_RUSTFLAGS",
                rustflags(metadata).join("\u{1f}"),
            )
            .env("CARGO_INCREMENTAL", "0")
            .env("SOURCE_DATE_EPOCH", self.source_date_epoch.to_string())
            .env("CARGO_TERM_COLOR", "never")
            .env_remove("RUSTFLAGS");
        command
    }

    async fn metadata(&self) -> Result<Metadata, BuildError> {
        let output = Command::new("cargo")
            .current_dir(&self.workspace)
            .args(["metadata", "--format-version=1", "--locked"])
            .args(["--filter-platform", &self.target])
            .output()
            .await
            .map_err(|source| BuildError::NoProgram {
                program: "cargo",
                source,
            })?;
        if !output.status.success() {
            return Err(BuildError::Failed {
                status: output.status.to_string(),
                output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            });
        }
        serde_json::from_slice(&output.stdout).map_err(|error| {
            BuildError::NoBinary(format!("cargo's metadata cannot be read: {error}"))
        })
    }

    /// The package's id and the name of its binary.
    fn binary_of<'a>(&self, metadata: &'a Metadata) -> Result<(&'a PackageId, String), BuildError> {
        let members = metadata.workspace_packages();
        let package = members
            .iter()
            .find(|package| package.name.as_str() == self.package);
        let package = package.ok_or_else(|| {
            let names: Vec<_> = members
                .iter()
                .map(|package| package.name.as_str())
                .collect();
            BuildError::NoBinary(format!(
                "the workspace has no package `{}`; it has {}",
                self.package,
                names.join(", ")
            ))
        })?;
        let binaries: Vec<_> = package
            .targets
            .iter()
            .filter(|target| target.kind.contains(&TargetKind::Bin))
            .map(|target| target.name.clone())
            .collect();
        let chosen = match &self.binary {
            Some(name) => binaries.iter().find(|binary| *binary == name),
            None if binaries.len() == 1 => binaries.first(),
            None => None,
        };
        let chosen = chosen.cloned().ok_or_else(|| {
            let found = if binaries.is_empty() {
                "none".to_owned()
            } else {
                binaries.join(", ")
            };
            BuildError::NoBinary(format!(
                "package `{}` has no single binary to choose: it has {found}",
                self.package
            ))
        })?;
        Ok((&package.id, chosen))
    }
}

/// Static linking, and constants in the place of every path of this machine.
fn rustflags(metadata: &Metadata) -> Vec<String> {
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let mut flags = vec!["-Ctarget-feature=+crt-static".to_owned()];
    // Later flags win, so the narrower path comes last.
    flags.extend(cargo_home(metadata).map(|home| remap(&home, "/cargo")));
    flags.push(remap(metadata.workspace_root.as_std_path(), "/source"));
    flags.push(remap(metadata.target_directory.as_std_path(), "/target"));
    flags
}

/// Cargo's home, as the place of any registry package shows it.
fn cargo_home(metadata: &Metadata) -> Option<PathBuf> {
    metadata.packages.iter().find_map(|package| {
        let mut ancestors = package.manifest_path.as_std_path().ancestors();
        let registry = ancestors.find(|path| path.ends_with("registry/src"))?;
        registry.parent()?.parent().map(Path::to_owned)
    })
}

/// Every package that building `root` may compile.
fn reachable<'a>(metadata: &'a Metadata, root: &'a PackageId) -> BTreeSet<&'a PackageId> {
    let Some(resolve) = &metadata.resolve else {
        return BTreeSet::new();
    };
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let mut seen = BTreeSet::from([root]);
    let mut open = vec![root];
    while let Some(node) = open.pop().and_then(|id| nodes.get(id)) {
        for dependency in &node.deps {
            let development = dependency
                .dep_kinds
                .iter()
                .all(|kind| kind.kind == cargo_metadata::DependencyKind::Development);
            if !development && seen.insert(&dependency.pkg) {
                open.push(&dependency.pkg);
            }
        }
    }
    seen
}

/// Reads cargo's messages and returns where the binary is.
async fn follow(
    stdout: impl AsyncRead + Unpin,
    binary: &str,
    total: usize,
    observe: &(dyn Fn(Progress<'_>) + Send + Sync),
) -> Result<Option<PathBuf>, BuildError> {
    let mut lines = BufReader::new(stdout).lines();
    let mut finished = BTreeSet::new();
    let mut produced = None;
    while let Some(line) = lines.next_line().await? {
        // Build scripts may print lines of their own; those are not for us.
        let Ok(Message::CompilerArtifact(artifact)) = serde_json::from_str(&line) else {
            continue;
        };
        let is_program = artifact.target.kind.contains(&TargetKind::Bin);
        if is_program && artifact.target.name == binary {
            produced = artifact.executable.map(Into::into);
        }
        let name = artifact.target.name;
        if finished.insert(artifact.package_id) {
            let finished = finished.len();
            observe(Progress {
                package: &name,
                finished,
                total: total.max(finished),
            });
        }
    }
    Ok(produced)
}

async fn last_lines(stderr: impl AsyncRead + Unpin) -> Result<VecDeque<String>, BuildError> {
    let mut lines = BufReader::new(stderr).lines();
    let mut last = VecDeque::new();
    while let Some(line) = lines.next_line().await? {
        // What cargo did right does not explain what went wrong.
        let trimmed = line.trim_start();
        if trimmed.starts_with("Compiling ") || trimmed.starts_with("Downloaded ") {
            continue;
        }
        last.push_back(line);
        if last.len() > SHOWN_LINES {
            last.pop_front();
        }
    }
    Ok(last)
}
