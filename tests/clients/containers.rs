//! Docker Engine and skopeo pull what Longshore pushed, and the backend runs.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::aws_cli::aws;
use crate::harness::{Emulator, REPOSITORY, has, in_ci, json_of, longshore, repository, succeed};

/// This repository's own backend, built once, as a layout.
struct Backend {
    directory: TempDir,
    digest: String,
}

fn backend() -> &'static Backend {
    static BUILT: OnceLock<Backend> = OnceLock::new();
    BUILT.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let mut build = longshore(&repository());
        build.args(["build", "--allow-dirty", "--format", "json", "--layout"]);
        let built = json_of(&succeed(build.arg(directory.path().join("layout"))));
        Backend {
            directory,
            digest: built["digest"].as_str().unwrap().to_owned(),
        }
    })
}

/// An emulator whose registry holds the backend, and the commit's tag.
async fn published() -> (Emulator, String) {
    let backend = backend();
    let emulator = Emulator::start(&repository());
    let mut publish = longshore(&repository());
    publish
        .args([
            "publish",
            "--digest",
            &backend.digest,
            "--format",
            "json",
            "--layout",
        ])
        .arg(backend.directory.path().join("layout"))
        .envs(emulator.publisher().await);
    let receipt = json_of(&succeed(&mut publish));
    (
        emulator,
        receipt["tags"][0]["tag"].as_str().unwrap().to_owned(),
    )
}

/// A file of registry credentials, as `docker login` writes it.
fn logged_in(emulator: &Emulator, directory: &Path) {
    let login = json_of(&succeed(
        aws(emulator).args(["ecr", "get-authorization-token"]),
    ));
    let token = &login["authorizationData"][0]["authorizationToken"];
    let config = serde_json::json!({ "auths": { emulator.registry(): { "auth": token } } });
    std::fs::write(directory.join("config.json"), config.to_string()).unwrap();
}

#[tokio::test]
async fn skopeo_copies_the_image_by_tag_and_by_digest_and_finds_what_it_says() {
    if !has("skopeo") || !has("aws") {
        return;
    }
    let (emulator, commit) = published().await;
    let home = tempfile::tempdir().unwrap();
    logged_in(&emulator, home.path());
    let digest = &backend().digest;
    for reference in [
        format!(":{commit}"),
        ":latest".to_owned(),
        format!("@{digest}"),
    ] {
        let image = format!("docker://{}/{REPOSITORY}{reference}", emulator.registry());
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["copy", "--src-tls-verify=false", "--authfile"]);
        skopeo.arg(home.path().join("config.json")).arg(&image);
        succeed(skopeo.arg(format!("dir:{}/copy", home.path().display())));
        let mut inspect = Command::new("skopeo");
        inspect.args(["inspect", "--tls-verify=false", "--authfile"]);
        let seen = json_of(&succeed(
            inspect.arg(home.path().join("config.json")).arg(&image),
        ));
        assert_eq!(seen["Digest"], **digest);
        assert!(
            seen["Labels"]["org.opencontainers.image.revision"]
                .as_str()
                .unwrap()
                .starts_with(&commit[..40])
        );
    }
}

/// Docker Engine, or a printed reason why there is none; in CI there must be one.
pub(crate) fn has_docker_engine() -> bool {
    if !has("docker") {
        return false;
    }
    let running = Command::new("docker")
        .arg("info")
        .output()
        .unwrap()
        .status
        .success();
    assert!(running || !in_ci(), ".ci/run must start Docker Engine");
    if !running {
        println!("skipped: no Docker Engine is running");
    }
    running
}

