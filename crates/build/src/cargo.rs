//! The `cargo` engine: a package of a workspace into one static binary.
//!
//! The flags make the binary the same in every directory: paths of the
//! checkout, of the target directory and of cargo's home are replaced by
//! constants. Times do not enter: `SOURCE_DATE_EPOCH` is the commit's.

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use attest::Dependencies;
use cargo_metadata::{Artifact, BuildScript, Message, TargetKind};
use oci::Digest;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use crate::audit_section;
use crate::declared::Seen;
use crate::environment::Environment;
use crate::facts::Facts;
use crate::imprint::{Compile, imprints};
use crate::workspace::file_name;
use crate::{Binary, BuildError, Compiled, Workspace};

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
    /// Features of the package, besides its default ones.
    pub features: Vec<String>,
    /// Whether its default features are on.
    pub default_features: bool,
    /// The Rust target; its C library is linked statically.
    pub target: String,
    /// The cargo profile.
    pub profile: String,
    /// `SOURCE_DATE_EPOCH` for build scripts: seconds since 1970.
    pub source_date_epoch: i64,
    /// The environment that cargo is started in.
    pub environment: Environment,
    /// Files and directories, relative to the workspace's, that lie in packages
    /// and are not compiled. They count as inputs all the same where a compile
    /// was seen to look at one.
    pub set_aside: Vec<PathBuf>,
    /// Where cargo puts what it makes, if not to its usual place: a build apart,
    /// which nothing of earlier ones enters.
    pub target_directory: Option<PathBuf>,
}

