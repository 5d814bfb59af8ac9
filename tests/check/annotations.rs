//! What GitHub Actions shows.

use super::{Flawed, assert_seen};

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
