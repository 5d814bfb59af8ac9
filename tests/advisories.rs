//! What is known of packages, as a gate before a push.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::harness::{Emulator, Project, both, copy, json_of, repository, succeed};
use crate::platforms::Platforms;
use crate::proxy::Proxy;
use crate::source::Cargo;

/// A project with two packages of crates.io, of a directory that stands for it.
pub(crate) fn project() -> Project {
    let project = Project::hello();
    let at = |file: &str| project.path().join(file);
    for name in ["seashell", "driftwood"] {
        let folder = at(&format!("vendor/{name}"));
        std::fs::create_dir_all(folder.join("src")).unwrap();
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\n");
        std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        std::fs::write(folder.join("src/lib.rs"), "").unwrap();
        let checksum = json!({"files": {}, "package": "ab".repeat(32)});
        std::fs::write(folder.join(".cargo-checksum.json"), checksum.to_string()).unwrap();
    }
    std::fs::create_dir(at(".cargo")).unwrap();
    let source = "[source.crates-io]\nreplace-with = \"vendored\"\n\
                  [source.vendored]\ndirectory = \"vendor\"\n";
    std::fs::write(at(".cargo/config.toml"), source).unwrap();
    let manifest = std::fs::read_to_string(at("Cargo.toml")).unwrap();
    let dependencies = "\n[dependencies]\nseashell = \"1\"\ndriftwood = \"1\"\n";
    std::fs::write(at("Cargo.toml"), manifest + dependencies).unwrap();
    let mut lock = Command::new("cargo");
    succeed(
        lock.args(["generate-lockfile", "--offline"])
            .current_dir(project.path()),
    );
    copy(&repository().join("fixtures/advisories"), &at("advisories"));
    project
}