/// What [`rustflags`] asks for, without the paths of this machine.
pub(crate) const FLAGS: &str =
    "crt-static, paths remapped to /cargo, /source and /target, packages in .dep-v0";

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
    /// Builds `workspace` as it was read, calling `observe` whenever a package is
    /// finished. Dropping the future stops cargo.
    pub async fn run(
        workspace: &Workspace,
        observe: &(dyn Fn(Progress<'_>) + Send + Sync),
    ) -> Result<Compiled, BuildError> {
        let dependencies = workspace.dependencies().await?;
        let mut child = workspace.build.start(&workspace.facts, &dependencies)?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(BuildError::NoBinary(
                "cargo gave no output to read".to_owned(),
            ));
        };
        let (produced, last_lines) = tokio::join!(
            follow(stdout, &workspace.facts, observe),
            last_lines(stderr)
        );
        let status = child.wait().await?;
        if !status.success() {
            let output = last_lines?.into_iter().collect::<Vec<_>>().join("\n");
            return Err(workspace.build.explained(status.to_string(), output));
        }
        let told = produced?;
        // Some of the accounts are written when everything else is done.
        let seen = Seen::after(&told.artifacts, &told.scripts)?;
        let path = told.program.as_ref().ok_or_else(|| {
            BuildError::NoBinary(format!(
                "cargo said that it succeeded, but not where `{}` is",
                workspace.facts.binary
            ))
        })?;
        let binary = Binary::inspect(path)?;
        let imprints = imprints(path, &told.compile(workspace))?;
        workspace.finished(binary, seen, imprints).await
    }

    fn start(&self, facts: &Facts, dependencies: &Dependencies) -> Result<Child, BuildError> {
        let section = audit_section::write(dependencies, &self.target, &facts.root)?;
        let mut command = self.command(facts, section.as_deref());
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command.spawn().map_err(|source| BuildError::NoProgram {
            program: "cargo",
            source,
        })
    }

    /// What tells this build from others of the same checkout, as part of a file's
    /// name.
    pub(crate) fn name(&self) -> String {
        let Self {
            package,
            target,
            profile,
            ..
        } = self;
        let binary = self.binary.as_deref().unwrap_or_default();
        let apart = self.target_directory.as_ref().map_or("", |_| "-apart");
        let features = match self.features() {
            features if features.is_empty() => String::new(),
            features => format!(
                "-{}",
                &Digest::of(features.join(" ").as_bytes()).hex()[..16]
            ),
        };
        file_name(&format!(
            "{package}-{binary}-{target}-{profile}{features}{apart}"
        ))
    }

    /// Cargo's options for the package's features; none for the default ones.
    pub(crate) fn features(&self) -> Vec<String> {
        let mut options = Vec::new();
        if !self.default_features {
            options.push("--no-default-features".to_owned());
        }
        if !self.features.is_empty() {
            let mut features = self.features.clone();
            features.sort_unstable();
            features.dedup();
            options.extend(["--features".to_owned(), features.join(",")]);
        }
        options
    }

    /// Has cargo put what it makes to the place that was asked for.
    pub(crate) fn apart(&self, command: &mut Command) {
        command.envs(
            self.target_directory
                .iter()
                .map(|place| ("CARGO_TARGET_DIR", place)),
        );
    }

    /// What cargo answers to a question about the workspace.
    pub(crate) async fn ask(&self, arguments: &[&str]) -> Result<Vec<u8>, BuildError> {
        let mut command = Command::new("cargo");
        command
            .current_dir(&self.workspace)
            .args(arguments)
            .env("CARGO_TERM_COLOR", "never");
        self.apart(&mut command);
        let output = command
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
        Ok(output.stdout)
    }

    /// A variable of cargo's environment, as an input's value.
    pub(crate) fn variable(&self, name: &str) -> String {
        let value = match name {
            "SOURCE_DATE_EPOCH" => return self.source_date_epoch.to_string(),
            "RUSTFLAGS" => None,
            name => self.environment.get(name),
        };
        match value {
            Some(value) => Digest::of(value.as_bytes()).to_string(),
            None => "unset".to_owned(),
        }
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

    fn command(&self, facts: &Facts, section: Option<&Path>) -> Command {
        let mut command = Command::new("cargo");
        command
            .current_dir(&self.workspace)
            .args([
                "rustc",
                "--locked",
                "--package",
                &self.package,
                "--bin",
                &facts.binary,
            ])
            .args(self.features())
            .args(["--profile", &self.profile, "--target", &self.target])
            .arg("--message-format=json-render-diagnostics")
            .env("CARGO_ENCODED_RUSTFLAGS", rustflags(facts).join("\u{1f}"))
            .env("CARGO_INCREMENTAL", "0")
            .env("SOURCE_DATE_EPOCH", self.source_date_epoch.to_string())
            .env("CARGO_TERM_COLOR", "never")
            .env_remove("RUSTFLAGS");
        if let Some(section) = section {
            // For the program alone, and nothing that it is made of.
            command
                .arg("--")
                .arg(format!("-Clink-arg={}", section.display()));
        }
        self.apart(&mut command);
        command
    }
}

/// Static linking, and constants in the place of every path of this machine.
fn rustflags(facts: &Facts) -> Vec<String> {
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let mut flags = vec!["-Ctarget-feature=+crt-static".to_owned()];
    // Later flags win, so the narrower path comes last.
    let home = facts.cargo_home.iter();
    flags.extend(home.map(|home| remap(home, "/cargo")));
    flags.push(remap(&facts.root, "/source"));
    flags.push(remap(&facts.target_directory, "/target"));
    flags
}

/// What cargo told while it worked.
#[derive(Default)]
struct Told {
    /// Where the binary is.
    program: Option<PathBuf>,
    artifacts: Vec<Artifact>,
    scripts: Vec<BuildScript>,
}

impl Told {
    /// What is known of the finished compile of `workspace`.
    fn compile<'t>(&'t self, workspace: &'t Workspace) -> Compile<'t> {
        Compile {
            environment: &workspace.build.environment,
            root: &workspace.facts.root,
            directories: workspace.directories(),
            sources: workspace.sources(),
            artifacts: &self.artifacts,
            scripts: &self.scripts,
            source_date_epoch: workspace.build.source_date_epoch,
        }
    }
}

/// Reads cargo's messages.
async fn follow(
    stdout: impl AsyncRead + Unpin,
    facts: &Facts,
    observe: &(dyn Fn(Progress<'_>) + Send + Sync),
) -> Result<Told, BuildError> {
    let mut lines = BufReader::new(stdout).lines();
    let mut finished = BTreeSet::new();
    let mut told = Told::default();
    while let Some(line) = lines.next_line().await? {
        // Build scripts may print lines of their own; those are not for us.
        let artifact = match serde_json::from_str(&line) {
            Ok(Message::CompilerArtifact(artifact)) => artifact,
            Ok(Message::BuildScriptExecuted(script)) => {
                told.scripts.push(script);
                continue;
            }
            _ => continue,
        };
        let is_program = artifact.target.kind.contains(&TargetKind::Bin);
        if is_program && artifact.target.name == facts.binary {
            told.program = artifact.executable.clone().map(Into::into);
        }
        if finished.insert(artifact.package_id.clone()) {
            let finished = finished.len();
            observe(Progress {
                package: &artifact.target.name,
                finished,
                total: facts.total.max(finished),
            });
        }
        told.artifacts.push(artifact);
    }
    Ok(told)
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
