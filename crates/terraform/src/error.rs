//! Why a root could not be read at all. What could not be *known* in a root that
//! was read is a value, see [`crate::Unknown`].

use std::path::PathBuf;

/// Why a Terraform root could not be read. Fits after "failed to read the
/// Terraform root: ".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The path of a root or of a local module is not a directory.
    #[error("there is no directory {}", path.display())]
    NoSuchDirectory {
        /// The path as given or as the module's `source` leads to it.
        path: PathBuf,
    },
    /// The directory holds no configuration.
    #[error("there is no .tf file in {}", path.display())]
    NoConfiguration {
        /// The directory.
        path: PathBuf,
    },
    /// A file or directory could not be read, or a file is not UTF-8.
    #[error("a file cannot be read")]
    Unreadable {
        /// The cause, which names the path.
        #[source]
        source: std::io::Error,
    },
    /// A file is not HCL.
    #[error("syntax error at {}:{line}:{column}: {message}", file.display())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What was expected.
        message: String,
    },
    /// A `.tfvars.json` file is not a JSON object.
    #[error("{} is not a JSON object of variables", file.display())]
    VariablesJson {
        /// The file.
        file: PathBuf,
        /// The cause, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// Two blocks declare the same thing.
    #[error("{what} is declared twice, the second time at {}:{line}", file.display())]
    Duplicate {
        /// What is declared, for example `variable "region"`.
        what: String,
        /// The file of the second declaration.
        file: PathBuf,
        /// The line of the second declaration, from 1.
        line: usize,
    },
    /// A module calls itself, directly or through others.
    #[error("the module {} calls itself", path.display())]
    ModuleCycle {
        /// The directory that was reached a second time.
        path: PathBuf,
    },
    /// Configuration of a kind that would change what the rest means, and that
    /// this reader does not merge in.
    #[error("{} is of a kind that is not supported ({what})", file.display())]
    Unsupported {
        /// The file.
        file: PathBuf,
        /// The kind of file.
        what: &'static str,
    },
    /// The machine refused a thread to evaluate on.
    #[error("no thread could be started to evaluate it")]
    Thread {
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}
