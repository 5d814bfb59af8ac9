//! `cosign` verifies what a publish signs.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::harness::{Emulator, Project, REPOSITORY, both, has, in_ci, repository, succeed};

/// Whether there is a `cosign` that looks for bundles, as it does since 3.
pub(crate) fn has_cosign() -> bool {
    if !has("cosign") {
        return false;
    }
    let help = Command::new("cosign").args(["sign", "--help"]).output();
    let found = both(&help.unwrap()).contains("--signing-config");
    assert!(
        found || !in_ci(),
        "cosign is older than 3: .ci/run must install it"
    );
    if !found {
        println!("skipped: cosign is older than 3");
    }
    found
}

/// `cosign` with the registry's login, and without the network.
pub(crate) fn cosign(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("cosign");
    command.current_dir(home).args(arguments);
    command
        .env("DOCKER_CONFIG", home)
        .env("COSIGN_PASSWORD", "harbour");
    command
}

/// Gives `cosign` the login of the registry's administrator.
pub(super) async fn log_in(home: &Path, emulator: &Emulator) {
    let password = emulator.registry_reader().await.password;
    let login = json!({"username": "AWS", "password": password});
    let login = json!({"auths": { emulator.registry(): login }});
    fs::write(home.join("config.json"), login.to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn cosign_verifies_signature_and_provenance_with_the_key_that_it_made() {
    if !has_cosign() {
        return;
    }
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let home = project.path();
    succeed(&mut cosign(home, &["generate-key-pair"]));
    project.edit(
        "longshore.toml",
        "[aws]",
        "[publish]\nsigning-key = \"cosign.key\"\n\n[aws]",
    );
    let job = emulator.publisher().await;
    succeed(
        project
            .publish(&digest, &job)
            .env("COSIGN_PASSWORD", "harbour"),
    );

    log_in(home, &emulator).await;
    let image = format!("{}/{REPOSITORY}:latest", emulator.registry());
    let verify = |kind: &[&str], key: &str| {
        let mut command = cosign(home, kind);
        command.args(["--insecure-ignore-tlog=true", "--key", key, &image]);
        command
    };
    let attestation = ["verify-attestation", "--type", "slsaprovenance1"];
    succeed(&mut verify(&["verify"], "cosign.pub"));
    succeed(&mut verify(&attestation, "cosign.pub"));

    let other = repository().join("crates/attest/fixtures/cosign.pub");
    let other = other.to_str().unwrap();
    for kind in [["verify"].as_slice(), &attestation] {
        let output = verify(kind, other).output().unwrap();
        assert!(!output.status.success(), "{}", both(&output));
    }
}
