//! Container tools push to the registry and pull from it, in both of its
//! behaviours: Docker Engine with and without BuildKit, podman, buildah, skopeo.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::aws_cli::aws;
use super::containers::has_docker_engine;
use crate::harness::{Emulator, Project, both, has, in_ci, json_of, succeed};

/// ECR, and the plain specification.
const BEHAVIOURS: [&[&str]; 2] = [&["--empty"], &["--empty", "--spec-registry"]];
/// Bytes of the large layer: several chunks of every client.
const LARGE: usize = 48 * 1024 * 1024;

/// An emulator with the repositories `app` and `copy`, a folder to work in, and
/// a login.
struct Workshop {
    emulator: Emulator,
    home: TempDir,
    credentials: String,
    _project: Project,
}

impl Workshop {
    fn open(arguments: &[&str]) -> Self {
        let project = Project::hello();
        let emulator = Emulator::start_with(project.path(), arguments);
        for repository in ["app", "copy"] {
            let create = ["ecr", "create-repository", "--repository-name", repository];
            succeed(aws(&emulator).args(create));
        }
        let password = succeed(aws(&emulator).args(["ecr", "get-login-password"])).stdout;
        let password = String::from_utf8(password).unwrap();
        let home = tempfile::tempdir().unwrap();
        context(&home.path().join("context"));
        Self {
            credentials: format!("AWS:{}", password.trim()),
            emulator,
            home,
            _project: project,
        }
    }

    /// `HOST:PORT/NAME` of an image.
    fn image(&self, name: &str) -> String {
        format!("{}/{name}", self.emulator.registry())
    }

    fn transport(&self, name: &str) -> String {
        format!("docker://{}", self.image(name))
    }

    /// podman or buildah with a storage of its own.
    fn tool(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for (option, folder) in [("--root", "storage"), ("--runroot", "run")] {
            command.arg(option).arg(self.home.path().join(folder));
        }
        command.args(["--storage-driver", "vfs"]);
        command
    }

    /// Runs podman or buildah on an image of the registry.
    fn transfer(&self, program: &str, verb: &[&str], arguments: &[&str]) {
        let mut command = self.tool(program);
        command.args(verb);
        command.args(["--tls-verify=false", "--creds", &self.credentials]);
        succeed(command.args(arguments));
    }

    /// What skopeo says about an image.
    fn inspect(&self, name: &str) -> Value {
        let mut skopeo = Command::new("skopeo");
        skopeo.args([
            "inspect",
            "--tls-verify=false",
            "--creds",
            &self.credentials,
        ]);
        json_of(&succeed(skopeo.arg(self.transport(name))))
    }
}

/// What an image is built from: a small layer, and a large one of noise.
fn context(folder: &Path) {
    std::fs::create_dir(folder).unwrap();
    let dockerfile = "FROM scratch\nCOPY small /small\nCOPY large /large\n";
    std::fs::write(folder.join("Dockerfile"), dockerfile).unwrap();
    std::fs::write(folder.join("small"), "small").unwrap();
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
    .take(LARGE / 8)
    .flatten()
    .collect();
    std::fs::write(folder.join("large"), noise).unwrap();
}

#[test]
fn buildah_and_podman_push_what_each_other_and_skopeo_pull() {
    if !["podman", "buildah", "skopeo", "aws"].into_iter().all(has) {
        return;
    }
    for arguments in BEHAVIOURS {
        let workshop = Workshop::open(arguments);
        let mut build = workshop.tool("buildah");
        build.args(["bud", "--layers", "--isolation", "chroot", "--tag", "built"]);
        succeed(build.arg(workshop.home.path().join("context")));
        for (program, tag, more) in [
            ("buildah", "app:oci", ["--format", "oci"]),
            ("buildah", "app:docker", ["--format", "docker"]),
            ("podman", "app:zstd", ["--compression-format", "zstd"]),
        ] {
            let target = workshop.transport(tag);
            let arguments = [more.as_slice(), &["built", &target]].concat();
            workshop.transfer(program, &["push"], &arguments);
        }
        let pulled = ["app:oci", "app:docker", "app:zstd"];
        for (program, tag) in ["podman", "buildah", "podman"].into_iter().zip(pulled) {
            succeed(workshop.tool(program).args(["rmi", "--all", "--force"]));
            workshop.transfer(program, &["pull"], &[&workshop.transport(tag)]);
        }
        let login = &workshop.credentials;
        let mut copy = Command::new("skopeo");
        copy.args(["copy", "--src-tls-verify=false", "--dest-tls-verify=false"]);
        copy.args(["--src-creds", login, "--dest-creds", login]);
        copy.args([
            workshop.transport("app:oci"),
            workshop.transport("copy:copied"),
        ]);
        succeed(&mut copy);
        let (from, to) = (workshop.inspect("app:oci"), workshop.inspect("copy:copied"));
        assert_eq!(from["Digest"], to["Digest"]);
        assert_eq!(from["Layers"].as_array().unwrap().len(), 2);
        let tags = from["RepoTags"].as_array().unwrap();
        assert_eq!(tags, &["docker", "oci", "zstd"]);

        let mut delete = Command::new("skopeo");
        delete.args(["delete", "--tls-verify=false", "--creds", login]);
        succeed(delete.arg(workshop.transport("copy:copied")));
        let images = aws(&workshop.emulator)
            .args(["ecr", "list-images", "--repository-name", "copy"])
            .output()
            .unwrap();
        assert_eq!(json_of(&images)["imageIds"], serde_json::json!([]));
    }
}

