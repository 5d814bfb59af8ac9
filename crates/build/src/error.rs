//! What can go wrong between a checkout and a binary.

use std::io;
use std::path::{Path, PathBuf};

use crate::Builder;

/// Why a source could not be read or built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A program that an engine needs is not there.
    #[error("`{program}` cannot be started")]
    NoProgram {
        /// The program.
        program: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Git knows no commit here.
    #[error("{directory} is not in a git checkout with a commit: {message}")]
    NoCommit {
        /// Where.
        directory: PathBuf,
        /// What git said.
        message: String,
    },
    /// Cargo does not know the package, or it has no such binary.
    #[error("{0}")]
    NoBinary(String),
    /// What the package is compiled from cannot be told.
    #[error("the packages that are compiled cannot be listed: {0}")]
    Dependencies(String),
    /// This machine cannot compile for the target.
    #[error("{}", uncompilable(.target, *.installed, *.linked))]
    NoTarget {
        /// The target.
        target: String,
        /// Whether its standard library is there.
        installed: bool,
        /// Whether there is a linker for its processor.
        linked: bool,
    },
    /// A program that was compiled elsewhere runs on another platform than the one it
    /// was given for.
    #[error("{path} is a program for linux/{found}, not for linux/{wanted}")]
    OtherPlatform {
        /// The program.
        path: PathBuf,
        /// The processor that it runs on.
        found: &'static str,
        /// The processor that it was given for.
        wanted: String,
    },
    /// The lock file does not say what would be compiled.
    #[error("{}", unlocked(*.missing))]
    Unlocked {
        /// Whether there is none.
        missing: bool,
    },
    /// Cargo said no.
    #[error("cargo could not build the package ({status})\n{output}")]
    Failed {
        /// Cargo's exit status.
        status: String,
        /// The last lines it printed.
        output: String,
    },
    /// The binary needs files that an empty image does not have.
    #[error(
        "{path} is dynamically linked: it asks for {interpreter}, which an empty image does not have"
    )]
    Dynamic {
        /// The binary.
        path: PathBuf,
        /// The dynamic loader it names.
        interpreter: String,
    },
    /// A library that a program loads is not there.
    #[error("{file} loads {name}, which the compiler does not find on this machine")]
    NoLibrary {
        /// What loads it.
        file: PathBuf,
        /// Its name.
        name: String,
    },
    /// The file is not a program for Linux.
    #[error("{path} is not an ELF program that Linux starts: {reason}")]
    NotElf {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The Dockerfile or its context cannot be read.
    #[error("{0}")]
    Dockerfile(String),
    /// Nothing here builds Dockerfiles, or not what was asked for.
    #[error("{}", no_builder(*.0))]
    NoBuilder(Option<Builder>),
    /// A secret was named and has no value.
    #[error("the variable `{0}`, a secret of the Dockerfile, is not set")]
    NoSecret(String),
    /// A builder said no.
    #[error("{}{builder} could not build {} ({status})\n{output}", at(.step.as_ref(), .file), .file.display())]
    DockerfileFailed {
        /// The builder.
        builder: Builder,
        /// The Dockerfile.
        file: PathBuf,
        /// The line of the instruction that failed, and its text, where it is known.
        step: Option<(usize, String)>,
        /// The builder's exit status.
        status: String,
        /// The last lines it printed.
        output: String,
    },
    /// A file changed between being counted and being copied.
    #[error("{0} changed while it was read")]
    Changed(PathBuf),
    /// A file cannot be read.
    #[error("a file of the build cannot be read")]
    Io(#[from] io::Error),
}

fn no_builder(builder: Option<Builder>) -> String {
    match builder {
        Some(builder) => format!("`{builder}` cannot be started"),
        None => "none of buildctl, docker buildx, docker, buildah and podman is there and answers"
            .to_owned(),
    }
}

fn unlocked(missing: bool) -> &'static str {
    if missing {
        "there is no `Cargo.lock`, which says what exactly is compiled"
    } else {
        "`Cargo.lock` does not fit what the manifests ask for"
    }
}

fn uncompilable(target: &str, installed: bool, linked: bool) -> String {
    let missing = match (installed, linked) {
        (false, false) => "is not installed, and there is no linker for it",
        (false, true) => "is not installed",
        (true, _) => "has no linker here",
    };
    format!("the Rust target `{target}` {missing}")
}

/// Where a Dockerfile failed, as editors read it.
fn at(step: Option<&(usize, String)>, file: &Path) -> String {
    match step {
        Some((line, text)) => format!("{}:{line}: `{text}` failed: ", file.display()),
        None => String::new(),
    }
}