#[tokio::test]
async fn docker_pulls_by_digest_and_tag_and_the_backend_answers_as_an_unprivileged_user() {
    if !has_docker_engine() || !has("aws") {
        return;
    }
    let (emulator, commit) = published().await;
    let home = tempfile::tempdir().unwrap();
    logged_in(&emulator, home.path());
    let docker = || docker(home.path());
    let image = format!("{}/{REPOSITORY}", emulator.registry());
    let by_digest = format!("{image}@{}", backend().digest);
    for reference in [
        by_digest.clone(),
        format!("{image}:{commit}"),
        format!("{image}:latest"),
    ] {
        succeed(docker().args(["pull", "--quiet", &reference]));
    }

    let name = format!("longshore-test-{}", std::process::id());
    let _removed_at_the_end = Container(name.clone());
    let run = [
        "run",
        "--detach",
        "--read-only",
        "--cap-drop=ALL",
        "--network=host",
    ];
    let port = free_port();
    let listen = format!("PORTFOLIO_LISTEN=127.0.0.1:{port}");
    succeed(docker().args(run).args([
        "--name", &name, "--env", &listen, "--volume", "/data", &by_digest,
    ]));
    let health = answer(&format!("http://127.0.0.1:{port}/healthz"), &name).await;
    assert_eq!(health, 200);
    let user = succeed(docker().args(["inspect", "--format", "{{.Config.User}}", &name]));
    assert_eq!(
        String::from_utf8(user.stdout).unwrap().trim(),
        "65532:65532"
    );
    let version: serde_json::Value = reqwest::get(format!("http://127.0.0.1:{port}/version"))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(
        version["commit"]
            .as_str()
            .unwrap()
            .starts_with(&commit[..40]),
        "{version}"
    );
}

#[tokio::test]
async fn the_backend_is_ready_without_a_privilege_and_with_nothing_to_write_to_but_its_data() {
    if !has_docker_engine() || !has("aws") {
        return;
    }
    let (emulator, _) = published().await;
    let home = tempfile::tempdir().unwrap();
    logged_in(&emulator, home.path());
    let image = format!("{}/{REPOSITORY}@{}", emulator.registry(), backend().digest);
    succeed(docker(home.path()).args(["pull", "--quiet", &image]));
    let name = format!("longshore-test-ready-{}", std::process::id());
    let _removed_at_the_end = Container(name.clone());
    let port = free_port();
    let create = [
        "create",
        "--read-only",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "--network=host",
        "--volume=/data",
    ];
    let listen = format!("PORTFOLIO_LISTEN=127.0.0.1:{port}");
    succeed(
        docker(home.path())
            .args(create)
            .args(["--name", &name, "--env", &listen, &image]),
    );

    let (url, told) = (format!("http://127.0.0.1:{port}/readyz"), Instant::now());
    let mut start = docker(home.path());
    start.args(["start", &name]);
    let started = tokio::task::spawn_blocking(move || succeed(&mut start));
    assert_eq!(answer(&url, &name).await, 200);
    let ready = told.elapsed();
    started.await.unwrap();
    println!("ready {ready:?} after Docker Engine was told to start it");

    let pid = succeed(docker(home.path()).args(["inspect", "--format", "{{.State.Pid}}", &name]));
    let pid = String::from_utf8(pid.stdout).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.trim())).unwrap();
    for line in [
        "Uid:\t65532\t65532\t65532\t65532\n",
        "CapPrm:\t0000000000000000\n",
        "CapEff:\t0000000000000000\n",
        "CapBnd:\t0000000000000000\n",
        "NoNewPrivs:\t1\n",
    ] {
        assert!(status.contains(line), "{line} is not in {status}");
    }
}

fn docker(home: &Path) -> Command {
    let mut command = Command::new("docker");
    command.arg("--config").arg(home);
    command
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// The status of the first answer; a container that does not answer shows its log.
async fn answer(url: &str, container: &str) -> u16 {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Ok(answer) = reqwest::get(url).await {
            return answer.status().as_u16();
        }
        if Instant::now() > deadline {
            let logs = Command::new("docker")
                .args(["logs", container])
                .output()
                .unwrap();
            panic!("no answer from {url}: {}", crate::harness::both(&logs));
        }
        tokio::task::yield_now().await;
    }
}

struct Container(String);

impl Drop for Container {
    fn drop(&mut self) {
        let _ = Command::new("docker")
            .args(["rm", "--force", "--volumes", &self.0])
            .output();
    }
}
