//! The pages that explain rules.

use super::{Flawed, assert_seen, seen};
use crate::harness::{both, longshore, repository, succeed};

#[test]
fn the_page_of_a_rule_is_printed_anywhere() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = longshore(directory.path());
    let output = succeed(command.args(["check", "--explain", "trust-name-only"]));
    let page = std::fs::read(repository().join("docs/checks/trust-name-only.md")).unwrap();
    assert_eq!(output.stdout, page, "{}", both(&output));
    let mut zizmor = longshore(directory.path());
    let output = succeed(zizmor.args(["check", "--explain", "zizmor/artipacked"]));
    assert_eq!(
        output.stdout,
        b"https://docs.zizmor.sh/audits/#artipacked\n"
    );
}

#[test]
fn a_rule_that_does_not_exist_has_no_page() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = longshore(directory.path());
    let told = seen(command.args(["check", "--explain", "trust-nameonly"]));
    assert_seen("check_unknown_page", &told);
}

#[test]
fn what_a_finding_says_to_run_prints_its_page() {
    let flawed = Flawed::new();
    let output = flawed.check(&[]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let commands: Vec<_> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("= see: longshore "))
        .collect();
    assert!(commands.len() > 5, "{text}");
    for command in commands {
        succeed(longshore(flawed.path()).args(command.split(' ')));
    }
}

/// Links to pages begin with where this repository says that it lives.
#[test]
fn links_lead_to_this_repository() {
    let text = std::fs::read_to_string(repository().join("longshore.toml")).unwrap();
    let home = env!("CARGO_PKG_REPOSITORY").strip_prefix("https://github.com/");
    let line = format!("repository = \"{}\"", home.unwrap());
    assert!(text.lines().any(|own| own == line), "{line}");
}
