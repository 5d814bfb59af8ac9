//! The `aws` command against the emulator.

use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::served::{REGION, REPOSITORY, Served};

async fn aws(served: &Served, home: &std::path::Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("aws")
        .args(arguments)
        .env("HOME", home)
        .env("AWS_ENDPOINT_URL", &served.base)
        .env("AWS_REGION", REGION)
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", &served.administrator.id)
        .env("AWS_SECRET_ACCESS_KEY", &served.administrator.secret)
        .env_remove("AWS_SESSION_TOKEN")
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_CONFIG_FILE")
        .env_remove("AWS_SHARED_CREDENTIALS_FILE")
        .env("AWS_PAGER", "")
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::null())
        .output()
        .await;
    match output {
        Ok(output) => {
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "aws {arguments:?}: {errors}");
            Some(String::from_utf8(output.stdout).unwrap())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => panic!("aws: {error}"),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no settings that could hand it the environment"
)]
fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_aws_command_creates_describes_and_logs_in() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    docker.push(REPOSITORY, "v1", "one").await;
    let create = ["ecr", "create-repository", "--repository-name", "by/cli"];
    let Some(created) = aws(&served, data.path(), &create).await else {
        assert!(!in_ci(), "the aws command is missing");
        println!("skipped: the aws command is not installed");
        return;
    };
    let created: Value = serde_json::from_str(&created).unwrap();
    assert_eq!(created["repository"]["repositoryName"], "by/cli");
    let describe = ["ecr", "describe-images", "--repository-name", REPOSITORY];
    let described = aws(&served, data.path(), &describe).await.unwrap();
    let described: Value = serde_json::from_str(&described).unwrap();
    assert_eq!(described["imageDetails"][0]["imageTags"][0], "v1");
    let password = aws(&served, data.path(), &["ecr", "get-login-password"])
        .await
        .unwrap();
    let ping = served.client.get(format!("{}/v2/", served.base));
    let ping = ping
        .basic_auth("AWS", Some(password.trim()))
        .send()
        .await
        .unwrap();
    assert_eq!(ping.status(), 200);
}
