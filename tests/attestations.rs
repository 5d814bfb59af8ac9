//! What is said about a published image: bills of materials, provenance,
//! signatures.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::harness::{
    Emulator, Project, REPOSITORY, Reader, both, has, json_of, longshore, repository, succeed,
};
use crate::proxy::Proxy;
use crate::source::Cargo;

pub(crate) const CYCLONEDX: &str = "application/vnd.cyclonedx+json";
pub(crate) const SPDX: &str = "application/spdx+json";
const IN_TOTO: &str = "application/vnd.in-toto+json";
pub(crate) const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const INPUTS: &str = "application/vnd.longshore.inputs.v1+json";

/// The password of `crates/attest/fixtures/cosign.key`, which `cosign` made.
const PASSWORD: &str = "cargo";

/// What `Cargo.toml` gets: packages of every kind, and whether each is compiled.
const PARTS: &str = r#"
[features]
extra = ["dep:gated"]
[dependencies]
used = { path = "parts/used" }
macros = { path = "parts/macros" }
gated = { path = "parts/gated", optional = true }
[dev-dependencies]
tested = { path = "parts/tested" }
[build-dependencies]
generator = { path = "parts/generator" }
[target.'cfg(windows)'.dependencies]
elsewhere = { path = "parts/elsewhere" }
"#;

/// The project with packages of every kind.
pub(crate) fn project_of_parts() -> Project {
    let project = Project::hello();
    let at = |file: &str| project.path().join(file);
    let manifest = std::fs::read_to_string(at("Cargo.toml")).unwrap();
    std::fs::write(at("Cargo.toml"), manifest + PARTS).unwrap();
    std::fs::write(at("build.rs"), "fn main() {}\n").unwrap();
    for name in [
        "used",
        "macros",
        "gated",
        "tested",
        "generator",
        "elsewhere",
    ] {
        let folder = at(&format!("parts/{name}"));
        std::fs::create_dir_all(folder.join("src")).unwrap();
        let macros = if name == "macros" {
            "[lib]\nproc-macro = true\n"
        } else {
            ""
        };
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"1.2.3\"\nedition = \"2024\"\n\
             license = \"MIT\"\n{macros}"
        );
        std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        std::fs::write(folder.join("src/lib.rs"), "").unwrap();
    }
    let mut lock = Command::new("cargo");
    succeed(
        lock.args(["generate-lockfile", "--offline"])
            .current_dir(project.path()),
    );
    project.commit();
    project
}

/// What ends in the program, and what is compiled beside it.
const SHIPPED: [&str; 2] = ["hello", "used"];
const BUILDING: [&str; 2] = ["generator", "macros"];

/// The documents about `digest`, by type; several of one type in their order.
pub(crate) async fn documents(registry: &Reader, digest: &str) -> BTreeMap<String, Vec<Value>> {
    let (status, list) = registry
        .get(&format!("{REPOSITORY}/referrers/{digest}"))
        .await;
    assert_eq!(status, 200);
    read(registry, digest, &serde_json::from_slice(&list).unwrap()).await
}

/// Reads each document of `list`, whose manifests must be about `digest`.
async fn read(registry: &Reader, digest: &str, list: &Value) -> BTreeMap<String, Vec<Value>> {
    let mut documents: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for listed in list["manifests"].as_array().unwrap() {
        let path = format!(
            "{REPOSITORY}/manifests/{}",
            listed["digest"].as_str().unwrap()
        );
        let (status, bytes) = registry.get(&path).await;
        assert_eq!(status, 200, "{listed}");
        let manifest: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(manifest["subject"]["digest"], digest);
        assert_eq!(manifest["artifactType"], listed["artifactType"]);
        assert_eq!(
            manifest["config"]["mediaType"],
            "application/vnd.oci.empty.v1+json"
        );
        let layer = manifest["layers"][0]["digest"].as_str().unwrap();
        let (status, bytes) = registry.get(&format!("{REPOSITORY}/blobs/{layer}")).await;
        assert_eq!(status, 200, "{manifest}");
        let kind = listed["artifactType"].as_str().unwrap().to_owned();
        let document = serde_json::from_slice(&bytes).unwrap();
        documents.entry(kind).or_default().push(document);
    }
    documents
}

