//! `credential_process`: a command of the user's own that prints credentials
//! (AWS CLI user guide, "Sourcing credentials with an external process").

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::CredentialDocument;
use crate::Credentials;

/// Long enough for a person to confirm on a telephone.
const PATIENCE: Duration = Duration::from_mins(2);
const LONGEST_COMPLAINT: usize = 500;

/// Runs the command in a shell and reads its JSON. The error is a sentence that
/// never contains what the command printed as its result.
pub(super) async fn run(command: &str) -> Result<Credentials, String> {
    let running = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::inherit())
        .kill_on_drop(true)
        .output();
    let output = timeout(PATIENCE, running)
        .await
        .map_err(|_| "its `credential_process` did not end within two minutes".to_owned())?
        .map_err(|error| format!("its `credential_process` cannot be run: {error}"))?;
    if !output.status.success() {
        let complaint: String = String::from_utf8_lossy(&output.stderr)
            .trim()
            .chars()
            .take(LONGEST_COMPLAINT)
            .collect();
        return Err(format!(
            "its `credential_process` failed ({}): {complaint}",
            output.status
        ));
    }
    CredentialDocument::parse(&output.stdout)
        .ok_or_else(|| "its `credential_process` did not print credentials as JSON".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_the_process_prints_becomes_credentials() {
        let json = r#"{"Version":1,"AccessKeyId":"ASIA","SecretAccessKey":"s","SessionToken":"t",
            "Expiration":"2026-01-02T03:04:05Z"}"#;
        let found = run(&format!("echo '{json}'")).await.unwrap();
        assert_eq!(found.access_key_id, "ASIA");
        assert_eq!(found.session_token.unwrap().expose(), "t");
        assert!(found.expires_at.is_some());
    }

    #[tokio::test]
    async fn a_process_that_fails_or_babbles_is_an_error_that_shows_no_output() {
        let error = run("echo hunter2; echo sign in first >&2; exit 3")
            .await
            .unwrap_err();
        assert!(
            error.contains("sign in first") && !error.contains("hunter2"),
            "{error}"
        );
        let error = run("echo '{\"AccessKeyId\": \"hunter2\"}'")
            .await
            .unwrap_err();
        assert!(
            error.contains("did not print") && !error.contains("hunter2"),
            "{error}"
        );
    }
}
