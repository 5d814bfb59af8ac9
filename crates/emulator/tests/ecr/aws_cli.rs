//! The `aws` command against the emulator.

use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::served::{OTHER, REGION, REPOSITORY, Served};

/// The `aws` command, as the administrator.
struct Cli<'a> {
    served: &'a Served,
    home: &'a std::path::Path,
}

impl<'a> Cli<'a> {
    /// `None`, with a printed reason, where the command is missing.
    #[expect(clippy::print_stdout, reason = "a skipped test says so")]
    async fn find(served: &'a Served, home: &'a std::path::Path) -> Option<Self> {
        let version = Command::new("aws").arg("--version").output().await;
        if version.is_ok_and(|output| output.status.success()) {
            return Some(Self { served, home });
        }
        assert!(!in_ci(), "the aws command is missing");
        println!("skipped: the aws command is not installed");
        None
    }

    /// Runs `aws ecr COMMAND` with words from a text, and further arguments whole.
    async fn run(&self, command: &str, further: &[&str]) -> Output {
        let served = self.served;
        Command::new("aws")
            .arg("ecr")
            .args(command.split_whitespace())
            .args(further)
            .env("HOME", self.home)
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
            .env("AWS_MAX_ATTEMPTS", "1")
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap()
    }

    /// What a command that succeeds prints.
    async fn text(&self, command: &str, further: &[&str]) -> String {
        let output = self.run(command, further).await;
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "aws ecr {command}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The answer that a command prints; nothing is `null`.
    async fn call(&self, command: &str, further: &[&str]) -> Value {
        let text = self.text(command, further).await;
        if text.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&text).unwrap()
    }

