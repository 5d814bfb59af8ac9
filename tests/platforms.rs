//! Images of several platforms: an index with one manifest for each, from programs that
//! are compiled here and programs that were compiled elsewhere.

mod elsewhere;
mod stranger;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::attestations::documents;
use crate::harness::{
    Emulator, Project, REPOSITORY, assert_valid, both, copy, json_of, longshore, succeed,
};
use crate::proxy::Proxy;
use crate::source::Cargo;

/// `write(1, "hello\n", 6); exit(0)` for Linux on 64-bit ARM.
const ARM64: &[u8] = &[
    0x20, 0x00, 0x80, 0xd2, // mov x0, 1
    0xe1, 0x00, 0x00, 0x10, // adr x1, 28
    0xc2, 0x00, 0x80, 0xd2, // mov x2, 6
    0x08, 0x08, 0x80, 0xd2, // mov x8, 64
    0x01, 0x00, 0x00, 0xd4, // svc 0
    0x00, 0x00, 0x80, 0xd2, // mov x0, 0
    0xa8, 0x0b, 0x80, 0xd2, // mov x8, 93
    0x01, 0x00, 0x00, 0xd4, // svc 0
    b'h', b'e', b'l', b'l', b'o', b'\n',
];

/// The smallest ELF program: one header, one segment, the code.
fn elf(kind: u16, machine: u16, code: &[u8]) -> Vec<u8> {
    const BASE: u64 = 0x40_0000;
    const HEADERS: u64 = 64 + 56;
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    let size = HEADERS + code.len() as u64;
    file.extend([kind, machine].map(u16::to_le_bytes).concat());
    file.extend(1u32.to_le_bytes());
    file.extend([BASE + HEADERS, 64, 0].map(u64::to_le_bytes).concat());
    file.extend(0u32.to_le_bytes());
    file.extend([64u16, 56, 1, 64, 0, 0].map(u16::to_le_bytes).concat());
    file.extend([1u32, 5].map(u32::to_le_bytes).concat());
    file.extend(
        [0, BASE, BASE, size, size, 0x1000]
            .map(u64::to_le_bytes)
            .concat(),
    );
    file.extend(code);
    file
}

const EXECUTABLE: u16 = 2;
const OBJECT: u16 = 1;
const AARCH64: u16 = 183;

/// A checkout of the smallest service for two platforms, and the program of the one
/// that is not compiled here.
pub(crate) struct Platforms {
    pub(crate) project: Project,
    arm64: PathBuf,
}

impl Platforms {
    pub(crate) fn new() -> Self {
        let project = Project::hello();
        let list = "[image]\nplatforms = [\"linux/arm64\", \"linux/amd64\"]";
        project.edit("longshore.toml", "[image]", list);
        project.commit();
        let arm64 = project.path().join("target/arm64");
        std::fs::create_dir_all(arm64.parent().unwrap()).unwrap();
        std::fs::write(&arm64, elf(EXECUTABLE, AARCH64, ARM64)).unwrap();
        Self { project, arm64 }
    }

    pub(crate) fn path(&self) -> &Path {
        self.project.path()
    }

    fn given(&self) -> [String; 2] {
        let program = format!("linux/arm64={}", self.arm64.display());
        ["--binary".to_owned(), program]
    }

    fn build(&self) -> Command {
        let mut command = longshore(self.path());
        command
            .args(["build", "--format", "json"])
            .args(self.given());
        command
    }

    /// A publish to a registry that is not ECR.
    fn publish_to(&self, image: &str) -> Command {
        let mut command = longshore(self.path());
        command
            .args(["publish", "--format", "json", "--to", image])
            .args(self.given())
            .env("DOCKER_CONFIG", self.path());
        command
    }

    pub(crate) fn publish(&self, cargo: &Cargo, job: &[(String, String)]) -> Command {
        let mut command = cargo.publish(self.path(), job);
        command.args(self.given());
        command
    }
}

fn names<'v>(list: &'v Value, field: &str) -> Vec<&'v str> {
    let list = list.as_array().unwrap().iter();
    list.map(|item| item[field].as_str().unwrap()).collect()
}

