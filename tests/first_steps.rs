//! Repositories as people bring them: nothing ignored, nothing locked, a name mistyped.

use std::fs;

use serde_json::Value;

use crate::harness::{Project, both, json_of, longshore, succeed};

/// Builds, and returns the problem that it ends in.
fn problem(project: &Project, code: &str) -> Value {
    let output = longshore(project.path())
        .args(["build", "--format", "json"])
        .output()
        .unwrap();
    assert!(!output.status.success(), "{}", both(&output));
    let problem = json_of(&output);
    assert_eq!(problem["code"], code, "{problem:#}");
    problem
}

fn assert_says(problem: &Value, words: &[&str]) {
    let text = problem.to_string();
    for word in words {
        assert!(text.contains(word), "`{word}` is missing: {problem:#}");
    }
}

#[test]
fn what_longshore_writes_is_no_change_of_a_source_that_ignores_nothing() {
    let project = Project::hello();
    fs::remove_file(project.path().join(".gitignore")).unwrap();
    project.commit();
    for layout in ["target/longshore/layout", "out", "out"] {
        let mut build = longshore(project.path());
        succeed(build.args(["build", "--layout", layout]));
    }

    // One of an earlier Longshore is there without the file.
    fs::remove_file(project.path().join("target/.gitignore")).unwrap();
    fs::remove_file(project.path().join("target/longshore/.gitignore")).unwrap();
    let made = problem(&project, "E011");
    assert_says(&made, &[": target/"]);
    for entry in fs::read_dir(project.path().join("target")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "longshore" {
            let place = entry.path();
            assert!(
                fs::remove_dir_all(&place)
                    .or_else(|_| fs::remove_file(&place))
                    .is_ok()
            );
        }
    }
    succeed(longshore(project.path()).arg("build"));
}

#[test]
fn uncommitted_changes_are_named_up_to_five() {
    let project = Project::hello();
    for number in 1..=7 {
        fs::write(project.path().join(format!("new-{number}")), "").unwrap();
    }
    let problem = problem(&project, "E011");
    assert_says(&problem, &["new-1, new-2", "new-5 and 2 more"]);
}

#[test]
fn a_lock_file_that_is_missing_or_too_old_is_told_with_the_command_that_writes_it() {
    let project = Project::hello();
    let lock = project.path().join("Cargo.lock");
    let text = fs::read_to_string(&lock).unwrap();
    fs::remove_file(&lock).unwrap();
    project.commit();
    let missing = problem(&project, "E012");
    assert_says(&missing, &["no `Cargo.lock`", "`cargo generate-lockfile`"]);
    assert!(!missing.to_string().contains("--locked"), "{missing:#}");

    fs::write(&lock, text).unwrap();
    let manifest = fs::read_to_string(project.path().join("Cargo.toml")).unwrap();
    let other = manifest.replacen("version = \"", "version = \"7", 1);
    fs::write(project.path().join("Cargo.toml"), other).unwrap();
    project.commit();
    let old = problem(&project, "E012");
    assert_says(&old, &["`cargo update --workspace`", "commit `Cargo.lock`"]);
}

/// A project of which `from` is replaced by `to` in longshore.toml.
fn changed(from: &str, to: &str) -> Project {
    let project = Project::hello();
    project.edit("longshore.toml", from, to);
    project.commit();
    project
}

#[test]
fn assets_from_the_whole_repository_are_the_same_in_every_build() {
    let assets = "[[image.assets]]\nfrom = \".\"\nto = \"/srv\"\n\n[aws]";
    let project = changed("[aws]", assets);
    let digest = || succeed(longshore(project.path()).arg("build")).stdout;
    let first = digest();
    assert_eq!(digest(), first);
    for _ in 0..2 {
        let mut build = longshore(project.path());
        let elsewhere = succeed(build.args(["build", "--layout", "out"]));
        assert_eq!(elsewhere.stdout, first);
    }
    let fresh = tempfile::tempdir().unwrap();
    let mut clone = std::process::Command::new("git");
    succeed(
        clone
            .args(["clone", "-q"])
            .arg(project.path())
            .arg(fresh.path()),
    );
    let cloned = succeed(longshore(fresh.path()).arg("build"));
    assert_eq!(cloned.stdout, first);
}

#[test]
fn what_longshore_toml_names_and_is_not_there_is_told_by_its_key() {
    let assets = "[[image.assets]]\nfrom = \"static\"\nto = \"/srv\"\n\n[aws]";
    let package = "package = \"hello\"";
    for (from, to, code, said) in [
        (
            "[aws]",
            assets,
            "E002",
            "`image.assets.from` is `static`, which is not there",
        ),
        (
            package,
            "package = \"helo\"",
            "E013",
            "`image.package` is `helo`, and the workspace has no such package: it has hello",
        ),
        (
            package,
            "package = \"hello\"\nbinary = \"x\"",
            "E013",
            "package `hello` has no binary `x`: it has hello",
        ),
    ] {
        assert_says(&problem(&changed(from, to), code), &[said]);
    }
}
