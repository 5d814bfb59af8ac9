//! An index in a registry that is not ECR, as other tools see it.

use std::process::Command;

use serde_json::{Value, json};

use super::{Platforms, names};
use crate::clients::cosign::{cosign, has_cosign};
use crate::clients::has_docker_engine;
use crate::clients::images::Storage;
use crate::elsewhere::Registry;
use crate::harness::{has, json_of, succeed};

#[test]
fn other_tools_read_the_index_and_engines_get_the_image_of_this_machine() {
    if !has("docker-registry") || !has("skopeo") {
        return;
    }
    let platforms = Platforms::new();
    let registry = Registry::start();
    let image = format!("{}/team/hello", registry.host);
    let receipt = json_of(&succeed(&mut platforms.publish_to(&image)));
    let skopeo = |arguments: &[&str]| {
        let mut command = Command::new("skopeo");
        succeed(command.args(arguments)).stdout
    };
    let source = format!("docker://{image}:latest");
    let raw = skopeo(&["inspect", "--tls-verify=false", "--raw", &source]);
    assert_eq!(oci::Digest::of(&raw).to_string(), receipt["digest"]);
    for architecture in ["amd64", "arm64"] {
        let options = [
            "inspect",
            "--tls-verify=false",
            "--override-arch",
            architecture,
        ];
        let seen = skopeo(&[&options[..], &[&source]].concat());
        let seen: Value = serde_json::from_slice(&seen).unwrap();
        assert_eq!(seen["Architecture"], architecture);
    }
    let plain = ["--src-tls-verify=false", "--dest-tls-verify=false"];
    let copy = format!("docker://{}/team/copy:latest", registry.host);
    skopeo(&[&["copy", "--quiet", "--all"], &plain[..], &[&source, &copy]].concat());
    let copied = skopeo(&["inspect", "--tls-verify=false", "--raw", &copy]);
    assert_eq!(copied, raw);

    let archive = platforms.path().join("target/archive");
    let mut build = platforms.build();
    build
        .arg("--archive")
        .arg(format!("docker:{}.docker", archive.display()));
    build
        .arg("--archive")
        .arg(format!("oci:{}.oci", archive.display()));
    succeed(&mut build);
    let inspect = format!("docker-archive:{}.docker", archive.display());
    let seen: Value = serde_json::from_slice(&skopeo(&["inspect", &inspect])).unwrap();
    let host = if cfg!(target_arch = "x86_64") {
        "amd64"
    } else {
        "arm64"
    };
    assert_eq!(seen["Architecture"], host);
    let inspect = format!("oci-archive:{}.oci", archive.display());
    let raw = skopeo(&["inspect", "--raw", &inspect]);
    assert_eq!(oci::Digest::of(&raw).to_string(), receipt["digest"]);
}

#[test]
fn cosign_verifies_the_index_and_each_image_in_it() {
    if !has("docker-registry") || !has_cosign() {
        return;
    }
    let platforms = Platforms::new();
    let home = platforms.path();
    succeed(&mut cosign(home, &["generate-key-pair"]));
    let key = "[publish]\nsigning-key = \"cosign.key\"\n\n[aws]";
    platforms.project.edit("longshore.toml", "[aws]", key);
    platforms.project.commit();
    let registry = Registry::start();
    let image = format!("{}/team/hello", registry.host);
    let mut publish = platforms.publish_to(&image);
    let receipt = json_of(&succeed(publish.env("COSIGN_PASSWORD", "harbour")));
    let images = names(&receipt["platforms"], "digest");
    let by_digest = images.into_iter().chain(receipt["digest"].as_str());
    let references = by_digest.map(|digest| format!("{image}@{digest}"));
    for reference in references.chain([format!("{image}:latest")]) {
        let attestation = ["verify-attestation", "--type", "slsaprovenance1"];
        for kind in [["verify"].as_slice(), &attestation] {
            let mut verify = cosign(home, kind);
            verify.args([
                "--insecure-ignore-tlog=true",
                "--key",
                "cosign.pub",
                &reference,
            ]);
            succeed(&mut verify);
        }
    }
}

