//! A base in ECR, and who may read it.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::Image;
use crate::harness::{Emulator, Project, REPOSITORY, Reader, json_of, longshore, succeed};
use crate::proxy::Proxy;

/// A project on a base of the registry that it is published to.
struct InEcr {
    image: Image,
    project: Project,
    emulator: Emulator,
    proxy: Arc<Proxy>,
    reader: Reader,
}

impl InEcr {
    async fn new() -> Self {
        let image = Image::new("1", 2);
        let project = Project::hello();
        let resource = "resource \"aws_ecr_repository\" \"base\" {\n  name = \"team/base\"\n}\n";
        std::fs::write(project.path().join("infra/production/base.tf"), resource).unwrap();
        let table = format!("[aws]\nrepository = \"{REPOSITORY}\"");
        project.edit("longshore.toml", "[aws]", &table);
        let emulator = Emulator::start_with(project.path(), &["--spec-registry"]);
        let proxy = Proxy::start(&emulator).await;
        let reader = emulator.registry_reader().await;
        for blob in &image.blobs {
            reader.push_blob("team/base", blob).await;
        }
        let manifest = &image.manifest;
        reader.push_manifest("team/base", "v1", manifest).await;
        let host = proxy.own.strip_prefix("http://").unwrap();
        let table = format!("[image]\nbase = \"{host}/team/base:v1\"");
        project.edit("longshore.toml", "[image]", &table);
        Self {
            image,
            project,
            emulator,
            proxy,
            reader,
        }
    }

    /// As somebody without credentials of AWS, to whom `docker` keeps their logins.
    fn command(&self, arguments: &[&str], docker: &Path) -> Command {
        let mut command = longshore(self.project.path());
        command
            .args(arguments)
            .args(["--format", "json"])
            .env("AWS_ENDPOINT_URL", &self.proxy.own)
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("DOCKER_CONFIG", docker);
        command
    }

    /// As somebody with them.
    fn with_keys(&self, arguments: &[&str], docker: &Path) -> Command {
        let mut command = self.command(arguments, docker);
        command
            .envs(self.emulator.variables.iter().cloned())
            .env("AWS_ENDPOINT_URL", &self.proxy.own);
        command
    }

    /// Keeps a login as Docker does.
    fn keep(&self, docker: &Path, password: &str) {
        let host = self.proxy.own.strip_prefix("http://").unwrap();
        let auth = STANDARD.encode(format!("AWS:{password}"));
        let logins = json!({ "auths": { host: { "auth": auth } } });
        std::fs::write(docker.join("config.json"), logins.to_string()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_of_another_repository_of_the_registry_is_mounted() {
    let base = InEcr::new().await;
    let docker = tempfile::tempdir().unwrap();
    base.keep(docker.path(), &base.reader.password);
    let mut update = base.command(&["base", "update"], docker.path());
    assert_eq!(
        json_of(&succeed(&mut update))["digest"],
        base.image.digest()
    );
    base.project.commit();
    base.proxy.registry_requests();

    // Whoever publishes to ECR reads it as themselves, also what was read before.
    let own = tempfile::tempdir().unwrap();
    let kept = base.project.path().join("target/longshore/base");
    std::fs::remove_dir_all(kept).unwrap();
    let receipt = json_of(&succeed(&mut base.with_keys(&["publish"], own.path())));
    assert_eq!(receipt["layers"][0]["digest"], base.image.layer());
    assert_eq!(receipt["layers"][0]["origin"], "reused");
    let requests = base.proxy.registry_requests();
    let read = format!("GET /v2/team/base/blobs/{}", base.image.layer());
    assert!(!requests.contains(&read), "{requests:?}");
    assert!(base.reader.complete_image("latest").await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_credentials_of_aws_builds_on_a_base_in_ecr_without_a_login() {
    let base = InEcr::new().await;
    let docker = tempfile::tempdir().unwrap();
    let problem = |command: &mut Command| json_of(&command.output().unwrap());
    let nobody = problem(&mut base.command(&["base", "update"], docker.path()));
    assert_eq!(nobody["code"], "E019", "{nobody:#}");
    assert!(nobody.to_string().contains("docker login"), "{nobody:#}");

    let mut stranger = base.with_keys(&["base", "update"], docker.path());
    stranger.env("AWS_SECRET_ACCESS_KEY", "correct-horse-battery-staple");
    let stranger = problem(&mut stranger);
    assert_eq!(stranger["code"], "E024", "{stranger:#}");
    let said = stranger.to_string();
    assert!(said.contains("longshore.lock is as it was"), "{said}");
    assert!(!said.contains("horse"), "{said}");

    let mut update = base.with_keys(&["base", "update"], docker.path());
    assert_eq!(
        json_of(&succeed(&mut update))["digest"],
        base.image.digest()
    );
    base.project.commit();
    succeed(&mut base.with_keys(&["build"], docker.path()));
    // What is kept here by then needs nobody.
    let requests = base.proxy.registry_requests();
    let mut build = base.with_keys(&["build"], docker.path());
    succeed(build.env("AWS_SECRET_ACCESS_KEY", "correct-horse-battery-staple"));
    let requests = (requests.len(), base.proxy.registry_requests());
    assert!(requests.0 > 0 && requests.1.is_empty(), "{requests:?}");

    // A login that is kept comes first, also one that is of no use.
    base.keep(docker.path(), "expired");
    let refused = problem(&mut base.with_keys(&["base", "update"], docker.path()));
    assert_eq!(refused["code"], "E019", "{refused:#}");
}
