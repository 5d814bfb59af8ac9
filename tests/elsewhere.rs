//! Publishing to a registry that is not ECR, with a login that Docker keeps.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use insta::assert_snapshot;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bad_input::serve;
use crate::harness::{
    Emulator, Project, REPOSITORY, assert_valid, both, has, json_of, longshore, seen, snapshots,
    succeed,
};

/// A registry that behaves as the specification says, somebody who may push there,
/// and a directory for what Docker keeps.
struct Elsewhere {
    emulator: Emulator,
    password: String,
    docker: TempDir,
    project: Project,
    digest: String,
}

impl Elsewhere {
    async fn new() -> Self {
        let (project, digest) = Project::built();
        let emulator = Emulator::start_with(project.path(), &["--spec-registry"]);
        let password = emulator.registry_reader().await.password;
        // Nothing of AWS may be needed.
        let file = project.path().join("longshore.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let aws = "[aws]\nterraform = \"infra/production\"\naccount = \"123456789012\"\n";
        assert!(text.contains(aws), "{text}");
        std::fs::write(file, text.replace(aws, "")).unwrap();
        Self {
            emulator,
            password,
            docker: tempfile::tempdir().unwrap(),
            project,
            digest,
        }
    }

    fn address(&self) -> String {
        format!("{}/{REPOSITORY}", self.emulator.registry())
    }

    /// Docker's `config.json`.
    fn keep(&self, configuration: &Value) {
        let file = self.docker.path().join("config.json");
        std::fs::write(file, configuration.to_string()).unwrap();
    }

    /// What `docker login` keeps.
    fn log_in(&self, password: &str) {
        let auth = STANDARD.encode(format!("AWS:{password}"));
        self.keep(&json!({"auths": {self.emulator.registry(): {"auth": auth}}}));
    }

    fn publish(&self) -> Command {
        let mut command = self.project.publish(&self.digest, &[]);
        command.args(["--to", &self.address()]);
        command.env("DOCKER_CONFIG", self.docker.path());
        command
    }

    /// What the user sees, without what changes from run to run.
    fn seen(&self, command: &mut Command) -> String {
        let text = seen(&command.output().unwrap());
        assert!(!text.contains(&self.password), "{text}");
        let docker = self.docker.path().display().to_string();
        text.replace(&docker, "DOCKER")
            .replace(self.emulator.registry(), "REGISTRY")
            .replace(&self.digest, "sha256:DIGEST")
    }
}

fn settings() -> insta::Settings {
    let mut settings = snapshots();
    settings.add_filter(r"sha256:[0-9a-f]{64}", "sha256:HEX");
    settings.add_filter(r"\b[0-9a-f]{40}\b", "COMMIT");
    settings.add_filter(r"[\d.]+ [kM]?B\b", "SIZE");
    settings.add_filter(r"\b\d+ bytes", "SIZE");
    // Both tags are asked about at the same time.
    settings.add_filter(r"manifests/(COMMIT|latest)", "manifests/TAG");
    settings.add_filter(r"in [\d.]+ m?s\b", "in TIME");
    settings
}

#[tokio::test]
async fn who_is_logged_in_publishes_with_tags_and_attestations_and_without_aws() {
    let elsewhere = Elsewhere::new().await;
    elsewhere.log_in(&elsewhere.password);
    let first = json_of(&succeed(elsewhere.publish().args(["--format", "json"])));
    assert_valid("docs/schemas/publish-receipt.json", &first);
    let reference = format!("{}@{}", elsewhere.address(), elsewhere.digest);
    assert_eq!(first["reference"], reference);
    assert_eq!(first["identity"]["principal"], "AWS");
    assert_eq!(first["identity"]["account"], Value::Null);
    assert_eq!(first["tags"][1]["tag"], "latest");
    let said = first["attestations"].as_array().unwrap();
    assert_eq!(said.len(), 4, "{first:#}");

    let second = json_of(&succeed(elsewhere.publish().args(["--format", "json"])));
    assert_eq!(second["unchanged"], true, "{second:#}");
    assert_eq!(second["sent_bytes"], 0);
    let registry = elsewhere.emulator.registry_reader().await;
    assert!(registry.complete_image("latest").await.is_some());
}

#[tokio::test]
async fn people_read_where_it_goes_and_as_whom() {
    let elsewhere = Elsewhere::new().await;
    elsewhere.log_in(&elsewhere.password);
    let plan = elsewhere.seen(elsewhere.publish().arg("--dry-run"));
    let receipt = elsewhere.seen(&mut elsewhere.publish());
    settings().bind(|| assert_snapshot!("elsewhere_published", format!("{plan}\n{receipt}")));
}

#[tokio::test]
async fn a_wrong_password_is_denied_before_a_byte_is_sent_and_never_shown() {
    let elsewhere = Elsewhere::new().await;
    elsewhere.log_in("hunter2");
    let refused = elsewhere.seen(&mut elsewhere.publish());
    elsewhere.keep(&json!({}));
    let nobody = elsewhere.seen(&mut elsewhere.publish());
    assert!(!refused.contains("hunter2"), "{refused}");
    settings().bind(|| assert_snapshot!("elsewhere_denied", format!("{refused}\n{nobody}")));
    let registry = elsewhere.emulator.registry_reader().await;
    assert!(registry.complete_image("latest").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_server_in_the_place_of_a_registry() {
    let (project, digest) = Project::built();
    let page = || async { axum::response::Html("<!doctype html><title>Portal</title>") };
    let portal = serve(axum::Router::new().fallback(page)).await;
    let mut publish = project.publish(&digest, &[]);
    let address = portal.replace("http://", "") + "/team/app";
    publish.args(["--format", "json", "--to", &address]);
    let output = publish.output().unwrap();
    assert_eq!(output.status.code(), Some(6), "{}", both(&output));
    let problem = json_of(&output);
    assert_eq!(problem["code"], "E034", "{problem:#}");
    let (causes, hints) = (problem["causes"].to_string(), problem["hints"].to_string());
    assert!(causes.contains("`text/html`"), "{causes}");
    assert!(hints.contains("a portal"), "{hints}");
}

#[tokio::test]
async fn a_credential_helper_is_asked_for_the_login() {
    let elsewhere = Elsewhere::new().await;
    let registry = elsewhere.emulator.registry();
    let helper = elsewhere.docker.path().join("docker-credential-example");
    let answer = json!({"ServerURL": registry, "Username": "AWS", "Secret": elsewhere.password});
    let says = |script: &str| {
        std::fs::write(&helper, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", elsewhere.docker.path().display());
    says(&format!(
        "[ $1 = get ] && [ $(cat) = {registry} ] && echo '{answer}'"
    ));
    for kept in [
        json!({"credHelpers": {registry: "example"}, "credsStore": "missing"}),
        json!({"credsStore": "example", "auths": {registry: {}}}),
    ] {
        elsewhere.keep(&kept);
        let mut publish = elsewhere.publish();
        publish.env("PATH", &path).args(["--format", "json"]);
        let receipt = json_of(&succeed(&mut publish));
        assert_eq!(receipt["identity"]["principal"], "AWS");
        assert_eq!(receipt["identity"]["source"], "docker-credential-example");
    }

    says("echo 'the key ring is locked'; exit 1");
    let failed = elsewhere.seen(elsewhere.publish().env("PATH", &path));
    settings().bind(|| assert_snapshot!("elsewhere_helper", failed));
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_and_a_password_in_it_not_shown() {
    let project = Project::hello();
    for (address, reason) in [
        ("team/app", "HOST[:PORT]/REPOSITORY"),
        ("localhost:5000/app:latest", "tags come from"),
        ("http://localhost/app", "leave `http://` out"),
        ("ada:hunter2@r.example/app", "docker login HOST"),
        ("https://ada:hunter2@r.example/app", "docker login HOST"),
    ] {
        let mut command = longshore(project.path());
        let output = command.args(["publish", "--to", address]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", both(&output));
        let said = both(&output);
        assert!(said.contains(reason) && said.contains("--to"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn an_address_where_nobody_listens_is_told_with_what_to_look_at() {
    let (project, digest) = Project::built();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    drop(listener);
    let mut publish = project.publish(&digest, &[]);
    let output = publish.args(["--to", &format!("{host}/app")]).output();
    let shown = seen(&output.unwrap()).replace(&host, "REGISTRY");
    settings().bind(|| assert_snapshot!(shown.replace(&digest, "sha256:DIGEST")));
}

#[tokio::test]
async fn a_login_that_podman_keeps_is_found_where_docker_keeps_none() {
    let elsewhere = Elsewhere::new().await;
    elsewhere.log_in(&elsewhere.password);
    let kept = elsewhere.docker.path();
    let containers = kept.join("containers");
    std::fs::create_dir_all(kept.join(".config/containers")).unwrap();
    std::fs::create_dir(&containers).unwrap();
    let file = kept.join("auth.json");
    std::fs::rename(kept.join("config.json"), &file).unwrap();
    let found = |variable: &str, value: &Path| {
        let mut publish = elsewhere.publish();
        publish.env_remove("DOCKER_CONFIG").env("HOME", kept);
        publish.env_remove("XDG_RUNTIME_DIR").env(variable, value);
        json_of(&succeed(publish.args(["--format", "json"])))
    };
    let receipt = found("REGISTRY_AUTH_FILE", &file);
    assert_eq!(receipt["identity"]["principal"], "AWS", "{receipt:#}");
    std::fs::copy(&file, containers.join("auth.json")).unwrap();
    let receipt = found("XDG_RUNTIME_DIR", kept);
    assert_eq!(receipt["identity"]["principal"], "AWS", "{receipt:#}");
    std::fs::rename(&file, kept.join(".config/containers/auth.json")).unwrap();
    let receipt = found("HOME", kept);
    assert_eq!(receipt["identity"]["principal"], "AWS", "{receipt:#}");
}

/// Debian's `docker-registry`, which lets everybody in.
pub(crate) struct Registry {
    child: Child,
    pub(crate) host: String,
    data: TempDir,
}

impl Registry {
    pub(crate) fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("config.yml");
        let blobs = data.path().join("blobs");
        let text = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '127.0.0.1:0'}}\n",
            blobs.display()
        );
        std::fs::write(&file, text).unwrap();
        let mut child = Command::new("docker-registry")
            .arg("serve")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let host = lines.find_map(|line| {
            let line = line.unwrap();
            let (_, after) = line.split_once("listening on ")?;
            Some(after.split('"').next().unwrap().to_owned())
        });
        // It stops where nobody reads what it says.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            host: host.unwrap(),
            data,
        }
    }

    /// Deletes a manifest, as somebody does who cleans up.
    pub(crate) fn delete(&self, repository: &str, digest: &str) {
        let revisions = format!("{repository}/_manifests/revisions/sha256/{}", &digest[7..]);
        let repositories = self
            .data
            .path()
            .join("blobs/docker/registry/v2/repositories");
        std::fs::remove_dir_all(repositories.join(revisions)).unwrap();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_source_goes_to_debians_registry_and_only_what_changed_is_sent() {
    if !has("docker-registry") {
        return;
    }
    let registry = Registry::start();
    let project = Project::hello();
    let publish = |directory: &Path| {
        let mut command = longshore(directory);
        let address = format!("{}/team/hello", registry.host);
        command.args(["publish", "--format", "json", "--to", &address]);
        command.env("DOCKER_CONFIG", directory.join("missing"));
        json_of(&succeed(&mut command))
    };
    let first = publish(project.path());
    assert_eq!(first["identity"]["principal"], "anonymous");
    let said = first["attestations"].as_array().unwrap();
    assert_eq!(said.len(), 4, "{first:#}");
    assert_eq!(publish(project.path())["unchanged"], true);

    project.edit("src/main.rs", "\\r\\n\\r\\nok", "\\r\\n\\r\\nOK");
    project.commit();
    let changed = publish(project.path());
    let layers = changed["layers"].as_array().unwrap();
    let origins: Vec<_> = layers.iter().map(|layer| &layer["origin"]).collect();
    assert_eq!(origins, ["reused", "new"]);
    let build = |arguments: &[&str]| {
        let mut command = longshore(project.path());
        let address = format!("{}/team/hello", registry.host);
        command
            .arg("build")
            .args(arguments)
            .args(["--to", &address]);
        command.env("DOCKER_CONFIG", project.path().join("missing"));
        command
    };
    let digest = changed["digest"].as_str().unwrap();
    let reproduced = both(&succeed(&mut build(&["--verify", digest])));
    assert!(reproduced.contains("reproduced"), "{reproduced}");
    project.edit("src/main.rs", "\\r\\n\\r\\nOK", "\\r\\n\\r\\nok");
    let why = both(&succeed(&mut build(&["--why"])));
    assert!(why.contains("file:src/main.rs"), "{why}");
    let alone = build(&[]).output().unwrap();
    assert_eq!(alone.status.code(), Some(2), "{}", both(&alone));
    if has("skopeo") {
        let mut inspect = Command::new("skopeo");
        inspect.args(["inspect", "--tls-verify=false"]);
        let image = format!("docker://{}/team/hello:latest", registry.host);
        let found = json_of(&succeed(inspect.arg(image)));
        assert_eq!(found["Digest"], changed["digest"]);
    }
}
