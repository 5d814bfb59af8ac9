//! The `cargo` engine: packages of a workspace into static binaries.
//!
//! The flags make the binary the same in every directory: paths of the
//! checkout, of the target directory and of cargo's home are replaced by
//! constants. Times do not enter: `SOURCE_DATE_EPOCH` is the commit's.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use cargo_metadata::{Artifact, BuildScript, Message, PackageId, TargetKind};
use oci::Digest;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use crate::declared::Seen;
use crate::dependencies::Resolution;
use crate::environment::Environment;
use crate::facts::Facts;
use crate::imprint::{Compile, imprints};
use crate::linker::{self, Linker};
use crate::together::together;
use crate::unseen::hide_new;
use crate::workspace::file_name;
use crate::{Binary, BuildError, Compiled, Linking, Workspace};

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
    /// The Rust target.
    pub target: String,
    /// Whether libraries are in the program, or loaded by it.
    pub linking: Linking,
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
pub(crate) fn flags(linking: Linking) -> String {
    let libraries = match linking {
        Linking::Static => "crt-static",
        Linking::Packed => "libraries packed",
        Linking::Base => "libraries of the base",
    };
    format!("{libraries}, paths remapped to /cargo, /source and /target, packages in .dep-v0")
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
    /// Builds all of `workspaces`, which are one as several builds see it, calling
    /// `observe` whenever a package is finished. Dropping the future stops cargo.
    ///
    /// Cargo is run once for all that may be compiled together: each program is the
    /// one that a build of it alone would give.
    pub async fn run(
        workspaces: &[&Workspace],
        observe: &(dyn Fn(Progress<'_>) + Send + Sync),
    ) -> Result<Vec<Compiled>, BuildError> {
        // A platform that cannot be compiled is no reason to compile the others.
        for workspace in workspaces {
            workspace.linker()?;
        }
        let resolutions = Workspace::resolutions(workspaces).await?;
        let mut compiled: BTreeMap<String, Compiled> = BTreeMap::new();
        for group in together(workspaces, &resolutions) {
            let of = |place: &usize| (workspaces[*place], &resolutions[*place]);
            let group: Vec<_> = group.iter().map(of).collect();
            compiled.extend(run_group(&group, observe).await?);
        }
        let own = |workspace: &&Workspace| compiled.get(&workspace.build.name()).cloned();
        let all: Option<Vec<_>> = workspaces.iter().map(own).collect();
        all.ok_or_else(|| BuildError::NoBinary("a program was lost on the way".to_owned()))
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
        let linking = match self.linking {
            Linking::Static => "",
            Linking::Packed => "-packed",
            Linking::Base => "-base",
        };
        let features = match self.features() {
            features if features.is_empty() => String::new(),
            features => format!(
                "-{}",
                &Digest::of(features.join(" ").as_bytes()).hex()[..16]
            ),
        };
        file_name(&format!(
            "{package}-{binary}-{target}-{profile}{features}{linking}{apart}"
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
            let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(self.explained(output.status.to_string(), words));
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

    /// A lock file or a target that is missing are the failures whose cure we know.
    fn explained(&self, status: String, output: String) -> BuildError {
        // Who runs Longshore has not passed it.
        if output.contains("--locked was passed") {
            let missing = output.contains("cannot create the lock file");
            return BuildError::Unlocked { missing };
        }
        let missing = output.contains("E0463") && output.contains("target may not be installed");
        if missing {
            BuildError::NoTarget {
                target: self.target.clone(),
                installed: false,
                linked: true,
            }
        } else {
            BuildError::Failed { status, output }
        }
    }

    /// The command that compiles `workspaces` together.
    fn command(workspaces: &[&Workspace]) -> Result<Command, BuildError> {
        let (build, facts) = (&workspaces[0].build, &workspaces[0].facts);
        let mut command = Command::new("cargo");
        let verb = match workspaces[0].linker()? {
            Linker::Zig => "zigbuild",
            Linker::Gcc(gcc) => {
                command.env(linker::variable(&build.target), gcc);
                "build"
            }
            Linker::Own | Linker::Configured(_) | Linker::Missing => "build",
        };
        command
            .current_dir(&build.workspace)
            .args([verb, "--locked"]);
        for workspace in workspaces {
            command
                .args(["--package", &workspace.build.package])
                .args(["--bin", &workspace.facts.binary]);
        }
        command
            .args(build.features())
            .args(["--profile", &build.profile, "--target", &build.target])
            .arg("--message-format=json-render-diagnostics")
            .env(
                "CARGO_ENCODED_RUSTFLAGS",
                rustflags(facts, build.linking).join("\u{1f}"),
            )
            .env("CARGO_INCREMENTAL", "0")
            .env("SOURCE_DATE_EPOCH", build.source_date_epoch.to_string())
            .env("CARGO_TERM_COLOR", "never")
            .env_remove("RUSTFLAGS");
        build.apart(&mut command);
        Ok(command)
    }
}

/// Runs cargo once, and returns each program by the name of its build.
async fn run_group(
    group: &[(&Workspace, &Resolution)],
    observe: &(dyn Fn(Progress<'_>) + Send + Sync),
) -> Result<Vec<(String, Compiled)>, BuildError> {
    let workspaces: Vec<_> = group.iter().map(|(workspace, _)| *workspace).collect();
    hide_new(&workspaces[0].facts.target_directory)?;
    let mut child = start(CargoBuild::command(&workspaces)?)?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(BuildError::NoBinary(
            "cargo gave no output to read".to_owned(),
        ));
    };
    let packages: BTreeSet<_> = group.iter().flat_map(|(_, of)| of.packages()).collect();
    let (told, last_lines) =
        tokio::join!(follow(stdout, packages.len(), observe), last_lines(stderr));
    let status = child.wait().await?;
    if !status.success() {
        let output = last_lines?.into_iter().collect::<Vec<_>>().join("\n");
        return Err(workspaces[0].build.explained(status.to_string(), output));
    }
    let told = told?;
    let builds: Vec<_> = workspaces
        .iter()
        .map(|workspace| workspace.build.clone())
        .collect();
    let now = Workspace::read_all(&builds).await?;
    let mut compiled = Vec::new();
    for ((workspace, resolution), now) in group.iter().zip(&now) {
        let own = told.of(&resolution.packages());
        // Some of the accounts are written when everything else is done.
        let seen = Seen::after(&own.artifacts, &own.scripts)?;
        let program = own.program(&workspace.build.package, &workspace.facts.binary)?;
        let program = workspace.listed(&program, &resolution.dependencies)?;
        let imprints = imprints(&program, &own.compile(workspace))?;
        let binary = Binary::inspect(&program, workspace.build.linking)?;
        let libraries = workspace.libraries(&program).await?;
        let program = workspace.finished(now, binary, (seen, libraries), imprints)?;
        compiled.push((workspace.build.name(), program));
    }
    Ok(compiled)
}

fn start(mut command: Command) -> Result<Child, BuildError> {
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

/// How libraries are linked, and constants in the place of every path of this machine.
fn rustflags(facts: &Facts, linking: Linking) -> Vec<String> {
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let sign = if linking == Linking::Static { '+' } else { '-' };
    let mut flags = vec![format!("-Ctarget-feature={sign}crt-static")];
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

    /// What of it is about `packages`.
    fn of(&self, packages: &BTreeSet<(&str, &str)>) -> Self {
        let own = |id: &PackageId| {
            let (name, version) = name_and_version(id);
            packages.contains(&(name, version))
        };
        let artifacts = self.artifacts.iter();
        let scripts = self.scripts.iter();
        Self {
            artifacts: artifacts
                .filter(|of| own(&of.package_id))
                .cloned()
                .collect(),
            scripts: scripts.filter(|of| own(&of.package_id)).cloned().collect(),
        }
    }

    /// Where the program is.
    fn program(&self, package: &str, binary: &str) -> Result<PathBuf, BuildError> {
        let is_program = |artifact: &&Artifact| {
            artifact.target.kind.contains(&TargetKind::Bin)
                && artifact.target.name == binary
                && name_and_version(&artifact.package_id).0 == package
        };
        let found = self.artifacts.iter().find(is_program);
        let place = found.and_then(|artifact| artifact.executable.clone());
        place.map(Into::into).ok_or_else(|| {
            let what = format!("cargo said that it succeeded, but not where `{binary}` is");
            BuildError::NoBinary(what)
        })
    }
}

/// Name and version in `path+file:///w/api#1.0.0` or `registry+https://...#serde@1.0.0`
/// (The Cargo Book, "Package ID Specifications").
fn name_and_version(id: &PackageId) -> (&str, &str) {
    let (address, rest) = id.repr.rsplit_once('#').unwrap_or((&id.repr, ""));
    if let Some(pair) = rest.split_once('@') {
        return pair;
    }
    let path = address.split('?').next().unwrap_or(address);
    let name = path.rsplit('/').next().unwrap_or(path);
    (name.trim_end_matches(".git"), rest)
}

/// Reads cargo's messages about `total` packages.
async fn follow(
    stdout: impl AsyncRead + Unpin,
    total: usize,
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
        if finished.insert(artifact.package_id.clone()) {
            let finished = finished.len();
            observe(Progress {
                package: &artifact.target.name,
                finished,
                total: total.max(finished),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_known_by_its_name_and_version_however_cargo_writes_it() {
        for (id, expected) in [
            ("path+file:///w/api#0.1.0", ("api", "0.1.0")),
            ("path+file:///w/crates/a#api@0.1.0", ("api", "0.1.0")),
            (
                "registry+https://github.com/rust-lang/crates.io-index#serde@1.0.1",
                ("serde", "1.0.1"),
            ),
            (
                "git+https://github.com/tokio-rs/bytes.git?rev=1#1.0.0",
                ("bytes", "1.0.0"),
            ),
        ] {
            let repr = id.to_owned();
            assert_eq!(name_and_version(&PackageId { repr }), expected, "{id}");
        }
    }
}
