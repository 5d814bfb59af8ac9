//! zizmor, which audits workflows for what has nothing to do with AWS. It is run
//! where it is installed: <https://docs.zizmor.sh>.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use audit::Setup;
use receipts::Finding;
use tokio::process::Command;
use tokio::time::timeout;

/// How long zizmor may take. It needs well under a second for dozens of files.
const LONGEST: Duration = Duration::from_mins(1);

/// What zizmor says of the workflows of `root`, JSON; or why it says nothing.
pub(super) async fn run(root: &Path, workflows: &str) -> Result<Vec<u8>, String> {
    let mut command = Command::new("zizmor");
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
    match timeout(LONGEST, running).await {
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
            LONGEST.as_secs()
        )),
    }
}

/// The findings in what zizmor said.
pub(super) fn findings(answer: &[u8], setup: &Setup) -> Result<Vec<Finding>, String> {
    let answer = String::from_utf8_lossy(answer);
    audit::zizmor::findings(&answer, setup).map_err(|error| error.to_string())
}