/// The names in `list` whose element `is` so, sorted.
fn names(list: &Value, is: impl Fn(&Value) -> bool) -> Vec<&str> {
    let found = list.as_array().unwrap().iter().filter(|entry| is(entry));
    let mut names: Vec<_> = found.map(|entry| entry["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    names
}

/// The payload of a bundle.
fn payload(bundle: &Value) -> Value {
    let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
    serde_json::from_slice(&STANDARD.decode(payload).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bills_and_the_program_list_what_was_compiled_and_nothing_else() {
    let project = project_of_parts();
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    let receipt = json_of(&succeed(&mut Cargo::new().publish(project.path(), &job)));
    let digest = receipt["digest"].as_str().unwrap();
    let registry = emulator.registry_reader().await;
    let documents = documents(&registry, digest).await;
    let kinds: Vec<_> = documents.keys().map(String::as_str).collect();
    assert_eq!(kinds, [SPDX, CYCLONEDX, IN_TOTO, INPUTS]);
    assert_eq!(
        receipt["attestations"].as_array().unwrap().len(),
        kinds.len()
    );

    let components = &documents[CYCLONEDX][0]["components"];
    assert_eq!(names(components, |of| of["scope"] == "required"), SHIPPED);
    assert_eq!(names(components, |of| of["scope"] == "excluded"), BUILDING);
    let packages = &documents[SPDX][0]["packages"];
    let mut all = [SHIPPED, BUILDING].concat();
    all.push(REPOSITORY);
    all.sort_unstable();
    assert_eq!(names(packages, |_| true), all);

    let program = project
        .path()
        .join("target/longshore/programs/hello--x86_64-unknown-linux-gnu-release");
    let program = std::fs::read(program).unwrap();
    let limits = auditable_info::Limits::default();
    let list = auditable_info::audit_info_from_slice(&program, limits.decompressed_json_size);
    let list = serde_json::to_value(list.unwrap()).unwrap();
    let is_build = |entry: &Value| entry["kind"] == "build";
    assert_eq!(names(&list["packages"], is_build), BUILDING);
    assert_eq!(names(&list["packages"], |entry| !is_build(entry)), SHIPPED);

    // The tag stays a plain manifest: runtimes see nothing of all this.
    let image = registry.complete_image("latest").await.unwrap();
    assert_eq!(
        image["mediaType"],
        "application/vnd.oci.image.manifest.v1+json"
    );
    assert!(image.get("subject").is_none());
}

#[tokio::test]
async fn a_layout_of_another_job_is_attested_from_the_list_beside_it() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    // Whoever publishes has no source and no compiler.
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::copy(
        project.path().join("longshore.toml"),
        elsewhere.path().join("longshore.toml"),
    )
    .unwrap();
    crate::harness::copy(
        &project.path().join("infra"),
        &elsewhere.path().join("infra"),
    );
    let mut publish = longshore(elsewhere.path());
    publish.arg("publish").arg("--layout").arg(project.layout());
    succeed(
        publish
            .args(["--digest", &digest])
            .envs(job.iter().cloned()),
    );
    let documents = documents(&emulator.registry_reader().await, &digest).await;
    let components = &documents[CYCLONEDX][0]["components"];
    assert_eq!(names(components, |_| true), ["hello"]);
}

#[tokio::test]
async fn the_provenance_names_the_run_by_its_claims_and_what_went_in() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    succeed(&mut project.publish(&digest, &emulator.publisher().await));
    let registry = emulator.registry_reader().await;
    let documents = documents(&registry, &digest).await;
    let statement = &documents[IN_TOTO][0];
    assert_eq!(statement["predicateType"], "https://slsa.dev/provenance/v1");
    assert_eq!(
        statement["subject"][0]["digest"]["sha256"],
        digest["sha256:".len()..]
    );

    let predicate = &statement["predicate"];
    let workflow = &predicate["buildDefinition"]["externalParameters"]["workflow"];
    let server = workflow["repository"]
        .as_str()
        .unwrap()
        .strip_suffix("/acme/portfolio");
    let server = server.unwrap();
    assert_eq!(workflow["ref"], "refs/heads/main");
    assert_eq!(workflow["path"], ".github/workflows/publish.yml");
    let github = &predicate["buildDefinition"]["internalParameters"]["github"];
    assert_eq!(github["event_name"], "push");
    assert_eq!(github["repository_id"], "7654321");
    assert_eq!(github["sha"], "0".repeat(40));
    let run = format!("{server}/acme/portfolio/actions/runs/42/attempts/1");
    assert_eq!(predicate["runDetails"]["metadata"]["invocationId"], run);

    let image = registry.complete_image("latest").await.unwrap();
    let resolved = &predicate["buildDefinition"]["resolvedDependencies"];
    let revision = &image["annotations"]["org.opencontainers.image.revision"];
    assert_eq!(&resolved[0]["digest"]["gitCommit"], revision);
    let inputs = image["annotations"]["dev.longshore.inputs"]
        .as_str()
        .unwrap();
    assert_eq!(resolved[1]["digest"]["sha256"], inputs["sha256:".len()..]);
    let bills = predicate["runDetails"]["byproducts"].as_array().unwrap();
    assert_eq!(bills.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_keeps_no_lists_of_referrers_gets_one_under_the_tag_for_it() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let proxy = Proxy::without_referrers(&emulator).await;
    let job = proxy.publisher(&emulator).await;
    succeed(&mut project.publish(&digest, &job));
    let registry = emulator.registry_reader().await;
    let tag = digest.replace(':', "-");
    let (status, list) = registry.get(&format!("{REPOSITORY}/manifests/{tag}")).await;
    assert_eq!(status, 200);
    let list: Value = serde_json::from_slice(&list).unwrap();
    assert_eq!(list["mediaType"], "application/vnd.oci.image.index.v1+json");
    let documents = read(&registry, &digest, &list).await;
    assert_eq!(documents.len(), 4, "{documents:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_takes_no_referrers_gets_the_image_unless_it_is_signed() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let image = format!("/manifests/{digest}");
    let refused = move |line: &str| {
        let referrer = line.starts_with("PUT") && line.contains("/manifests/sha256:");
        (referrer && !line.ends_with(&image)).then_some(StatusCode::METHOD_NOT_ALLOWED)
    };
    let proxy = Proxy::answering(&emulator, refused).await;
    let job = proxy.publisher(&emulator).await;
    let signed = sign(&project, &mut project.publish(&digest, &job))
        .output()
        .unwrap();
    assert_eq!(signed.status.code(), Some(6), "{}", both(&signed));
    let registry = emulator.registry_reader().await;
    assert!(registry.complete_image("latest").await.is_none());

    let mut unsigned = project.publish(&digest, &job);
    project.edit("longshore.toml", "signing-key", "#");
    let shown = both(&succeed(&mut unsigned));
    assert!(shown.contains("takes no referrers"), "{shown}");
    assert!(!shown.contains("attested"), "{shown}");
    assert!(registry.complete_image("latest").await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_attested_the_image_is_alone() {
    let (project, digest) = Project::built();
    let table = "[publish]\nattest = false\n\n[aws]";
    project.edit("longshore.toml", "[aws]", table);
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    let shown = both(&succeed(&mut project.publish(&digest, &job)));
    assert!(!shown.contains("attested"), "{shown}");
    let registry = emulator.registry_reader().await;
    assert_eq!(documents(&registry, &digest).await, BTreeMap::new());

    project.commit();
    let receipt = json_of(&succeed(&mut Cargo::new().publish(project.path(), &job)));
    let source = receipt["digest"].as_str().unwrap();
    assert_ne!(source, digest);
    assert_eq!(receipt["attestations"].as_array().map(Vec::len), Some(0));
    assert_eq!(documents(&registry, source).await, BTreeMap::new());
    assert!(registry.complete_image("latest").await.is_some());
}

/// Has `publish` sign with the key that `cosign` made.
fn sign<'c>(project: &Project, publish: &'c mut Command) -> &'c mut Command {
    let key = repository().join("crates/attest/fixtures/cosign.key");
    name_key(project, "env://SIGNING_KEY");
    publish
        .env("SIGNING_KEY", std::fs::read_to_string(key).unwrap())
        .env("COSIGN_PASSWORD", PASSWORD)
}

pub(crate) fn name_key(project: &Project, key: &str) {
    let table = format!("[publish]\nsigning-key = '''{key}'''\n\n[aws]");
    project.edit("longshore.toml", "[aws]", &table);
}

fn public_key() -> std::path::PathBuf {
    repository().join("crates/attest/fixtures/cosign.pub")
}

#[tokio::test]
async fn a_signature_holds_for_others_who_know_the_public_key() {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    let output = succeed(sign(&project, &mut project.publish(&digest, &job)));
    let shown = both(&output);
    assert!(
        !shown.contains("PRIVATE KEY") && !shown.contains(PASSWORD),
        "{shown}"
    );

    let documents = documents(&emulator.registry_reader().await, &digest).await;
    let bundles = &documents[BUNDLE];
    let kinds = bundles
        .iter()
        .map(|bundle| payload(bundle)["predicateType"].to_string());
    let kinds: std::collections::BTreeSet<_> = kinds.collect();
    assert_eq!(kinds.len(), 2, "provenance and signature: {kinds:?}");
    assert!(
        !documents.contains_key(IN_TOTO),
        "it is said once, and signed"
    );
    if !has("openssl") {
        return;
    }
    for bundle in bundles {
        let subject = &payload(bundle)["subject"][0]["digest"];
        assert_eq!(subject["sha256"], digest["sha256:".len()..]);
        assert!(openssl_verifies(bundle, &public_key(), b""));
        assert!(!openssl_verifies(bundle, &public_key(), b" "));
    }
}

/// Whether the signature of `bundle` holds for its payload with `more` behind it.
pub(crate) fn openssl_verifies(bundle: &Value, public_key: &Path, more: &[u8]) -> bool {
    let bytes = |value: &Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
    let envelope = &bundle["dsseEnvelope"];
    let payload = bytes(&envelope["payload"]);
    // DSSE's "pre-authentication encoding".
    let kind = IN_TOTO.len();
    let mut signed = format!("DSSEv1 {kind} {IN_TOTO} {} ", payload.len()).into_bytes();
    signed.extend(payload);
    signed.extend(more);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("signed"), signed).unwrap();
    let signature = bytes(&envelope["signatures"][0]["sig"]);
    std::fs::write(folder.path().join("signature"), signature).unwrap();
    let mut openssl = Command::new("openssl");
    openssl.current_dir(folder.path());
    openssl.args(["dgst", "-sha256", "-verify"]).arg(public_key);
    let output = openssl.args(["-signature", "signature", "signed"]).output();
    output.unwrap().status.success()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_cannot_sign_ends_the_publish_before_anything_is_compiled_or_sent() {
    let key =
        std::fs::read_to_string(repository().join("crates/attest/fixtures/cosign.key")).unwrap();
    let project = Project::hello();
    let emulator = Emulator::start(project.path());
    let proxy = Proxy::start(&emulator).await;
    let job = proxy.publisher(&emulator).await;
    let cargo = Cargo::new();
    std::fs::write(project.path().join("stranger.pem"), "ssh-ed25519 AAAA").unwrap();
    let plain = std::fs::read_to_string(project.path().join("longshore.toml")).unwrap();
    // The key that is named, the password, and what the message must say.
    let cases = [
        ("missing.pem", None, "missing.pem"),
        ("stranger.pem", None, "no PEM text"),
        ("env://UNSET", None, "set `UNSET`"),
        ("env://KEY", None, "set `COSIGN_PASSWORD`"),
        (
            "env://KEY",
            Some("wrong-horse"),
            "compare `COSIGN_PASSWORD`",
        ),
        (
            "vault://transit/key",
            None,
            "a file, `env://NAME` or `awskms:///KEY`",
        ),
        (key.as_str(), Some(PASSWORD), "it holds a key itself"),
    ];
    for (place, password, says) in cases {
        std::fs::write(project.path().join("longshore.toml"), &plain).unwrap();
        name_key(&project, place);
        let mut publish = cargo.publish(project.path(), &job);
        publish.arg("--allow-dirty").env("KEY", &key);
        publish.envs(password.map(|password| ("COSIGN_PASSWORD", password)));
        let output = publish.output().unwrap();
        let shown = both(&output);
        assert_eq!(output.status.code(), Some(3), "{shown}");
        assert_eq!(json_of(&output)["code"], "E015", "{shown}");
        assert!(shown.contains(says), "{says}: {shown}");
        let secret = key.lines().nth(1).unwrap();
        assert!(
            !shown.contains(secret) && !shown.contains("wrong-horse"),
            "{shown}"
        );
    }
    assert_eq!(cargo.asked(), Vec::<String>::new());
    assert_eq!(proxy.registry_requests(), Vec::<String>::new());
}