    /// What a command that AWS refuses says.
    async fn refusal(&self, command: &str, further: &[&str]) -> String {
        let output = self.run(command, further).await;
        assert!(!output.status.success(), "aws ecr {command}");
        String::from_utf8(output.stderr).unwrap().trim().to_owned()
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
    let Some(cli) = Cli::find(&served, data.path()).await else {
        return;
    };
    let docker = served.administrator().await;
    docker.push(REPOSITORY, "v1", "one").await;
    let created = cli
        .call("create-repository --repository-name by/cli", &[])
        .await;
    assert_eq!(created["repository"]["repositoryName"], "by/cli");
    let described = format!("describe-images --repository-name {REPOSITORY}");
    let described = cli.call(&described, &[]).await;
    assert_eq!(described["imageDetails"][0]["imageTags"][0], "v1");
    let password = cli.text("get-login-password", &[]).await;
    let ping = served.client.get(format!("{}/v2/", served.base));
    let ping = ping
        .basic_auth("AWS", Some(password.trim()))
        .send()
        .await
        .unwrap();
    assert_eq!(ping.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_aws_command_pages_images_and_waits_for_a_lifecycle_preview() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let Some(cli) = Cli::find(&served, data.path()).await else {
        return;
    };
    let docker = served.administrator().await;
    for number in 0..3 {
        let tag = format!("v{number}");
        docker.push(OTHER, &tag, &tag).await;
    }
    // The command asks for page after page until it has them all.
    let listed = format!("list-images --repository-name {OTHER} --page-size 1");
    let listed = cli.call(&listed, &[]).await;
    assert_eq!(listed["imageIds"].as_array().unwrap().len(), 3);

    let rule = json!({
        "rulePriority": 1, "description": "keep the newest",
        "selection": { "tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1 },
        "action": { "type": "expire" },
    });
    let policy = serde_json::to_string_pretty(&json!({ "rules": [rule] })).unwrap();
    let on_other = |command: &str| format!("{command} --repository-name {OTHER}");
    let text = ["--lifecycle-policy-text", policy.as_str()];
    let started = on_other("start-lifecycle-policy-preview");
    assert_eq!(cli.call(&started, &text).await["status"], "IN_PROGRESS");
    let wait = on_other("wait lifecycle-policy-preview-complete");
    cli.call(&wait, &[]).await;
    let preview = on_other("get-lifecycle-policy-preview --page-size 1");
    let preview = cli.call(&preview, &[]).await;
    assert_eq!(preview["previewResults"].as_array().unwrap().len(), 2);
    assert_eq!(preview["summary"]["expiringImageTotalCount"], 2);
    cli.call(&on_other("put-lifecycle-policy"), &text).await;
    let got = cli.call(&on_other("get-lifecycle-policy"), &[]).await;
    assert_eq!(got["lifecyclePolicyText"], policy);
    let refused = cli
        .refusal(
            &on_other("put-lifecycle-policy"),
            &["--lifecycle-policy-text", &" ".repeat(100)],
        )
        .await;
    let expected = "An error occurred (InvalidParameterException) when calling the \
         PutLifecyclePolicy operation: Invalid parameter at 'LifecyclePolicyText' failed to \
         satisfy constraint: 'Lifecycle policy validation failure: Could not map policyString \
         into LifecyclePolicy.'";
    assert!(refused.ends_with(expected), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_aws_command_changes_a_repository_and_its_images() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let Some(cli) = Cli::find(&served, data.path()).await else {
        return;
    };
    let docker = served.administrator().await;
    let manifest = docker.push(OTHER, "v1", "one").await;
    let on_other = |command: &str| format!("{command} --repository-name {OTHER}");
    let mutability = on_other(
        "put-image-tag-mutability --image-tag-mutability IMMUTABLE_WITH_EXCLUSION \
         --image-tag-mutability-exclusion-filters filterType=WILDCARD,filter=latest",
    );
    let changed = cli.call(&mutability, &[]).await;
    assert_eq!(changed["imageTagMutability"], "IMMUTABLE_WITH_EXCLUSION");
    let put = on_other("put-image --image-tag latest");
    cli.call(&put, &["--image-manifest", &manifest]).await;
    let again = on_other("put-image --image-tag v1");
    let refused = cli.refusal(&again, &["--image-manifest", &manifest]).await;
    assert!(
        refused.contains("(ImageAlreadyExistsException)"),
        "{refused}"
    );
    let got = on_other("batch-get-image --image-ids imageTag=latest imageTag=none");
    let got = cli.call(&got, &[]).await;
    assert_eq!(got["images"][0]["imageManifest"], manifest);
    assert_eq!(got["failures"][0]["failureCode"], "ImageNotFound");

    let class = |class: &str| {
        on_other(&format!(
            "update-image-storage-class --image-id imageTag=v1 --target-storage-class {class}"
        ))
    };
    assert_eq!(
        cli.call(&class("ARCHIVE"), &[]).await["imageStatus"],
        "ARCHIVED"
    );
    let filter = on_other("describe-images --filter imageStatus=ARCHIVED");
    let archived = cli.call(&filter, &[]).await;
    assert_eq!(archived["imageDetails"][0]["imageStatus"], "ARCHIVED");
    let deleted = on_other("batch-delete-image --image-ids imageTag=v1 imageTag=latest");
    let deleted = cli.call(&deleted, &[]).await;
    assert_eq!(deleted["imageIds"].as_array().unwrap().len(), 2);
    let findings = on_other("describe-image-scan-findings --image-id imageTag=v1");
    let refused = cli.refusal(&findings, &[]).await;
    assert!(refused.contains("(ImageNotFoundException)"), "{refused}");
    let gone = cli.call(&on_other("delete-repository --force"), &[]).await;
    assert_eq!(gone["repository"]["repositoryName"], OTHER);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_aws_command_sets_up_a_registry() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let Some(cli) = Cli::find(&served, data.path()).await else {
        return;
    };
    let setting = "put-account-setting --name BLOB_MOUNTING --value ENABLED";
    assert_eq!(cli.call(setting, &[]).await["value"], "ENABLED");
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::222222222222:root" },
        "Action": "ecr:ReplicateImage",
        "Resource": "arn:aws:ecr:eu-central-1:123456789012:repository/*",
    }] })
    .to_string();
    cli.call("put-registry-policy", &["--policy-text", &policy])
        .await;
    let got = cli.call("get-registry-policy", &[]).await;
    assert_eq!(got["policyText"], policy);
    let rules = json!([{ "scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [
        { "filter": "prod*", "filterType": "WILDCARD" }] }])
    .to_string();
    let scanning = "put-registry-scanning-configuration --scan-type BASIC";
    cli.call(scanning, &["--rules", &rules]).await;
    let template = "create-repository-creation-template --prefix prod --applied-for \
        CREATE_ON_PUSH --image-tag-mutability IMMUTABLE --description production";
    cli.call(template, &[]).await;
    let templates = "describe-repository-creation-templates --page-size 1";
    let templates = cli.call(templates, &[]).await;
    let found = &templates["repositoryCreationTemplates"][0];
    assert_eq!(found["imageTagMutability"], "IMMUTABLE");
    served
        .administrator()
        .await
        .push("prod/api", "v1", "one")
        .await;
    let names = "batch-get-repository-scanning-configuration --repository-names prod/api";
    let got = cli.call(names, &[]).await;
    assert_eq!(
        got["scanningConfigurations"][0]["scanFrequency"],
        "SCAN_ON_PUSH"
    );
    let exclusion = "register-pull-time-update-exclusion --principal-arn \
        arn:aws:iam::123456789012:role/scanner";
    cli.call(exclusion, &[]).await;
    let listed = cli.call("list-pull-time-update-exclusions", &[]).await;
    assert_eq!(
        listed["pullTimeUpdateExclusions"],
        json!(["arn:aws:iam::123456789012:role/scanner"])
    );
    let cache = "create-pull-through-cache-rule --ecr-repository-prefix hub \
        --upstream-registry-url registry-1.docker.io";
    let refused = cli.refusal(cache, &[]).await;
    assert!(
        refused.contains("(UnsupportedUpstreamRegistryException)"),
        "{refused}"
    );
}
