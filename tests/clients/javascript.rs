//! The AWS SDK for JavaScript, and what GitHub's published actions do with it.
//!
//! The bundles that the actions publish are on GitHub only. Here the same
//! packages make the same calls in the same order as their sources do.

use std::path::Path;
use std::process::{Command, Output};

use super::containers::has_docker_engine;
use crate::harness::{Emulator, Project, REPOSITORY, both, has, in_ci, repository, succeed};

/// Whether Node.js and the packages are there.
fn has_packages() -> bool {
    let modules = repository().join("tests/clients/javascript/node_modules");
    let found = has("node") && modules.is_dir();
    assert!(
        found || !in_ci(),
        "the packages are not installed: .ci/run must install them"
    );
    if !found {
        println!("skipped: run `npm ci` in tests/clients/javascript");
    }
    found
}

/// A script in a clean environment: AWS's standard variables, and those that
/// GitHub sets in a job.
fn node(emulator: &Emulator, script: &str, home: &Path) -> Command {
    let mut command = Command::new("node");
    command
        .arg(repository().join("tests/clients/javascript").join(script))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", home)
        .env("DOCKER_CONFIG", home)
        .envs(std::env::var_os("DOCKER_HOST").map(|host| ("DOCKER_HOST", host)))
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_MAX_ATTEMPTS", "1")
        .env("REPOSITORY", REPOSITORY);
    for (name, value) in emulator.for_an_administrator() {
        command.env(name, value);
    }
    command
}

#[tokio::test]
async fn the_javascript_sdk_pushes_lists_waits_and_knows_every_refusal_by_its_class() {
    if !has_packages() {
        return;
    }
    let project = Project::hello();
    let emulator = Emulator::start(project.path());
    let token = emulator.github_token(&emulator.publisher().await).await;
    let file = project.path().join("token");
    std::fs::write(&file, token).unwrap();
    let mut command = node(&emulator, "publish.mjs", project.path());
    command.env("AWS_WEB_IDENTITY_TOKEN_FILE", file).env(
        "AWS_ROLE_ARN",
        "arn:aws:iam::123456789012:role/portfolio-publisher",
    );
    succeed(&mut command);
}

/// What the first action leaves in the job's environment.
fn exported(file: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(file).unwrap();
    // NAME<<DELIMITER, the value, DELIMITER.
    let lines: Vec<&str> = text.lines().collect();
    lines
        .chunks(3)
        .map(|lines| {
            let (name, _) = lines[0].split_once("<<").unwrap();
            (name.to_owned(), lines[1].to_owned())
        })
        .collect()
}

fn assume(emulator: &Emulator, job: &[(String, String)], home: &Path) -> Output {
    let file = home.join("github-env");
    std::fs::write(&file, "").unwrap();
    let role = "arn:aws:iam::123456789012:role/portfolio-publisher";
    node(emulator, "configure-aws-credentials.mjs", home)
        .envs(job.iter().cloned())
        .env("INPUT_ROLE-TO-ASSUME", role)
        .env("INPUT_AWS-REGION", "eu-west-1")
        .env("GITHUB_ENV", file)
        .output()
        .unwrap()
}

#[tokio::test]
async fn what_the_actions_do_takes_a_job_from_its_token_to_a_login_of_docker() {
    if !has_packages() {
        return;
    }
    let project = Project::hello();
    let emulator = Emulator::start(project.path());
    let home = tempfile::tempdir().unwrap();
    let assumed = assume(&emulator, &emulator.publisher().await, home.path());
    assert!(assumed.status.success(), "{}", both(&assumed));
    let variables = exported(&home.path().join("github-env"));
    let names: Vec<&str> = variables.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "AWS_DEFAULT_REGION",
            "AWS_REGION",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
        ]
    );
    if !has_docker_engine() {
        return;
    }
    let mut login = node(&emulator, "amazon-ecr-login.mjs", home.path());
    succeed(login.envs(variables));
    let config = std::fs::read_to_string(home.path().join("config.json")).unwrap();
    assert!(config.contains(emulator.registry()), "{config}");
}

#[tokio::test]
async fn what_the_first_action_prints_for_a_pull_request_is_the_sentence_that_everybody_knows() {
    if !has_packages() {
        return;
    }
    let project = Project::hello();
    let emulator = Emulator::start(project.path());
    let home = tempfile::tempdir().unwrap();
    let job = emulator.job("acme/portfolio", "refs/pull/7/merge").await;
    let refused = assume(&emulator, &job, home.path());
    let text = both(&refused);
    assert_eq!(refused.status.code(), Some(1), "{text}");
    let sentence = "::error::Could not assume role with OIDC: Not authorized to perform \
                    sts:AssumeRoleWithWebIdentity";
    assert!(text.contains(sentence), "{text}");
}
