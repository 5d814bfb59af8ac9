//! Publishing a source: nothing is compiled, packed or sent that the registry
//! shows to be there.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Emulator, Project, assert_valid, both, copy, json_of, longshore, succeed};
use crate::proxy::Proxy;

/// A `cargo` that notes what it is asked, and passes it on.
pub(crate) struct Cargo(TempDir);

impl Cargo {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("cargo");
        let script = format!(
            "#!/bin/sh\necho \"$1\" >> {}\nPATH=\"${{PATH#*:}}\" exec cargo \"$@\"\n",
            directory.path().join("asked").display()
        );
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self(directory)
    }

    /// What was asked since this was asked last.
    pub(crate) fn asked(&self) -> Vec<String> {
        let file = self.0.path().join("asked");
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let _ = std::fs::remove_file(file);
        text.lines().map(str::to_owned).collect()
    }

    pub(crate) fn publish(&self, directory: &Path, job: &[(String, String)]) -> Command {
        let mut command = longshore(directory);
        let path = std::env::var("PATH").unwrap();
        command
            .args(["publish", "--format", "json"])
            .envs(job.iter().cloned())
            .env("PATH", format!("{}:{path}", self.0.path().display()));
        command
    }
}

fn origins(receipt: &Value) -> Vec<&str> {
    let layers = receipt["layers"].as_array().unwrap();
    let origins = layers.iter().map(|layer| layer["origin"].as_str().unwrap());
    origins.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_was_published_takes_two_requests_and_no_cargo() {
    let project = Project::hello();
    let emulator = Emulator::start(project.path());
    let proxy = Proxy::start(&emulator).await;
    let job = proxy.publisher(&emulator).await;
    let cargo = Cargo::new();
    let first = json_of(&succeed(&mut cargo.publish(project.path(), &job)));
    assert_eq!(origins(&first), ["new", "new"]);
    assert_eq!(cargo.asked(), ["metadata", "tree", "tree", "build"]);
    proxy.registry_requests();

    let second = json_of(&succeed(&mut cargo.publish(project.path(), &job)));
    assert_eq!(second["unchanged"], true, "{second:#}");
    assert_eq!(second["digest"], first["digest"]);
    assert_eq!(cargo.asked(), Vec::<String>::new());
    let requests = proxy.registry_requests();
    assert_eq!(requests.len(), 2, "{requests:?}");

    // A machine that has never compiled it knows it by what the image records.
    let fresh = tempfile::tempdir().unwrap();
    copy(project.path(), fresh.path());
    std::fs::remove_dir_all(fresh.path().join("target")).unwrap();
    let third = json_of(&succeed(&mut cargo.publish(fresh.path(), &job)));
    assert_eq!(third["unchanged"], true, "{third:#}");
    assert_eq!(cargo.asked(), ["metadata"]);
    let requests = proxy.registry_requests();
    assert_eq!(requests.len(), 2, "{requests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_without_changes_sends_no_layer_and_compiles_nothing_anywhere() {
    let project = Project::hello();
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    let cargo = Cargo::new();
    let first = json_of(&succeed(&mut cargo.publish(project.path(), &job)));
    project.commit_anyway();

    let fresh = tempfile::tempdir().unwrap();
    copy(project.path(), fresh.path());
    std::fs::remove_dir_all(fresh.path().join("target")).unwrap();
    cargo.asked();
    let second = json_of(&succeed(&mut cargo.publish(fresh.path(), &job)));
    assert_ne!(second["digest"], first["digest"]);
    assert_eq!(origins(&second), ["reused", "reused"]);
    assert_eq!(second["layers"], {
        let mut layers = first["layers"].clone();
        for layer in layers.as_array_mut().unwrap() {
            layer["origin"] = json!("reused");
        }
        layers
    });
    assert_eq!(cargo.asked(), ["metadata", "tree", "tree"]);
    let registry = emulator.registry_reader().await;
    assert!(registry.complete_image("latest").await.is_some());

    // Whoever compiles it here gets the same image.
    std::fs::remove_dir_all(fresh.path().join("target")).unwrap();
    let built = json_of(&succeed(
        longshore(fresh.path()).args(["build", "--format", "json"]),
    ));
    assert_eq!(built["digest"], second["digest"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_source_is_compiled_and_only_its_layer_is_sent() {
    let project = Project::hello();
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    let cargo = Cargo::new();
    succeed(&mut cargo.publish(project.path(), &job));
    project.edit("src/main.rs", "\\r\\n\\r\\nok", "\\r\\n\\r\\nOK");
    project.commit();
    let second = json_of(&succeed(&mut cargo.publish(project.path(), &job)));
    assert_eq!(origins(&second), ["reused", "new"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_was_made_from_something_else_is_found_before_anything_is_compiled() {
    let project = Project::hello();
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    let cargo = Cargo::new();
    succeed(&mut cargo.publish(project.path(), &job));
    cargo.asked();
    let fresh = tempfile::tempdir().unwrap();
    copy(project.path(), fresh.path());
    std::fs::remove_dir_all(fresh.path().join("target")).unwrap();
    let mut other = cargo.publish(fresh.path(), &job);
    let output = other
        .env("CARGO_PROFILE_RELEASE_LTO", "true")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(6), "{}", both(&output));
    let problem = json_of(&output);
    assert_eq!(problem["code"], "E032");
    assert_eq!(cargo.asked(), ["metadata"]);

    // Who may pull is told what changed.
    let why = |variables: &[(String, String)]| {
        let mut command = longshore(fresh.path());
        command
            .args(["build", "--why"])
            .envs(variables.iter().cloned());
        command
    };
    let reader = &emulator.variables;
    let mut changed = why(reader);
    let output = succeed(changed.env("CARGO_PROFILE_RELEASE_LTO", "true"));
    let text = String::from_utf8(output.stdout).unwrap();
    let added = "added      environment:CARGO_PROFILE_RELEASE_LTO";
    assert!(text.contains(added) && text.lines().count() == 2, "{text}");
    let output = succeed(&mut why(reader));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("all inputs are the same"), "{text}");
    std::fs::write(fresh.path().join("src/new.rs"), "").unwrap();
    let document = json_of(&succeed(why(reader).args(["--format", "json"])));
    assert_valid("docs/schemas/inputs-report.json", &document);
    let changes = document["changes"].as_array().unwrap();
    let is_new = |change: &Value| change["name"] == "file:src/new.rs";
    assert!(changes.iter().any(is_new), "{document:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_image_is_reproduced_or_its_layer_file_and_bytes_are_named() {
    let project = Project::hello();
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    let receipt = json_of(&succeed(&mut Cargo::new().publish(project.path(), &job)));
    let digest = receipt["digest"].as_str().unwrap();
    let verify = || {
        let mut command = longshore(project.path());
        command
            .args(["build", "--allow-dirty", "--format", "json"])
            .args(["--verify", digest])
            .envs(emulator.variables.iter().cloned());
        command
    };
    let again = json_of(&succeed(&mut verify()));
    assert_eq!(again["digest"], digest);
    assert_eq!(again["compiled"], true);

    project.edit("src/main.rs", "\\r\\n\\r\\nok", "\\r\\n\\r\\nOK");
    let output = verify().output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", both(&output));
    let problem = json_of(&output);
    assert_eq!(problem["code"], "E014");
    let facts = problem["facts"].to_string();
    let named = "layer binary:/usr/bin/hello /usr/bin/hello";
    let bytes = "bytes differ, the first at";
    assert!(facts.contains(named) && facts.contains(bytes), "{facts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_expires_between_two_layers_is_renewed() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let rule = json!({
        "when": { "method": "POST", "path": "/v2/*/blobs/uploads/*" },
        "schedule": { "skip": 1, "times": 1 },
        "fault": { "expire_credentials": {} },
    });
    let faults = format!("{}/_longshore/faults", emulator.url);
    let client = reqwest::Client::new();
    let answer = client.post(&faults).json(&rule).send().await.unwrap();
    assert!(answer.status().is_success());
    let job = emulator.publisher().await;
    succeed(&mut project.publish(&digest, &job));
    let rules: Value = client
        .get(&faults)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(rules.to_string().contains("\"struck\":1"), "{rules}");
    let registry = emulator.registry_reader().await;
    assert!(registry.complete_image("latest").await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_has_lost_what_it_says_it_has_gets_it_again() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let says_so = |line: &str| {
        let asked = line.starts_with("HEAD ") && line.contains("/blobs/");
        // As a registry that sends the client on to its storage.
        asked.then_some(StatusCode::TEMPORARY_REDIRECT)
    };
    let proxy = Proxy::answering(&emulator, says_so).await;
    let job = proxy.publisher(&emulator).await;
    let receipt = json_of(&succeed(
        project.publish(&digest, &job).args(["--format", "json"]),
    ));
    assert_eq!(origins(&receipt), ["new", "new"]);
    let registry = emulator.registry_reader().await;
    assert!(registry.complete_image("latest").await.is_some());
}
