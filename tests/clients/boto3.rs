//! boto3, as its documentation says to use it.

use std::process::Command;

use crate::harness::{Emulator, Project, REPOSITORY, in_ci, repository, succeed};

/// A Python with boto3: the gate's own, or the machine's.
fn python() -> Option<String> {
    let own = repository().join("target/ci-tools/bin/python");
    let candidates = [own.to_str().unwrap().to_owned(), "python3".to_owned()];
    let found = candidates.into_iter().find(|python| {
        let imported = Command::new(python).args(["-c", "import boto3"]).output();
        imported.is_ok_and(|output| output.status.success())
    });
    assert!(
        found.is_some() || !in_ci(),
        "boto3 is not installed: .ci/run must install it"
    );
    if found.is_none() {
        println!("skipped: boto3 is not installed");
    }
    found
}

#[tokio::test]
async fn boto3_pushes_lists_waits_and_knows_every_refusal_by_its_class() {
    let Some(python) = python() else { return };
    let project = Project::hello();
    let emulator = Emulator::start(project.path());
    let token = emulator.github_token(&emulator.publisher().await).await;
    let file = project.path().join("token");
    std::fs::write(&file, token).unwrap();
    let mut command = Command::new(python);
    command
        .arg(repository().join("tests/clients/boto3/publish.py"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", project.path())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", file)
        .env(
            "AWS_ROLE_ARN",
            "arn:aws:iam::123456789012:role/portfolio-publisher",
        )
        .env("REPOSITORY", REPOSITORY);
    for (name, value) in emulator.for_an_administrator() {
        command.env(name, value);
    }
    succeed(&mut command);
}