/// Has the project ask for `table`, in a commit of its own.
fn audit(project: &Project, table: &str) {
    let file = project.path().join("longshore.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let kept = text.split("[audit]").next().unwrap();
    std::fs::write(file, format!("{kept}[audit]\n{table}\n")).unwrap();
    project.commit();
}

const DENY: &str = "advisories = \"deny\"\ndatabase = \"advisories\"";

async fn publish(project: &Project, emulator: &Emulator, cargo: &Cargo) -> Output {
    let job = emulator.publisher().await;
    cargo.publish(project.path(), &job).output().unwrap()
}

fn ids(receipt: &Value) -> Vec<&str> {
    let advisories = receipt["advisories"].as_array().unwrap().iter();
    advisories.map(|of| of["id"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vulnerable_package_ends_the_publish_with_the_command_that_mends_it() {
    let project = project();
    audit(&project, DENY);
    let emulator = Emulator::start(project.path());
    let proxy = Proxy::start(&emulator).await;
    let job = proxy.publisher(&emulator).await;
    let cargo = Cargo::new();
    let output = cargo.publish(project.path(), &job).output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", both(&output));
    let problem = json_of(&output);
    assert_eq!(problem["code"], "E016");
    let text = problem.to_string();
    for part in [
        "seashell 1.0.0",
        "RUSTSEC-2099-0001: The sea is heard by everybody",
        "patched in >=1.0.3, <1.1.0 or >=1.1.2",
        "`cargo update -p seashell@1.0.0 --precise 1.0.3`",
    ] {
        assert!(text.contains(part), "{part}: {problem:#}");
    }
    assert!(
        !text.contains("driftwood"),
        "what is unmaintained is no vulnerability"
    );
    assert!(!cargo.asked().contains(&"build".to_owned()));
    let requests = proxy.registry_requests();
    assert!(
        requests.iter().all(|line| line.starts_with("GET ")),
        "{requests:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ignored_with_a_reason_or_only_warned_of_is_published() {
    let project = project();
    let emulator = Emulator::start(project.path());
    let cargo = Cargo::new();
    let reason = "nothing listens";
    audit(
        &project,
        &format!("{DENY}\nignore = [{{ id = \"RUSTSEC-2099-0001\", reason = \"{reason}\" }}]"),
    );
    let output = publish(&project, &emulator, &cargo).await;
    assert_eq!(ids(&json_of(&output)), ["RUSTSEC-2099-0002"]);

    audit(&project, &DENY.replace("deny", "warn"));
    let output = publish(&project, &emulator, &cargo).await;
    let receipt = json_of(&output);
    assert_eq!(ids(&receipt), ["RUSTSEC-2099-0002", "RUSTSEC-2099-0001"]);
    assert_eq!(receipt["advisories"][1]["update"], "1.0.3");
    crate::harness::assert_valid("docs/schemas/publish-receipt.json", &receipt);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_had_ends_the_publish_and_says_what_it_did_not_look_at() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    let refused = |says: &str| {
        let mut publish = project.publish(&digest, &job);
        let output = publish.args(["--format", "json"]).output().unwrap();
        assert_eq!(output.status.code(), Some(4), "{}", both(&output));
        let problem = json_of(&output);
        assert_eq!(problem["code"], "E017");
        assert!(problem.to_string().contains(says), "{problem:#}");
    };
    // Nobody listens there.
    audit(
        &project,
        "advisories = \"deny\"\ndatabase = \"https://127.0.0.1:1/db\"",
    );
    refused("`https://127.0.0.1:1/db` could not be fetched");
    audit(&project, "advisories = \"deny\"\ndatabase = \"src\"");
    refused("is no RustSec database");
    copy(
        &repository().join("fixtures/advisories"),
        &project.path().join("advisories"),
    );
    std::fs::remove_file(project.layout().join("dependencies.json")).unwrap();
    audit(&project, DENY);
    refused("does not say what its program was compiled from");
    let registry = emulator.registry_reader().await;
    assert!(registry.complete_image("latest").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn advisories_about_a_program_without_its_list_are_told_by_platform_and_how_to_make_it() {
    let platforms = Platforms::new();
    copy(
        &repository().join("fixtures/advisories"),
        &platforms.path().join("advisories"),
    );
    audit(&platforms.project, DENY);
    let emulator = Emulator::start(platforms.path());
    let job = emulator.publisher().await;
    let cargo = Cargo::new();
    let output = platforms.publish(&cargo, &job).output().unwrap();
    let text = both(&output);
    assert_eq!(output.status.code(), Some(4), "{text}");
    for words in [
        "E017",
        "given for linux/arm64",
        "longshore build --platform linux/arm64",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("layout"), "{text}");
    let registry = emulator.registry_reader().await;
    assert!(registry.complete_image("latest").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_is_fetched_anew_for_each_publish() {
    let project = project();
    let emulator = Emulator::start(project.path());
    let cargo = Cargo::new();
    let database = tempfile::tempdir().unwrap();
    let shell = database.path().join("crates/seashell");
    copy(&repository().join("fixtures/advisories"), database.path());
    let known = std::fs::read(shell.join("RUSTSEC-2099-0001.md")).unwrap();
    std::fs::remove_dir_all(&shell).unwrap();
    git(database.path(), &["init", "--quiet"]);
    commit(database.path());
    let address = format!("file://{}", database.path().display());
    audit(
        &project,
        &format!("advisories = \"deny\"\ndatabase = \"{address}\""),
    );
    let output = publish(&project, &emulator, &cargo).await;
    assert_eq!(ids(&json_of(&output)), ["RUSTSEC-2099-0002"]);

    // What is known since is known at once.
    std::fs::create_dir(&shell).unwrap();
    std::fs::write(shell.join("RUSTSEC-2099-0001.md"), known).unwrap();
    commit(database.path());
    project.commit_anyway();
    let output = publish(&project, &emulator, &cargo).await;
    assert_eq!(json_of(&output)["code"], "E016", "{}", both(&output));
}

fn commit(repository: &Path) {
    git(repository, &["add", "--all"]);
    git(repository, &["commit", "--quiet", "--message=known"]);
}

fn git(directory: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.arg("-C").arg(directory);
    command.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]);
    succeed(command.args(arguments));
}
