//! The programs that build Dockerfiles.

use std::fmt;
use std::path::Path;
use std::process::Stdio;
use std::str::FromStr;

use serde::Deserialize;
use tokio::process::Command;

use crate::environment::Environment;
use crate::{BuildError, DockerfileBuild};

/// A program that builds Dockerfiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Builder {
    /// BuildKit's own client, with the daemon that `BUILDKIT_HOST` names.
    Buildctl,
    /// Docker's client for BuildKit.
    Buildx,
    /// Docker Engine; with `DOCKER_BUILDKIT=1` the BuildKit in it.
    Docker,
    /// Buildah.
    Buildah,
    /// Podman, which has Buildah in it.
    Podman,
}

/// In the order in which they are looked for.
const ALL: [Builder; 5] = [
    Builder::Buildctl,
    Builder::Buildx,
    Builder::Docker,
    Builder::Buildah,
    Builder::Podman,
];

/// What BuildKit is to write, without a compression that would be undone next; the path
/// follows.
const ARCHIVE: &str = "--output=type=docker,compression=uncompressed,force-compression=true,dest=";

/// Why a text names no builder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no builder: it must be `buildctl`, `buildx`, `docker`, `buildah` or `podman`")]
pub struct BuilderError(String);

impl fmt::Display for Builder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Buildctl => "buildctl",
            Self::Buildx => "buildx",
            Self::Docker => "docker",
            Self::Buildah => "buildah",
            Self::Podman => "podman",
        })
    }
}

impl FromStr for Builder {
    type Err = BuilderError;

    fn from_str(text: &str) -> Result<Self, BuilderError> {
        let mut all = ALL.into_iter();
        let builder = all.find(|builder| builder.to_string() == text);
        builder.ok_or_else(|| BuilderError(text.to_owned()))
    }
}

impl TryFrom<String> for Builder {
    type Error = BuilderError;

    fn try_from(text: String) -> Result<Self, BuilderError> {
        text.parse()
    }
}

/// What a builder is started on.
pub(super) struct Task<'a> {
    pub(super) build: &'a DockerfileBuild,
    /// The directory of the context, as it was staged.
    pub(super) context: &'a Path,
    /// The Dockerfile with its images pinned; it is alone in its directory.
    pub(super) dockerfile: &'a Path,
    /// A file that gets the image's identity, from builders that keep it themselves.
    pub(super) identity: &'a Path,
    /// The archive to write.
    pub(super) archive: &'a Path,
    /// Build arguments.
    pub(super) arguments: Vec<(String, String)>,
}

impl Builder {
    /// Who builds where this one is chosen. Buildx's driver `docker` is the BuildKit inside
    /// of Docker Engine, which keeps images and by default writes no archive
    /// (docs.docker.com/build/builders/drivers): that one is asked as Docker.
    pub(super) async fn settled(self) -> (Self, bool) {
        match self {
            Self::Buildx if driver().await.as_deref() == Some("docker") => (Self::Docker, true),
            _ => (self, false),
        }
    }

    /// The first that is there and answers, and can build what `asks_for_more` than
    /// Docker's older builder can.
    pub(super) async fn find(
        environment: &Environment,
        asks_for_more: bool,
    ) -> Result<Self, BuildError> {
        for builder in ALL {
            let needs_more = asks_for_more && builder == Self::Docker;
            if builder.is_there(environment).await && (!needs_more || has_buildkit().await) {
                return Ok(builder);
            }
        }
        Err(BuildError::NoBuilder(None))
    }

