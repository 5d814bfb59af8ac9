//! What can go wrong between a checkout and a binary.

use std::io;
use std::path::PathBuf;

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
    /// The target is not installed.
    #[error("the Rust target `{0}` is not installed")]
    NoTarget(String),
    /// Cargo said no.
    #[error("cargo could not build the package (exit status {status})\n{output}")]
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
    /// The file is not a program for Linux.
    #[error("{path} is not an ELF binary: {reason}")]
    NotElf {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file cannot be read.
    #[error("a file of the build cannot be read")]
    Io(#[from] io::Error),
}
