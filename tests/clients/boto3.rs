//! boto3, as its documentation says to use it.

use std::process::Command;

use super::python_with;
use crate::harness::{Emulator, Project, REPOSITORY, repository, succeed};

#[tokio::test]
async fn boto3_pushes_lists_waits_and_knows_every_refusal_by_its_class() {
    let Some(python) = python_with("boto3") else {
        return;
    };
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
