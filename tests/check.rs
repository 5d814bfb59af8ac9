//! `longshore check`: all that a user sees of it.

mod annotations;
mod bad_input;
mod formats;
mod pages;
mod suppressions;
mod zizmor;

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::harness::{self, both, json_of, longshore, repository, snapshots, succeed};

/// A workflow that strangers can start, with an identity in it.
pub(crate) const WORKFLOW: &str = r"name: publish
on:
  push:
    branches: [main]
permissions:
  id-token: write
  contents: read
jobs:
  publish:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v5
      - uses: aws-actions/configure-aws-credentials@v6
        with:
          role-to-assume: arn:aws:iam::123456789012:role/publisher
          aws-region: eu-central-1
      - run: make push
";

/// A role that every repository of the owner can assume, and a repository
/// without anything.
const TERRAFORM: &str = r#"provider "aws" {
  region = "eu-central-1"
}

resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.github.arn]
    }
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }
    condition {
      test     = "StringLike"
      variable = "token.actions.githubusercontent.com:sub"
      values   = ["repo:acme/*"]
    }
  }
}

resource "aws_iam_role" "publisher" {
  name               = "publisher"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_ecr_repository" "api" {
  name = "api"
}
"#;

const CONFIGURATION: &str = r#"[image]
package = "api"

[aws]
terraform = "infra"

[github]
repository = "acme/api"
owner-id = 1234567
repository-id = 7654321
"#;

/// A flawed repository that is no git checkout.
struct Flawed {
    directory: TempDir,
}

impl Flawed {
    fn new() -> Self {
        let flawed = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        flawed.write(".github/workflows/publish.yml", WORKFLOW);
        flawed.write("infra/main.tf", TERRAFORM);
        flawed.write("longshore.toml", CONFIGURATION);
        flawed
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        let path = self.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// With `text` at the end of `longshore.toml`.
    fn configured(text: &str) -> Self {
        let flawed = Self::new();
        flawed.write("longshore.toml", format!("{CONFIGURATION}\n{text}"));
        flawed
    }

    fn check(&self, arguments: &[&str]) -> Command {
        check(self.path(), arguments)
    }
}

/// `longshore check` of a directory, without zizmor.
fn check(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = longshore(directory);
    command
        .args(["check", "--no-zizmor"])
        .args(arguments)
        // Not even a checkout that the temporary directory stands in.
        .env("GIT_CEILING_DIRECTORIES", directory.parent().unwrap());
    command
}

/// Everything that a user sees.
fn seen(command: &mut Command) -> String {
    harness::seen(&command.output().unwrap())
}

/// Compares with `tests/snapshots/NAME.snap`.
fn assert_seen(name: &str, seen: &str) {
    snapshots().bind(|| insta::assert_snapshot!(name, seen));
}

/// The ids of the rules with findings, in the order of the report.
fn rules(output: &Output) -> Vec<String> {
    let report = json_of(output);
    let findings = report["findings"].as_array().unwrap();
    let rules = findings
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap());
    rules.map(str::to_owned).collect()
}

#[test]
fn findings_are_shown_as_a_compiler_shows_them() {
    assert_seen("check_flawed", &seen(&mut Flawed::new().check(&[])));
}

#[test]
fn findings_are_coloured_where_colours_are_seen() {
    let flawed = Flawed::new();
    let mut command = flawed.check(&[]);
    let coloured = seen(command.env("CLICOLOR_FORCE", "1"));
    assert_seen("check_flawed_coloured", &coloured);
    let mut command = flawed.check(&[]);
    let plain = seen(command.env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1"));
    assert_eq!(plain, seen(&mut flawed.check(&[])));
}

#[test]
fn a_proof_says_who_gets_in() {
    let flawed = Flawed::new();
    assert_seen("check_prove", &seen(&mut flawed.check(&["--prove"])));
}

#[test]
fn the_severity_that_fails_can_be_chosen() {
    let flawed = Flawed::new();
    flawed.write("infra/main.tf", "locals {}\n");
    let job = "jobs:\n  test:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make test\n";
    flawed.write(".github/workflows/publish.yml", format!("on: push\n{job}"));
    for (arguments, code) in [
        (&["--fail-on", "error"] as &[&str], 0),
        (&["--fail-on", "warning"], 9),
        (&["--fail-on", "note"], 9),
        (&[], 0),
    ] {
        let output = flawed.check(arguments).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?} {}",
            both(&output)
        );
    }
}

#[test]
fn the_nearest_repository_upwards_is_checked_and_a_named_directory_is_checked_alone() {
    let flawed = Flawed::new();
    let below = flawed.path().join("infra");
    let json = ["--format", "json"];
    let whole = flawed.check(&json).output().unwrap();
    let from_below = check(&below, &json).output().unwrap();
    assert_eq!(rules(&whole), rules(&from_below));
    let alone = check(flawed.path(), &["--format", "json", "--directory", "infra"]);
    let alone = json_of(&{ alone }.output().unwrap()).to_string();
    assert!(!alone.contains("publish.yml"), "{alone}");
}

#[test]
fn this_repository_passes() {
    let output = succeed(&mut check(&repository(), &["--prove", "--format", "json"]));
    let report = json_of(&output);
    assert_eq!(report["passed"], true);
}

#[test]
fn what_git_ignores_and_what_is_excluded_is_not_looked_at() {
    let flawed = Flawed::configured("[check]\nexclude = [\"vendor\"]\n");
    let key = format!("AKIA{}", "QWERTYUIOPASDFGH");
    for directory in ["ignored", "vendor", "kept"] {
        flawed.write(&format!("{directory}/key.txt"), &key);
    }
    flawed.write(".gitignore", "ignored/\n");
    succeed(
        Command::new("git")
            .arg("-C")
            .arg(flawed.path())
            .args(["init", "--quiet"]),
    );
    let output = flawed.check(&["--format", "json"]).output().unwrap();
    let report = json_of(&output);
    let findings = report["findings"].to_string();
    assert!(findings.contains("kept/key.txt"), "{findings}");
    assert!(
        !findings.contains("ignored/") && !findings.contains("vendor/"),
        "{findings}"
    );
    assert!(
        report["skipped"].to_string().contains("vendor: 1 file"),
        "{report:#}"
    );
}

#[test]
fn keys_are_never_printed() {
    let flawed = Flawed::new();
    let id = format!("AKIA{}", "QWERTYUIOPASDFGH");
    let secret = format!("wJalrXUtnFEMI/K7MDENG+bPxRfiCY{}", "0123456789");
    let script = format!("export AWS_ACCESS_KEY_ID={id} AWS_SECRET_ACCESS_KEY={secret}\n");
    flawed.write("deploy.sh", script);
    for format in ["text", "json", "sarif"] {
        let output = flawed.check(&["--format", format]).output().unwrap();
        let seen = both(&output);
        assert!(seen.contains("stored-aws-key"), "{seen}");
        assert!(!seen.contains(&id) && !seen.contains(&secret), "{seen}");
    }
}
