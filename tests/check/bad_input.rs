//! What cannot be read is told, and the rest is checked all the same.

use std::os::unix::fs::symlink;

use super::{Flawed, assert_seen, check, rules, seen};
use crate::harness::{both, json_of};

#[test]
fn a_directory_without_anything_passes_and_says_how_little_it_was() {
    let directory = tempfile::tempdir().unwrap();
    assert_seen("check_nothing", &seen(&mut check(directory.path(), &[])));
}

#[test]
fn a_directory_that_is_not_there() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = check(directory.path(), &["--directory", "nowhere"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(8));
    let mut command = check(
        directory.path(),
        &["--directory", "nowhere", "--format", "json"],
    );
    assert_eq!(json_of(&command.output().unwrap())["code"], "E052");
}

#[test]
fn a_workflow_that_is_no_workflow_is_a_finding() {
    let flawed = Flawed::new();
    flawed.write(".github/workflows/broken.yml", "on: push\njobs: [\n");
    let output = flawed.check(&["--format", "json"]).output().unwrap();
    assert!(rules(&output).contains(&"workflow-unreadable".to_owned()));
    // The other workflow is checked all the same.
    assert!(
        json_of(&output)["findings"]
            .to_string()
            .contains("publish.yml")
    );
}

#[test]
fn broken_terraform_is_told_with_its_place_and_the_other_roots_are_read() {
    let flawed = Flawed::new();
    flawed.write("broken/main.tf", "resource \"x\" {{\n");
    flawed.write("override/main_override.tf", "locals {}\n");
    let output = flawed.check(&["--format", "json"]).output().unwrap();
    let report = json_of(&output);
    let findings = report["findings"].as_array().unwrap();
    let of_root = |root: &str| {
        let mut unreadable = findings
            .iter()
            .filter(|finding| finding["rule"] == "terraform-unreadable");
        unreadable
            .find(|finding| finding["subject"] == root)
            .unwrap()
    };
    let broken = of_root("broken");
    assert_eq!(broken["severity"], "error");
    assert_eq!(broken["location"]["file"], "broken/main.tf");
    assert_eq!(broken["location"]["line"], 1);
    let message = broken["message"].as_str().unwrap();
    assert!(message.contains("broken/main.tf:1:"), "{message}");
    assert_eq!(of_root("override")["severity"], "error");
    let findings = report["findings"].to_string();
    assert!(findings.contains("infra/main.tf"), "{findings}");
}

#[test]
fn files_that_are_huge_binary_or_of_another_encoding_are_no_obstacle() {
    let flawed = Flawed::new();
    flawed.write("huge.txt", "word ".repeat(1_000_000));
    flawed.write("huge.bin", vec![0; 5_000_000]);
    flawed.write("latin.yml", b"name: caf\xe9\n");
    flawed.write("empty.tf", "");
    let output = flawed.check(&["--format", "json"]).output().unwrap();
    let skipped = json_of(&output)["skipped"].to_string();
    assert!(skipped.contains("huge.txt: longer than 1 MiB"), "{skipped}");
    assert!(skipped.contains("latin.yml: is not UTF-8"), "{skipped}");
    assert!(!skipped.contains("huge.bin"), "{skipped}");
}

#[test]
fn links_in_circles_are_not_followed() {
    let flawed = Flawed::new();
    symlink(flawed.path(), flawed.path().join("infra/loop")).unwrap();
    symlink("itself", flawed.path().join("itself")).unwrap();
    symlink("/etc", flawed.path().join("outside")).unwrap();
    let output = flawed.check(&["--format", "json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(9));
    assert!(!json_of(&output).to_string().contains("loop"));
}

#[test]
fn a_terminal_is_not_commanded_by_what_stands_in_files() {
    let flawed = Flawed::new();
    let name = "evil\\u001b]0;title\\u0007";
    let text = super::TERRAFORM.replace("name = \"api\"", &format!("name = \"{name}\""));
    flawed.write("infra/main.tf", text + "# \u{1b}[2J\n");
    let mut command = flawed.check(&["--prove"]);
    let output = command.env("CLICOLOR_FORCE", "1").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        !text.contains("\u{1b}]") && !text.contains("\u{1b}[2J"),
        "{text:?}"
    );
}

#[test]
fn a_workflow_or_a_root_that_is_no_text_fails_the_check() {
    let sound = "on: push\npermissions: {}\njobs: {a: {steps: []}}\n";
    for (file, bytes, rule) in [
        (
            "ci.yml",
            b"on: push # \xfe\xff\n".to_vec(),
            "workflow-unreadable",
        ),
        ("ci.yaml", b"on: push\0\n".to_vec(), "workflow-unreadable"),
        ("ci.yml", vec![b'#'; 1024 * 1024 + 1], "workflow-unreadable"),
        ("main.tf", b"# \xfe\xff\n".to_vec(), "terraform-unreadable"),
    ] {
        let flawed = Flawed::new();
        std::fs::remove_dir_all(flawed.path().join("infra")).unwrap();
        flawed.write("longshore.toml", "");
        flawed.write(".github/workflows/publish.yml", sound);
        let folder = if rule.starts_with('w') {
            ".github/workflows"
        } else {
            "infra"
        };
        flawed.write(&format!("{folder}/{file}"), &bytes);
        let output = flawed.check(&["--format", "json"]).output().unwrap();
        assert_eq!(output.status.code(), Some(9), "{file} {}", both(&output));
        assert_eq!(rules(&output), [rule], "{file} {}", both(&output));
    }
}