    /// Whether it could build now: a client without its daemon cannot.
    pub(super) async fn is_there(self, environment: &Environment) -> bool {
        let question: &[&str] = match self {
            // Without an address it would wait for a daemon that may not run.
            Self::Buildctl if environment.get("BUILDKIT_HOST").is_none() => return false,
            Self::Buildctl => &["debug", "workers"],
            Self::Buildx => return driver().await.is_some(),
            Self::Docker => &["version", "--format", "{{.Server.Version}}"],
            Self::Buildah | Self::Podman => &["--version"],
        };
        says_yes(Command::new(self.program()).args(question)).await
    }

    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Buildctl => "buildctl",
            Self::Buildx | Self::Docker => "docker",
            Self::Buildah => "buildah",
            Self::Podman => "podman",
        }
    }

    /// The command that builds.
    pub(super) fn build(self, task: &Task<'_>) -> Vec<String> {
        let path = |path: &Path| path.display().to_string();
        let mut words: Vec<String> = Vec::new();
        if self == Self::Buildctl {
            words.extend(
                [
                    "build",
                    "--frontend",
                    "dockerfile.v0",
                    "--progress",
                    "plain",
                ]
                .map(String::from),
            );
            let directory = task.dockerfile.parent().unwrap_or(task.dockerfile);
            words.push(format!("--local=context={}", path(task.context)));
            words.push(format!("--local=dockerfile={}", path(directory)));
            let name = task.dockerfile.file_name().unwrap_or_default();
            words.push(format!("--opt=filename={}", name.to_string_lossy()));
        } else {
            words.extend((self == Self::Buildx).then(|| "buildx".to_owned()));
            words.push("build".to_owned());
            words.push(format!("--file={}", path(task.dockerfile)));
        }
        words.extend(self.options(task));
        match self {
            Self::Buildctl => words.push(format!("{ARCHIVE}{}", path(task.archive))),
            Self::Buildx => {
                words.extend(
                    ["--progress=plain", "--provenance=false", "--sbom=false"].map(String::from),
                );
                words.push(format!("{ARCHIVE}{}", path(task.archive)));
            }
            Self::Docker => words.extend([
                "--force-rm".to_owned(),
                format!("--iidfile={}", path(task.identity)),
            ]),
            Self::Buildah | Self::Podman => {
                words.extend(["--layers", "--format=docker"].map(String::from));
                words.push(format!("--iidfile={}", path(task.identity)));
                if task.build.plain_http {
                    words.push("--tls-verify=false".to_owned());
                }
            }
        }
        if self != Self::Buildctl {
            words.push(path(task.context));
        }
        words
    }

    /// What all builders have under some name.
    fn options(self, task: &Task<'_>) -> Vec<String> {
        let build = task.build;
        // BuildKit's own client has every choice of a frontend under one option.
        let option = |its: String, others: String| match self {
            Self::Buildctl => format!("--opt={its}"),
            _ => format!("--{others}"),
        };
        let mut words = Vec::new();
        if let Some(target) = &build.target {
            let target = format!("target={target}");
            words.push(option(target.clone(), target));
        }
        for (name, value) in &task.arguments {
            let its = format!("build-arg:{name}={value}");
            words.push(option(its, format!("build-arg={name}={value}")));
        }
        // By the name of the variable: a command line is there for all to read.
        let secrets = build.secrets.iter();
        words.extend(secrets.map(|name| match self {
            Self::Buildah | Self::Podman => format!("--secret=id={name},src={name},type=env"),
            _ => format!("--secret=id={name},env={name}"),
        }));
        words.extend(build.fresh.then(|| "--no-cache".to_owned()));
        if build.is_foreign() {
            let platform = format!("platform=linux/{}", build.architecture);
            words.push(option(platform.clone(), platform));
        }
        words
    }

    /// The command that writes the archive of the image `identity`; none from builders
    /// that have written it.
    pub(super) fn export(self, identity: &str, archive: &Path) -> Option<Vec<String>> {
        let archive = archive.display();
        let words = match self {
            Self::Buildctl | Self::Buildx => return None,
            Self::Docker => vec![
                "save".to_owned(),
                format!("--output={archive}"),
                identity.to_owned(),
            ],
            Self::Buildah | Self::Podman => vec![
                "push".to_owned(),
                "--quiet".to_owned(),
                identity.to_owned(),
                format!("docker-archive:{archive}"),
            ],
        };
        Some(words)
    }
}

/// Whether Docker's client can ask for BuildKit: the newer ones need Buildx for it.
async fn has_buildkit() -> bool {
    let mut help = Command::new("docker");
    says_yes(help.args(["build", "--help"]).env("DOCKER_BUILDKIT", "1")).await
}

/// Whether a question ends well, whatever is printed.
async fn says_yes(question: &mut Command) -> bool {
    question.kill_on_drop(true);
    let silent = question.stdin(Stdio::null()).stdout(Stdio::null());
    let status = silent.stderr(Stdio::null()).status().await;
    status.is_ok_and(|status| status.success())
}

/// The driver of Buildx's builder in use; none where there is no Buildx, or where what the
/// driver needs does not answer, such as a daemon.
async fn driver() -> Option<String> {
    let mut command = Command::new("docker");
    command.args(["buildx", "inspect"]).kill_on_drop(true);
    let output = command.stdin(Stdio::null()).output().await.ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let field = |name: &str| {
        let mut lines = said.lines().map(str::trim);
        lines.find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()))
    };
    let answers = output.status.success() && field("Error:").is_none();
    field("Driver:").filter(|driver| answers && !driver.is_empty())
}
