//! A Dockerfile for two platforms: what copies and runs nothing needs no emulation.

use std::process::Command;

use serde_json::Value;

use super::buildkit::{Buildx, Engine};
use super::{BUILDAH, BUILDKIT, Builder, CLASSIC, PODMAN, fresh, project};
use crate::elsewhere::Registry;
use crate::harness::{Emulator, Project, REPOSITORY, has, json_of, longshore, succeed};
use crate::proxy::Proxy;

const COPIED: &str = "FROM scratch\nARG TARGETARCH\nLABEL arch=$TARGETARCH\nCOPY web /web\n\
    ENTRYPOINT [\"/none\"]\n";

fn two_platforms() -> Project {
    let project = project(COPIED);
    let list = "[image]\nplatforms = [\"linux/arm64\", \"linux/amd64\"]";
    project.edit("longshore.toml", "[image]", list);
    project.commit();
    project
}

#[test]
fn every_builder_gives_the_same_index_for_two_platforms() {
    let builders = [BUILDAH, PODMAN, CLASSIC, BUILDKIT];
    if !builders.iter().all(Builder::is_here) {
        return;
    }
    let project = two_platforms();
    let built = builders.map(|builder| {
        let fresh = fresh(&project);
        json_of(&succeed(&mut builder.build(fresh.path())))
    });
    for other in &built[1..] {
        assert_eq!(other["digest"], built[0]["digest"]);
    }
    let platforms = built[0]["platforms"].as_array().unwrap().iter();
    let platforms: Vec<_> = platforms.map(|one| &one["platform"]).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);

    let Some((buildx, engine)) = Buildx::new().zip(Engine::start()) else {
        return;
    };
    let buildx = buildx.variables(Some(&engine));
    for builder in ["buildx", "docker"] {
        let fresh = fresh(&project);
        let mut build = longshore(fresh.path());
        build
            .args(["build", "--format", "json"])
            .envs(buildx.clone());
        let newer = json_of(&succeed(build.env("LONGSHORE_BUILDER", builder)));
        assert_eq!(newer["digest"], built[0]["digest"], "{builder}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_a_dockerfile_is_published_and_is_there_the_second_time() {
    if !BUILDAH.is_here() {
        return;
    }
    let project = two_platforms();
    let emulator = Emulator::start(project.path());
    let proxy = Proxy::start(&emulator).await;
    let job = proxy.publisher(&emulator).await;
    let publish = || {
        let mut command = BUILDAH.longshore(project.path());
        command.args(["publish", "--format", "json"]);
        json_of(&succeed(command.envs(job.iter().cloned())))
    };
    let first = publish();
    proxy.registry_requests();
    let second = publish();
    assert_eq!(second["unchanged"], true, "{second:#}");
    assert_eq!(second["digest"], first["digest"]);
    assert_eq!(proxy.registry_requests().len(), 2);
    let path = format!("{REPOSITORY}/manifests/latest");
    let (_, bytes) = emulator.registry_reader().await.get(&path).await;
    let index: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(index["manifests"].as_array().unwrap().len(), 2, "{index:#}");
}

#[test]
fn other_tools_read_the_index_of_a_dockerfile() {
    if !BUILDAH.is_here() || !has("docker-registry") || !has("skopeo") {
        return;
    }
    let project = two_platforms();
    let registry = Registry::start();
    let image = format!("{}/team/web", registry.host);
    let mut publish = BUILDAH.longshore(project.path());
    succeed(publish.args(["publish", "--to", &image]));
    for architecture in ["amd64", "arm64"] {
        let mut inspect = Command::new("skopeo");
        inspect.args([
            "inspect",
            "--tls-verify=false",
            "--override-arch",
            architecture,
        ]);
        let seen = json_of(&succeed(inspect.arg(format!("docker://{image}:latest"))));
        assert_eq!(seen["Architecture"], architecture);
        assert_eq!(seen["Labels"]["arch"], architecture);
    }
}
