//! The RustSec database: a directory, or a repository that is fetched.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use attest::Advisory;
use tokio::process::Command;

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdvisoryDatabase {
    /// In this directory, in the layout of the repository.
    Directory(PathBuf),
    /// In a repository; what is fetched of it stays in a directory.
    Repository {
        /// Its address.
        address: String,
        /// The directory.
        copy: PathBuf,
    },
}

/// Why advisories are not known.
#[derive(Debug, thiserror::Error)]
pub enum AdvisoryError {
    /// The repository did not come.
    #[error("`{address}` could not be fetched: {message}")]
    Fetch {
        /// Its address.
        address: String,
        /// What git said.
        message: String,
    },
    /// The directory has no `crates`.
    #[error("{0} is no RustSec database: it has no directory `crates`")]
    NoDatabase(PathBuf),
    /// A file is no advisory.
    #[error("{file} cannot be read: {message}")]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A file or directory cannot be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl AdvisoryDatabase {
    /// The directory that it is in. A repository is fetched anew each time, as far as it
    /// has changed: yesterday's would keep silent about what became known today.
    pub async fn directory(&self) -> Result<&Path, AdvisoryError> {
        match self {
            Self::Directory(directory) => Ok(directory),
            Self::Repository { address, copy } => {
                fetch(address, copy).await?;
                Ok(copy)
            }
        }
    }
}

/// The advisories about packages of these names, in the database in `directory`.
pub fn advisories(
    directory: &Path,
    names: &BTreeSet<&str>,
) -> Result<Vec<Advisory>, AdvisoryError> {
    let crates = directory.join("crates");
    if !crates.is_dir() {
        return Err(AdvisoryError::NoDatabase(directory.to_owned()));
    }
    let mut advisories = Vec::new();
    for name in names.iter().filter(|name| is_name(name)) {
        for file in files(&crates.join(name))? {
            let parsed = Advisory::parse(&fs_err::read_to_string(&file)?);
            advisories.extend(parsed.map_err(|message| AdvisoryError::File { file, message })?);
        }
    }
    Ok(advisories)
}

/// Whether crates.io could have a package of this name. A program's own list may name
/// anything, and names are directories here.
fn is_name(name: &str) -> bool {
    let part_of_one = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !name.is_empty() && name.bytes().all(part_of_one)
}

/// The advisories about one package, sorted; most have none.
fn files(directory: &Path) -> Result<Vec<PathBuf>, AdvisoryError> {
    let entries = match fs_err::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Makes `copy` the newest state of the repository, without its history.
async fn fetch(address: &str, copy: &Path) -> Result<(), AdvisoryError> {
    fs_err::create_dir_all(copy)?;
    let steps: [&[&str]; 3] = [
        &["init", "--quiet"],
        &["fetch", "--quiet", "--depth=1", "--", address, "HEAD"],
        &["reset", "--quiet", "--hard", "FETCH_HEAD"],
    ];
    for step in steps {
        let failed = |message: String| AdvisoryError::Fetch {
            address: address.to_owned(),
            message,
        };
        let mut git = Command::new("git");
        // Nobody is there to be asked for a password.
        git.env("GIT_TERMINAL_PROMPT", "0").kill_on_drop(true);
        let output = git.arg("-C").arg(copy).args(step).output().await;
        let output = output.map_err(|error| failed(format!("git: {error}")))?;
        if !output.status.success() {
            let message = String::from_utf8_lossy(&output.stderr);
            return Err(failed(message.trim().to_owned()));
        }
    }
    Ok(())
}
