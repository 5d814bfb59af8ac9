//! zizmor, which audits workflows for what has nothing to do with AWS. It is run
//! where it is installed: <https://docs.zizmor.sh>.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use audit::Setup;
use receipts::Finding;
use tokio::process::Command;
use tokio::time::timeout;

/// How long zizmor may take. It needs well under a second for dozens of files.
pub(super) const LONGEST: Duration = Duration::from_mins(1);

/// What zizmor says of the workflows of `root`, JSON; or why it says nothing.
/// After `longest` it is stopped.
pub(super) async fn run(
    program: impl AsRef<OsStr>,
    root: &Path,
    workflows: &str,
    longest: Duration,
) -> Result<Vec<u8>, String> {
    let mut command = Command::new(program);
    command
        // Offline: a check calls nobody, and needs no token.
        .args(["--offline", "--no-progress", "--quiet", "--format=json"])
        .args(["--no-exit-codes", "--", workflows])
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let running = match command.spawn() {
        Ok(child) => child.wait_with_output(),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(
                "zizmor is not installed, so what it finds in workflows is missing: `pip install zizmor`, or `cargo install zizmor`; `--no-zizmor` does without"
                    .to_owned(),
            );
        }
        Err(error) => return Err(format!("zizmor could not be started: {}", error.kind())),
    };
    match timeout(longest, running).await {
        Ok(Ok(output)) if output.status.success() => Ok(output.stdout),
        Ok(Ok(output)) => {
            let words = String::from_utf8_lossy(&output.stderr);
            let first = words.lines().find(|line| !line.trim().is_empty());
            Err(format!(
                "zizmor failed: {}",
                first.unwrap_or("it gave no reason").trim()
            ))
        }
        Ok(Err(error)) => Err(format!("zizmor could not be run: {}", error.kind())),
        Err(_) => Err(format!(
            "zizmor was stopped: it took longer than {} seconds",
            longest.as_secs()
        )),
    }
}

/// The findings in what zizmor said.
pub(super) fn findings(answer: &[u8], setup: &Setup) -> Result<Vec<Finding>, String> {
    let answer = String::from_utf8_lossy(answer);
    audit::zizmor::findings(&answer, setup).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_zizmor_that_takes_too_long_is_stopped() {
        let directory = tempfile::tempdir().unwrap();
        // It ends by itself when somebody writes to the pipe, and nobody does.
        let pipe = directory.path().join("pipe");
        let made = Command::new("mkfifo").arg(&pipe).status().await.unwrap();
        assert!(made.success());
        let program = directory.path().join("zizmor");
        let script = format!("#!/bin/sh\nread line < '{}'\n", pipe.display());
        fs_err::write(&program, script).unwrap();
        let executable = Command::new("chmod").arg("+x").arg(&program).status().await;
        assert!(executable.unwrap().success());

        let none = Duration::ZERO;
        let stopped = run(&program, directory.path(), "workflows", none).await;
        assert_eq!(
            stopped.unwrap_err(),
            "zizmor was stopped: it took longer than 0 seconds"
        );
    }
}
