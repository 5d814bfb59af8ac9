//! Why there is no layout, and what to do about it.

use build::{BuildError, Source};
use image::ImageError;
use receipts::{Problem, ProblemCode};

use crate::base::BaseFailure;
use crate::configuration::ConfigurationError;

/// Why a build made nothing.
#[derive(Debug, thiserror::Error)]
pub enum BuildFailure {
    /// The source has changes that are not committed.
    #[error("{}", differs(.0))]
    Dirty(Source),
    /// The engine failed.
    #[error(transparent)]
    Engine(BuildError),
    /// The configuration cannot be turned into an image.
    #[error(transparent)]
    Configuration(ConfigurationError),
    /// The program holds what another machine would not put there, and may not.
    #[error("the program is not reproducible")]
    Imprints(Vec<receipts::Imprint>),
    /// The image could not be written.
    #[error(transparent)]
    Image(ImageError),
    /// The base cannot be used.
    #[error(transparent)]
    Base(Box<BaseFailure>),
    /// The work was stopped from inside.
    #[error("the build was interrupted: {0}")]
    Interrupted(String),
}

impl From<BuildError> for BuildFailure {
    fn from(error: BuildError) -> Self {
        Self::Engine(error)
    }
}

const NOTHING: &str = "no image was built";
/// How many of the files that changed are named.
const NAMED: usize = 5;

fn differs(source: &Source) -> String {
    let named: Vec<_> = source.changes.iter().take(NAMED).cloned().collect();
    let more = match source.changes.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = named.join(", ");
    format!(
        "the checkout differs from commit {}: {named}{more}",
        source.commit
    )
}

impl BuildFailure {
    /// What people and machines are told.
    pub fn problem(&self) -> Problem {
        match self {
            Self::Dirty(_) => Problem::new(
                ProblemCode::DirtySource,
                format!("{NOTHING}: the checkout has changes that are not committed"),
            )
            .caused_by(self)
            .hint("commit or stash the changes: `git status` lists them; what a build makes belongs into `.gitignore`")
            .hint("or pass `--allow-dirty`; the image then says so in its revision"),
            Self::Engine(error) => engine(error),
            Self::Configuration(error) => Problem::new(
                ProblemCode::BadConfiguration,
                format!("{NOTHING}: `longshore.toml` has a wrong value"),
            )
            .caused_by(error),
            Self::Imprints(imprints) => super::imprints::problem(imprints, NOTHING),
            Self::Image(error) => image_problem(error, NOTHING),
            Self::Base(error) => error.problem(NOTHING),
            Self::Interrupted(_) => Problem::new(
                ProblemCode::Io,
                format!("{NOTHING}: the work was interrupted"),
            )
            .caused_by(self),
        }
    }
}

fn engine(error: &BuildError) -> Problem {
    let problem =
        |code, what: &str| Problem::new(code, format!("{NOTHING}: {what}")).caused_by(error);
    match error {
        BuildError::NoProgram { program, .. } => {
            problem(ProblemCode::CompileFailed, "a program that is needed cannot be started")
                .hint(format!("install `{program}` and make sure that it is on the PATH"))
        }
        BuildError::NoCommit { .. } => {
            problem(ProblemCode::NoSource, "there is no commit to name the image after")
                .hint("run this in a git checkout with at least one commit")
        }
        BuildError::NoBuilder(_)
        | BuildError::NoSecret(_)
        | BuildError::DockerfileFailed { .. }
        | BuildError::Dockerfile(_)
        | BuildError::Changed(_) => dockerfile(error),
        BuildError::NoBinary(_) => problem(ProblemCode::UnusableBinary, "there is no binary to pack")
            .hint("set `image.package` and `image.binary` in `longshore.toml`"),
        BuildError::NoTarget { target, installed, linked } => {
            let problem = problem(ProblemCode::NoPlatform, "this machine cannot compile for a platform of the image");
            uncompilable(problem, target, *installed, *linked)
        }
        BuildError::OtherPlatform { .. } => {
            problem(ProblemCode::UnusableBinary, "a program that was given does not run on its platform")
                .hint("give each program to the platform that it was compiled for: `--binary linux/arm64=FILE`")
        }
        BuildError::Unlocked { missing } => {
            let command = if *missing { "generate-lockfile" } else { "update --workspace" };
            problem(ProblemCode::CompileFailed, "what would be compiled is not locked")
                .hint(format!("run `cargo {command}` and commit `Cargo.lock`"))
        }
        BuildError::Failed { .. } => problem(ProblemCode::CompileFailed, "the package does not build")
            .hint("the lines above are cargo's own"),
        BuildError::Dynamic { .. } | BuildError::NotElf { .. } => {
            problem(ProblemCode::UnusableBinary, "the binary does not run in an empty image")
                .hint("set `image.target` to a Linux target that links statically, such as x86_64-unknown-linux-gnu, or `image.linking = \"dynamic\"`")
                .hint("a program for `--binary` is made by `longshore build --platform PLATFORM`, on a machine of that platform")
        }
        BuildError::NoLibrary { name, .. } => {
            problem(ProblemCode::UnusableBinary, "a library that the program loads is not on this machine")
                .hint(format!("the compiler must find it: `cc -print-file-name={name}`; LIBRARY_PATH names more directories"))
                .hint("or link it statically, `image.linking = \"static\"`, or use a base that has it")
        }
        BuildError::Dependencies(_) => {
            problem(ProblemCode::CompileFailed, "cargo's list of packages cannot be read")
                .hint("compare `cargo tree` with `Cargo.lock`")
        }
        BuildError::Io(_) => problem(ProblemCode::Io, "a file cannot be read"),
    }
}

