//! The `aws` command line, with its standard variables.

use std::process::{Command, Output};

use crate::harness::{Emulator, Project, REPOSITORY, both, has, json_of, succeed};

/// `aws` with nothing of this machine's configuration.
pub(super) fn aws(emulator: &Emulator) -> Command {
    let mut command = Command::new("aws");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command
        .envs(emulator.variables.iter().cloned())
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_MAX_ATTEMPTS", "1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_PAGER", "");
    command
}

fn assume(emulator: &Emulator, token: &str) -> Output {
    let role = "arn:aws:iam::123456789012:role/portfolio-publisher";
    aws(emulator)
        .args([
            "sts",
            "assume-role-with-web-identity",
            "--role-session-name",
            "by-hand",
        ])
        .args(["--role-arn", role, "--web-identity-token", token])
        .output()
        .unwrap()
}

#[tokio::test]
async fn aws_assumes_the_role_with_githubs_token_and_logs_in() {
    if !has("aws") {
        return;
    }
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    succeed(&mut project.publish(&digest, &job));

    let assumed = assume(&emulator, &emulator.github_token(&job).await);
    assert!(assumed.status.success(), "{}", both(&assumed));
    let credentials = &json_of(&assumed)["Credentials"];
    let as_publisher = || {
        let mut command = aws(&emulator);
        for (variable, field) in [
            ("AWS_ACCESS_KEY_ID", "AccessKeyId"),
            ("AWS_SECRET_ACCESS_KEY", "SecretAccessKey"),
            ("AWS_SESSION_TOKEN", "SessionToken"),
        ] {
            command.env(variable, credentials[field].as_str().unwrap());
        }
        command
    };
    let identity = json_of(&succeed(
        as_publisher().args(["sts", "get-caller-identity"]),
    ));
    let arn = "arn:aws:sts::123456789012:assumed-role/portfolio-publisher/by-hand";
    assert_eq!(identity["Arn"], arn);
    let login = json_of(&succeed(
        as_publisher().args(["ecr", "get-authorization-token"]),
    ));
    assert_eq!(login["authorizationData"][0]["proxyEndpoint"], emulator.url);

    // The publisher may push and not look: AWS's own sentence says which action.
    let describe = ["ecr", "describe-images", "--repository-name", REPOSITORY];
    let denied = as_publisher().args(describe).output().unwrap();
    let text = both(&denied);
    assert!(
        text.contains("not authorized to perform: ecr:DescribeImages"),
        "{text}"
    );
    let images = json_of(&succeed(aws(&emulator).args(describe)));
    // Beside the image lies what refers to it.
    let images = images["imageDetails"].as_array().unwrap();
    assert!(images.iter().any(|image| image["imageDigest"] == digest));
}

#[tokio::test]
async fn aws_shows_the_sentence_that_everybody_knows_for_a_pull_request() {
    if !has("aws") {
        return;
    }
    let (project, _) = Project::built();
    let emulator = Emulator::start(project.path());
    let job = emulator.job("acme/portfolio", "refs/pull/7/merge").await;
    let refused = assume(&emulator, &emulator.github_token(&job).await);
    let text = both(&refused);
    assert!(!refused.status.success());
    let sentence = "(AccessDenied) when calling the AssumeRoleWithWebIdentity operation: \
                    Not authorized to perform sts:AssumeRoleWithWebIdentity";
    assert!(text.contains(sentence), "{text}");
}

#[tokio::test]
async fn aws_looks_events_up_page_by_page() {
    if !has("aws") {
        return;
    }
    let (project, _) = Project::built();
    let emulator = Emulator::start(project.path());
    for _ in 0..3 {
        succeed(aws(&emulator).args(["ecr", "describe-repositories"]));
    }
    let looked_up = json_of(&succeed(aws(&emulator).args([
        "cloudtrail",
        "lookup-events",
        "--lookup-attributes",
        "AttributeKey=EventName,AttributeValue=DescribeRepositories",
        "--page-size",
        "2",
    ])));
    let events = looked_up["Events"].as_array().unwrap();
    assert_eq!(events.len(), 3, "{looked_up}");
    assert_eq!(events[0]["Username"], "root");
    let unsupported = aws(&emulator)
        .args(["cloudtrail", "describe-trails"])
        .output()
        .unwrap();
    let text = both(&unsupported);
    assert!(text.contains("UnsupportedOperationException"), "{text}");
}