#[test]
fn podman_pushes_a_list_of_images() {
    if !["podman", "buildah", "skopeo", "aws"].into_iter().all(has) {
        return;
    }
    for arguments in BEHAVIOURS {
        let workshop = Workshop::open(arguments);
        let folder = workshop.home.path().join("context");
        for architecture in ["amd64", "arm64"] {
            let mut build = workshop.tool("buildah");
            build.args(["bud", "--isolation", "chroot", "--manifest", "list"]);
            succeed(build.args(["--arch", architecture]).arg(&folder));
        }
        let target = workshop.transport("app:list");
        let push = ["manifest", "push"];
        workshop.transfer("podman", &push, &["--all", "list", &target]);
        let mut raw = Command::new("skopeo");
        raw.args([
            "inspect",
            "--raw",
            "--tls-verify=false",
            "--creds",
            &workshop.credentials,
        ]);
        let index = json_of(&succeed(raw.arg(&target)));
        assert_eq!(index["manifests"].as_array().unwrap().len(), 2, "{index}");
    }
}

/// Docker Engine's client with the workshop's login.
fn docker(workshop: &Workshop, program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .arg("--config")
        .arg(workshop.home.path().join("docker"));
    command
}

/// A client that builds with BuildKit: newer ones need a plugin for it, and
/// Debian's does not.
fn buildkit_client() -> Option<&'static str> {
    let knows = |program: &&str| {
        let mut help = Command::new(program);
        help.env("DOCKER_BUILDKIT", "1").args(["build", "--help"]);
        let help = help.output();
        help.is_ok_and(|help| {
            help.status.success() && String::from_utf8_lossy(&help.stdout).contains("--secret")
        })
    };
    let found = ["docker", "/usr/bin/docker"].into_iter().find(knows);
    assert!(found.is_some() || !in_ci(), ".ci/run must install a client");
    if found.is_none() {
        println!("skipped: no Docker client knows BuildKit");
    }
    found
}

/// Pushes an image and pulls it, under its own name and under one of another
/// repository, into which its layers may be mounted.
fn push_and_pull(workshop: &Workshop, program: &str, tag: &str) {
    let (image, moved) = (workshop.image(tag), workshop.image("copy:moved"));
    succeed(docker(workshop, program).args(["tag", &image, &moved]));
    for reference in [&image, &moved] {
        succeed(docker(workshop, program).args(["push", "--quiet", reference]));
        succeed(docker(workshop, program).args(["rmi", "--force", reference]));
        succeed(docker(workshop, program).args(["pull", "--quiet", reference]));
        succeed(docker(workshop, program).args(["rmi", "--force", reference]));
    }
}

#[test]
fn docker_engine_pushes_and_pulls_with_both_of_its_builders() {
    if !has_docker_engine() || !has("aws") {
        return;
    }
    for arguments in BEHAVIOURS {
        let workshop = Workshop::open(arguments);
        let password = workshop.credentials.trim_start_matches("AWS:");
        let login = ["login", "--username", "AWS", "--password", password];
        let registry = workshop.emulator.registry();
        succeed(docker(&workshop, "docker").args(login).arg(registry));
        let folder = workshop.home.path().join("context");
        let build = |program: &str, buildkit: &str, arguments: &[&str]| {
            let mut build = docker(&workshop, program);
            build.env("DOCKER_BUILDKIT", buildkit).arg("build");
            both(&succeed(build.args(arguments).arg(&folder)))
        };
        let classic = workshop.image("app:classic");
        build("docker", "0", &["--quiet", "--tag", &classic]);
        push_and_pull(&workshop, "docker", "app:classic");
        let Some(client) = buildkit_client() else {
            continue;
        };
        let image = workshop.image("app:buildkit");
        let inline = ["--build-arg", "BUILDKIT_INLINE_CACHE=1", "--tag", &image];
        build(client, "1", &inline);
        push_and_pull(&workshop, client, "app:buildkit");
        let seen = build(client, "1", &["--cache-from", &image]);
        assert!(seen.contains("importing cache manifest"), "{seen}");
    }
}