/// What to install, to the last command.
fn uncompilable(mut problem: Problem, target: &str, installed: bool, linked: bool) -> Problem {
    if !installed {
        problem = problem.hint(format!("run `rustup target add {target}`"));
    }
    let processor = target.split('-').next().unwrap_or(target);
    let debian = processor.replace('_', "-");
    problem = match (linked, target.ends_with("-musl")) {
        (true, _) => problem,
        (false, true) => problem
            .hint("install a linker: `cargo install --locked cargo-zigbuild` and `pip install ziglang`"),
        (false, false) => problem
            .hint(format!("install a linker: `apt-get install gcc-{debian}-linux-gnu`"))
            .hint(format!("or set `image.target` to a musl target: for `{processor}-unknown-linux-musl` cargo-zigbuild is a linker")),
    };
    let architecture = build::architecture_of(target).unwrap_or(processor);
    problem.hint(format!(
        "or compile it elsewhere, and give the program: `--binary linux/{architecture}=FILE`"
    ))
}

fn dockerfile(error: &BuildError) -> Problem {
    let problem =
        |code, what: &str| Problem::new(code, format!("{NOTHING}: {what}")).caused_by(error);
    match error {
        BuildError::NoBuilder(_) => problem(
            ProblemCode::NoBuilder,
            "no program is there that builds the Dockerfile",
        )
        .hint("install Docker Engine, BuildKit or Buildah: `apt-get install buildah` needs no daemon")
        .hint("or start the daemon: `docker version` and `buildctl debug workers` say whether it answers"),
        BuildError::NoSecret(name) => {
            problem(ProblemCode::NoBuilder, "a secret of the Dockerfile has no value")
                .hint(format!("set the variable `{name}`, or take it out of `image.dockerfile.secrets`"))
        }
        BuildError::DockerfileFailed { .. } => {
            problem(ProblemCode::DockerfileFailed, "the Dockerfile does not build")
                .hint("the lines above are the builder's own")
        }
        _ => problem(
            ProblemCode::DockerfileFailed,
            "the Dockerfile or its context cannot be read",
        ),
    }
}

/// A problem with a layout that was to be pushed.
pub fn layout_problem(error: &ImageError) -> Problem {
    image_problem(error, "nothing was pushed")
}

/// A problem with a layout, whether it was being written or read.
pub(crate) fn image_problem(error: &ImageError, nothing: &str) -> Problem {
    let problem =
        |code, what: &str| Problem::new(code, format!("{nothing}: {what}")).caused_by(error);
    match error {
        ImageError::DiskFull(_) => problem(ProblemCode::DiskFull, "the disk is full")
            .hint("free some space and run the same command again; nothing half-written was left"),
        ImageError::Io(_) => problem(ProblemCode::Io, "a file cannot be read or written"),
        ImageError::Changed(_) => problem(ProblemCode::Io, "a file changed while it was packed")
            .hint("run the same command again when nothing else writes to the file"),
        ImageError::DuplicatePath(_)
        | ImageError::BadPath(_)
        | ImageError::LongPath(_)
        | ImageError::NotADirectory { .. } => problem(
            ProblemCode::BadConfiguration,
            "the image would have an impossible path",
        )
        .hint("see `image.writable` and `image.assets` in `longshore.toml`"),
        ImageError::EscapingLink { .. }
        | ImageError::SpecialFile(_)
        | ImageError::NameNotText(_) => {
            problem(ProblemCode::BadConfiguration, "an asset cannot be packed")
                .hint("remove it, or leave it out with `exclude` in `[[image.assets]]`")
        }
        ImageError::TooManyLayers(_)
        | ImageError::DuplicatePlatform(_)
        | ImageError::NoImageFor(_) => problem(
            ProblemCode::BadConfiguration,
            "the image would be one that engines do not run",
        ),
        ImageError::Base(_) => {
            problem(ProblemCode::BadConfiguration, "the base image does not fit")
        }
        ImageError::Foreign(_) => problem(
            ProblemCode::DockerfileFailed,
            "what the builder wrote is not an image",
        )
        .hint("build it with another builder: `LONGSHORE_BUILDER=buildah`"),
        ImageError::SecretInImage { .. } => {
            problem(ProblemCode::SecretInImage, "the image would hold a secret")
                .hint("read it with `RUN --mount=type=secret` and write it to no file")
        }
        ImageError::AbsentBlob(_) => problem(
            ProblemCode::BadLayout,
            "the layout leaves out what is needed here",
        )
        .hint("build it again with a base whose layers are on this machine"),
        ImageError::NotALayout(_) => {
            problem(ProblemCode::BadLayout, "the place for the layout is taken")
                .hint("choose another directory with `--layout`")
        }
        ImageError::NoLayout(..)
        | ImageError::Invalid { .. }
        | ImageError::Manifest(_)
        | ImageError::MissingBlob(_)
        | ImageError::TamperedBlob { .. }
        | ImageError::WrongSize { .. } => {
            problem(ProblemCode::BadLayout, "the layout is not whole")
                .hint("build it again with `longshore build`; what was changed cannot be trusted")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_linker_to_install_has_the_name_of_debians_package() {
        // packages.debian.org/bookworm: the first on amd64, the second on arm64.
        for (target, package) in [
            ("aarch64-unknown-linux-gnu", "gcc-aarch64-linux-gnu"),
            ("x86_64-unknown-linux-gnu", "gcc-x86-64-linux-gnu"),
        ] {
            let problem = Problem::new(ProblemCode::NoPlatform, "");
            let problem = uncompilable(problem, target, true, false);
            let wanted = format!("`apt-get install {package}`");
            assert!(problem.hints[0].ends_with(&wanted), "{:?}", problem.hints);
        }
    }
}
