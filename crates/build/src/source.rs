//! The source: which commit, and whether the files are still that commit.

use std::path::Path;

use tokio::process::Command;

use crate::BuildError;

/// A commit of a repository, as checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The commit, 40 hexadecimal digits.
    pub commit: String,
    /// The commit's time in seconds since 1970.
    pub committed_at: i64,
    /// Tracked files that differ from the commit, and untracked ones beside them.
    pub changes: Vec<String>,
    /// The address of the remote `origin`, without credentials.
    pub repository: Option<String>,
}

impl Source {
    /// Asks git about the checkout that `directory` lies in.
    pub async fn read(directory: &Path) -> Result<Self, BuildError> {
        let asked = tokio::join!(
            git(
                directory,
                &["show", "--no-patch", "--format=%H %ct", "HEAD"]
            ),
            git(directory, &["status", "--porcelain"]),
            git(directory, &["remote", "get-url", "origin"]),
        );
        let (head, status, origin) = (asked.0?, asked.1?, asked.2.ok());
        let no_commit = || BuildError::NoCommit {
            directory: directory.to_owned(),
            message: format!("git printed `{}`", head.trim()),
        };
        let (commit, time) = head.trim().split_once(' ').ok_or_else(no_commit)?;
        Ok(Self {
            commit: commit.to_owned(),
            committed_at: time.parse().map_err(|_| no_commit())?,
            changes: status.lines().map(changed).collect(),
            repository: origin.and_then(|address| web_address(address.trim())),
        })
    }

    /// Whether the files are not those of the commit.
    pub fn dirty(&self) -> bool {
        !self.changes.is_empty()
    }
}

/// The path in a line of `git status --porcelain`: two letters and a space before it.
fn changed(line: &str) -> String {
    line.get(3..).unwrap_or(line).to_owned()
}

async fn git(directory: &Path, arguments: &[&str]) -> Result<String, BuildError> {
    let output = Command::new("git")
        .arg("-C")
        .arg(directory)
        .args(arguments)
        .output()
        .await
        .map_err(|source| BuildError::NoProgram {
            program: "git",
            source,
        })?;
    if !output.status.success() {
        return Err(BuildError::NoCommit {
            directory: directory.to_owned(),
            message: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A remote's address as a URL for people: no user, no password, no `.git`.
/// Local paths are nobody else's business and give nothing.
fn web_address(remote: &str) -> Option<String> {
    let rest = match remote.split_once("://") {
        Some(("https" | "http" | "ssh" | "git", rest)) => rest.to_owned(),
        Some(_) => return None,
        None => {
            let (host, path) = remote.split_once(':')?;
            if host.contains('/') {
                return None;
            }
            format!("{host}/{path}")
        }
    };
    let (authority, path) = rest.split_once('/')?;
    let host = authority.rsplit('@').next()?;
    let path = path.trim_end_matches('/');
    Some(format!(
        "https://{host}/{}",
        path.strip_suffix(".git").unwrap_or(path)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remotes_become_addresses_without_credentials() {
        let expected = Some("https://github.com/acme/api".to_owned());
        for remote in [
            "git@github.com:acme/api.git",
            "https://github.com/acme/api",
            "https://user:secret@github.com/acme/api.git",
            "ssh://git@github.com/acme/api.git",
        ] {
            assert_eq!(web_address(remote), expected, "{remote}");
        }
        for remote in ["/home/ada/api", "../api", "file:///home/ada/api"] {
            assert_eq!(web_address(remote), None, "{remote}");
        }
    }

    #[tokio::test]
    async fn a_directory_without_git_is_an_error_that_names_it() {
        let directory = tempfile::tempdir().unwrap();
        let error = Source::read(directory.path()).await.unwrap_err();
        assert!(matches!(error, BuildError::NoCommit { .. }), "{error}");
        assert!(
            error
                .to_string()
                .contains(&directory.path().display().to_string())
        );
    }
}