#[test]
fn an_image_that_somebody_deleted_from_under_the_index_is_sent_again() {
    if !has("docker-registry") || !has("skopeo") {
        return;
    }
    let platforms = Platforms::new();
    let registry = Registry::start();
    let image = format!("{}/team/hello", registry.host);
    let publish = || json_of(&succeed(&mut platforms.publish_to(&image)));
    let first = publish();
    assert_eq!(publish()["unchanged"], true);
    let lost = first["platforms"][0]["digest"].as_str().unwrap();
    registry.delete("team/hello", lost);
    assert_eq!(publish()["digest"], first["digest"]);
    let source = format!("docker://{image}@{lost}");
    let mut inspect = Command::new("skopeo");
    succeed(inspect.args(["inspect", "--tls-verify=false", "--raw", &source]));
    assert_eq!(publish()["unchanged"], true);
}

#[test]
#[cfg(target_arch = "x86_64")]
fn docker_pulls_the_image_of_its_platform_and_another_where_it_is_asked_to() {
    if !has("docker-registry") || !has_docker_engine() {
        return;
    }
    let platforms = Platforms::new();
    let old = "[image]\nruntimes = [\"docker-20.10\"]";
    platforms.project.edit("longshore.toml", "[image]", old);
    platforms.project.commit();
    let registry = Registry::start();
    let image = format!("{}/team/hello", registry.host);
    let receipt = json_of(&succeed(&mut platforms.publish_to(&image)));
    let reference = format!("{image}@{}", receipt["digest"].as_str().unwrap());
    let docker = |arguments: &[&str]| {
        let output = succeed(Command::new("docker").args(arguments));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    docker(&["pull", "--quiet", &reference]);
    let form = ["image", "inspect", "--format"];
    let inspect = |what: &str| docker(&[&form[..], &[what, &reference]].concat());
    assert_eq!(inspect("{{.Architecture}}"), "amd64");
    assert_eq!(
        inspect("{{json .Config.Entrypoint}}"),
        json!(["/usr/bin/hello"]).to_string()
    );
    // This old engine has one image by each digest.
    let arm64 = receipt["platforms"][1]["digest"].as_str().unwrap();
    let arm64 = format!("{image}@{arm64}");
    docker(&["pull", "--quiet", "--platform", "linux/arm64", &arm64]);
    docker(&["image", "rm", "--force", &reference, &arm64]);
}

#[test]
#[cfg(target_arch = "x86_64")]
fn podman_runs_the_image_of_its_platform_and_pulls_another_where_it_is_asked_to() {
    if !has("docker-registry") || !has("podman") {
        return;
    }
    let platforms = Platforms::new();
    let program = "fn main() {\n    println!(\"hello from {}\", std::env::consts::ARCH);\n}\n";
    std::fs::write(platforms.path().join("src/main.rs"), program).unwrap();
    platforms.project.commit();
    let registry = Registry::start();
    let image = format!("{}/team/hello", registry.host);
    let receipt = json_of(&succeed(&mut platforms.publish_to(&image)));
    let reference = format!("{image}@{}", receipt["digest"].as_str().unwrap());
    for (options, architecture) in [(&[][..], "amd64"), (&["--arch=arm64"], "arm64")] {
        let storage = Storage::new();
        let mut pull = storage.command("podman");
        pull.args(["pull", "--quiet", "--tls-verify=false"]);
        succeed(pull.args(options).arg(&reference));
        let mut inspect = storage.command("podman");
        inspect.args(["image", "inspect", "--format={{.Architecture}}", &reference]);
        let inspected = String::from_utf8(succeed(&mut inspect).stdout).unwrap();
        assert_eq!(inspected.trim(), architecture);
        if architecture == "amd64" {
            let ran = succeed(storage.podman_run().args(["--pull=never", &reference]));
            assert_eq!(String::from_utf8_lossy(&ran.stdout), "hello from x86_64\n");
        }
    }
}
