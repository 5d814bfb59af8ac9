//! What GitHub Actions shows.

use super::{Flawed, TERRAFORM, assert_seen};
use crate::harness::json_of;

#[test]
fn a_run_gets_annotations_and_a_summary_and_stdout_stays_clean() {
    let flawed = Flawed::new();
    let summary = flawed.path().join("summary.md");
    let mut command = flawed.check(&["--format", "json"]);
    command
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", &summary);
    let output = command.output().unwrap();
    assert!(serde_json::from_slice::<serde_json::Value>(&output.stdout).is_ok());
    let annotations = String::from_utf8(output.stderr).unwrap();
    assert!(
        annotations.lines().all(|line| line.starts_with("::")),
        "{annotations}"
    );
    let summary = std::fs::read_to_string(summary).unwrap();
    let seen = format!("----- stderr -----\n{annotations}----- summary -----\n{summary}");
    assert_seen("check_annotations", &seen);
}

#[test]
fn nothing_is_annotated_elsewhere() {
    let output = Flawed::new().check(&[]).output().unwrap();
    assert!(
        !String::from_utf8(output.stderr)
            .unwrap()
            .contains("::error")
    );
}

#[test]
fn the_runner_is_not_commanded_by_what_stands_in_files() {
    let values = "      values   = [\"repo:acme/*\"]";
    let text = TERRAFORM.replace(
        values,
        &format!("/*\n::error::no ##[error]no\n*/\n{values}"),
    );
    let flawed = Flawed::new();
    flawed.write("infra/main.tf", text);
    let in_actions = |arguments: &[&str]| {
        let mut command = flawed.check(arguments);
        command.env("GITHUB_ACTIONS", "true").output().unwrap()
    };
    let shown = String::from_utf8(in_actions(&[]).stdout).unwrap();
    assert!(shown.contains("error]no"), "{shown}");
    for line in shown.lines() {
        assert!(
            !line.trim_start().starts_with("::") && !line.contains("##["),
            "{line}"
        );
    }
    let json = in_actions(&["--format", "json"]);
    assert!(!String::from_utf8_lossy(&json.stdout).contains("##["));
    assert!(json_of(&json).to_string().contains("##[error]no"));
}