/// What a manifest of the publishers' repository says.
async fn read(emulator: &Emulator, reference: &str) -> Value {
    let path = format!("{REPOSITORY}/manifests/{reference}");
    let (status, bytes) = emulator.registry_reader().await.get(&path).await;
    assert_eq!(status, 200, "{reference}");
    serde_json::from_slice(&bytes).unwrap()
}

/// The provenance of the image for arm64 and of the index names `program`, and no other does.
async fn assert_says_what_was_compiled_elsewhere(
    emulator: &Emulator,
    receipt: &Value,
    program: &Path,
) {
    let program = oci::Digest::of(&std::fs::read(program).unwrap()).to_string();
    let registry = emulator.registry_reader().await;
    let compiled_elsewhere = async |digest: &Value| {
        let said = documents(&registry, digest.as_str().unwrap()).await;
        let predicate = &said["application/vnd.in-toto+json"][0]["predicate"];
        let resolved = &predicate["buildDefinition"]["resolvedDependencies"];
        let mut resolved = resolved.as_array().unwrap().iter();
        let found = resolved.find(|one| one["annotations"]["compiledElsewhere"] == true);
        found.map(|one| format!("sha256:{}", one["digest"]["sha256"].as_str().unwrap()))
    };
    let [amd64, arm64] = [0, 1].map(|place| &receipt["platforms"][place]["digest"]);
    assert_eq!(compiled_elsewhere(amd64).await, None);
    assert_eq!(compiled_elsewhere(arm64).await.as_ref(), Some(&program));
    assert_eq!(compiled_elsewhere(&receipt["digest"]).await, Some(program));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_becomes_an_index_whose_second_publish_takes_two_requests_and_no_cargo() {
    let platforms = Platforms::new();
    let emulator = Emulator::start(platforms.path());
    let proxy = Proxy::start(&emulator).await;
    let job = proxy.publisher(&emulator).await;
    let cargo = Cargo::new();
    let first = json_of(&succeed(&mut platforms.publish(&cargo, &job)));
    assert_valid("docs/schemas/publish-receipt.json", &first);
    assert_eq!(
        names(&first["platforms"], "platform"),
        ["linux/amd64", "linux/arm64"]
    );
    assert_eq!(names(&first["layers"], "origin"), ["new"; 3], "{first:#}");
    let index = read(&emulator, "latest").await;
    assert_eq!(
        index,
        read(&emulator, first["digest"].as_str().unwrap()).await
    );
    let mut layers = Vec::new();
    for (place, image) in index["manifests"].as_array().unwrap().iter().enumerate() {
        assert_eq!(image["digest"], first["platforms"][place]["digest"]);
        let manifest = read(&emulator, image["digest"].as_str().unwrap()).await;
        layers.push(manifest["layers"].clone());
    }
    assert_eq!(
        layers[0][0], layers[1][0],
        "users and certificates are one layer"
    );

    // The index and each image have provenance; bills are those of a program.
    let said = first["attestations"].as_array().unwrap();
    let of = |subject: &Value| {
        let own = said.iter().filter(|said| said["subject"] == *subject);
        let mut names: Vec<_> = own.map(|said| said["name"].as_str().unwrap()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(of(&first["digest"]), ["inputs", "provenance"]);
    let compiled = ["CycloneDX", "SPDX", "provenance"];
    assert_eq!(of(&first["platforms"][0]["digest"]), compiled);
    // Of a program without a list of its packages it is not known what they are.
    assert_eq!(of(&first["platforms"][1]["digest"]), ["provenance"]);

    assert_says_what_was_compiled_elsewhere(&emulator, &first, &platforms.arm64).await;

    proxy.registry_requests();
    cargo.asked();
    let fresh = tempfile::tempdir().unwrap();
    copy(platforms.path(), fresh.path());
    std::fs::remove_dir_all(fresh.path().join("target/longshore")).unwrap();
    for directory in [platforms.path(), fresh.path()] {
        let mut again = cargo.publish(directory, &job);
        let again = json_of(&succeed(again.args(platforms.given())));
        assert_eq!(again["unchanged"], true, "{again:#}");
        assert_eq!(again["digest"], first["digest"]);
        assert_eq!(again["platforms"], first["platforms"]);
        let requests = proxy.registry_requests();
        assert_eq!(requests.len(), 2, "{requests:?}");
        assert!(!cargo.asked().contains(&"build".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_told_by_platform_and_what_a_platform_keeps_is_not_sent() {
    let platforms = Platforms::new();
    let emulator = Emulator::start(platforms.path());
    let job = emulator.publisher().await;
    let cargo = Cargo::new();
    let first = json_of(&succeed(&mut platforms.publish(&cargo, &job)));

    // Another program for one platform, and nothing else: no cargo.
    let other = [ARM64, b"!"].concat();
    std::fs::write(&platforms.arm64, elf(EXECUTABLE, AARCH64, &other)).unwrap();
    platforms.project.commit_anyway();
    let mut why = platforms.build();
    let administrator = emulator.variables.iter().cloned();
    let why = json_of(&succeed(why.arg("--why").envs(administrator)));
    let changed = names(&why["changes"], "name");
    assert!(changed.contains(&"linux/arm64 program"), "{changed:?}");
    assert!(
        changed.contains(&"image:annotation:org.opencontainers.image.revision"),
        "{changed:?}"
    );
    assert!(
        !changed.iter().any(|name| name.starts_with("linux/amd64 ")),
        "{changed:?}"
    );
    cargo.asked();
    let second = json_of(&succeed(&mut platforms.publish(&cargo, &job)));
    assert_ne!(second["digest"], first["digest"]);
    assert_eq!(
        names(&second["layers"], "origin"),
        ["reused", "reused", "new"]
    );
    assert!(!cargo.asked().contains(&"build".to_owned()));

    // The same, built again from nothing, on this machine and with that program.
    let digest = second["digest"].as_str().unwrap();
    let verify = |digest: &str| {
        let mut verify = platforms.build();
        verify.args(["--verify", digest]);
        verify.envs(emulator.variables.iter().cloned());
        verify
    };
    succeed(&mut verify(digest));
    let output = verify(first["digest"].as_str().unwrap()).output().unwrap();
    let text = both(&output);
    assert_eq!(output.status.code(), Some(4), "{text}");
    assert!(
        text.contains("linux/arm64 layer binary:/usr/bin/hello"),
        "{text}"
    );

    // The tag of this commit is taken by other programs now.
    std::fs::write(&platforms.arm64, elf(EXECUTABLE, AARCH64, ARM64)).unwrap();
    let refused = platforms.publish(&cargo, &job).output().unwrap();
    let text = both(&refused);
    assert!(text.contains("E032"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layout_of_an_index_is_published_by_its_digest_and_rehearsed() {
    let platforms = Platforms::new();
    let built = json_of(&succeed(&mut platforms.build()));
    assert_valid("docs/schemas/build-receipt.json", &built);
    assert_eq!(built["platforms"][1]["binary_bytes"], 158);
    let emulator = Emulator::start(platforms.path());
    let job = emulator.publisher().await;
    let digest = built["digest"].as_str().unwrap();
    let mut publish = platforms.project.publish(digest, &job);
    let receipt = json_of(&succeed(publish.args(["--format", "json"])));
    assert_eq!(receipt["digest"], built["digest"]);
    assert_eq!(receipt["attestations"].as_array().unwrap().len(), 6);
    let again = json_of(&succeed(&mut publish));
    assert_eq!(again["unchanged"], true);
    let mut rehearse = longshore(platforms.path());
    rehearse.args(["rehearse", "--format", "json"]);
    let rehearsed = json_of(&succeed(rehearse.args(platforms.given())));
    assert_eq!(
        rehearsed["images"]["hello"]["publish"]["digest"],
        built["digest"]
    );

    // The image of one platform is the same, whatever is built beside it.
    let mut alone = longshore(platforms.path());
    alone.args(["build", "--format", "json", "--platform", "linux/amd64"]);
    let alone = json_of(&succeed(&mut alone));
    assert_eq!(alone["digest"], built["platforms"][0]["digest"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_cannot_be_compiled_is_told_before_any_is_and_nothing_is_published() {
    let platforms = Platforms::new();
    let emulator = Emulator::start(platforms.path());
    let job = emulator.publisher().await;
    let cargo = Cargo::new();
    let output = cargo.publish(platforms.path(), &job).output().unwrap();
    let text = both(&output);
    assert_eq!(output.status.code(), Some(4), "{text}");
    for words in [
        "E064",
        "rustup target add aarch64-unknown-linux-gnu",
        "gcc-aarch64-linux-gnu",
        "cargo-zigbuild",
        "--binary linux/arm64=FILE",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(
        !platforms
            .path()
            .join("target/x86_64-unknown-linux-gnu")
            .exists()
    );
    assert!(!cargo.asked().contains(&"build".to_owned()));
    let registry = emulator.registry_reader().await;
    assert!(registry.complete_image("latest").await.is_none());
}

#[test]
fn a_program_is_taken_only_for_the_platform_that_it_runs_on() {
    let platforms = Platforms::new();
    let refused = |program: &str, word: &str| {
        let mut build = longshore(platforms.path());
        let output = build.args(["build", "--binary", program]).output().unwrap();
        let text = both(&output);
        assert!(
            !output.status.success() && text.contains(word),
            "{program}: {text}"
        );
        assert!(!platforms.project.layout().exists());
    };
    let write = |name: &str, bytes: &[u8]| {
        let file = platforms.path().join("target").join(name);
        std::fs::write(&file, bytes).unwrap();
        file.display().to_string()
    };
    let arm64 = platforms.arm64.display();
    refused(
        &format!("linux/amd64={arm64}"),
        "for linux/arm64, not for linux/amd64",
    );
    refused("linux/amd64=/bin/true", "dynamically linked");
    let object = write("object", &elf(OBJECT, AARCH64, ARM64));
    refused(&format!("linux/arm64={object}"), "no finished program");
    let cut = elf(EXECUTABLE, AARCH64, ARM64);
    let cut = write("cut", &cut[..cut.len() - 1]);
    refused(&format!("linux/arm64={cut}"), "cut off");
    let text = write("text", b"#!/bin/sh\n");
    refused(&format!("linux/arm64={text}"), "not an ELF");
    refused(&format!("linux/s390x={arm64}"), "lists no `linux/s390x`");
    refused(&format!("api@linux/arm64={arm64}"), "which image");
    refused("linux/arm64=missing", "missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_platform_lies_on_its_own_image_of_the_base() {
    let platforms = Platforms::new();
    // The index that a build made is as good a base as any.
    let base = platforms.path().join("base");
    let mut build = platforms.build();
    succeed(build.arg("--layout").arg(&base));
    let index: Value = {
        let file = std::fs::read(base.join("index.json")).unwrap();
        serde_json::from_slice(&file).unwrap()
    };
    let digest = index["manifests"][0]["digest"].as_str().unwrap();
    let blob = |digest: &str| -> Value {
        let file = base.join("blobs/sha256").join(&digest[7..]);
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
    };
    let images = blob(digest)["manifests"].clone();
    let with_base = "[image]\nbase = \"oci:base\"";
    platforms
        .project
        .edit("longshore.toml", "[image]", with_base);
    succeed(longshore(platforms.path()).args(["base", "update"]));
    platforms.project.commit();
    let built = json_of(&succeed(&mut platforms.build()));
    for (image, own) in images
        .as_array()
        .unwrap()
        .iter()
        .zip(built["platforms"].as_array().unwrap())
    {
        let layout = platforms.project.layout().join("blobs/sha256");
        let file = layout.join(&own["digest"].as_str().unwrap()[7..]);
        let manifest: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let name = "org.opencontainers.image.base.digest";
        assert_eq!(manifest["annotations"][name], image["digest"]);
    }
}
