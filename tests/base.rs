//! Images on a base: pinned, read by digest, and not downloaded in vain.

mod ecr;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::dockerfile::bills;
use crate::harness::{
    Emulator, Project, REPOSITORY, assert_valid, both, copy, json_of, longshore, succeed,
};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

use crate::proxy::Proxy;

/// A base: a layer without files and a configuration.
struct Image {
    blobs: Vec<Vec<u8>>,
    manifest: Vec<u8>,
}

fn digest_of(bytes: &[u8]) -> String {
    oci::Digest::of(bytes).to_string()
}

impl Image {
    /// Records of nothing end a tar: any number of them is a layer of its own.
    fn new(version: &str, records: usize) -> Self {
        let layer = vec![0; 512 * records];
        let config = json!({
            "architecture": "amd64", "os": "linux", "created": format!("2026-01-0{version}T00:00:00Z"),
            "config": {
                "Env": ["PATH=/opt/bin:/usr/bin", format!("BASE_VERSION={version}")],
                "User": "1234", "WorkingDir": "/srv", "Entrypoint": ["/opt/bin/theirs"],
            },
            "rootfs": { "type": "layers", "diff_ids": [digest_of(&layer)] },
        });
        let config = serde_json::to_vec(&config).unwrap();
        let described = |kind: &str, bytes: &[u8]| {
            let kind = format!("application/vnd.oci.image.{kind}");
            json!({ "mediaType": kind, "digest": digest_of(bytes), "size": bytes.len() })
        };
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": described("config.v1+json", &config),
            "layers": [described("layer.v1.tar", &layer)],
        });
        Self {
            manifest: serde_json::to_vec(&manifest).unwrap(),
            blobs: vec![layer, config],
        }
    }

    fn digest(&self) -> String {
        digest_of(&self.manifest)
    }

    fn layer(&self) -> String {
        digest_of(&self.blobs[0])
    }

    /// An index with this image, and one of a platform that nobody builds for.
    fn index(&self) -> Vec<u8> {
        let entry = |digest: String, size: usize, os: &str| {
            json!({ "mediaType": MANIFEST, "digest": digest, "size": size,
                    "platform": { "architecture": "amd64", "os": os } })
        };
        let own = entry(self.digest(), self.manifest.len(), "linux");
        let other = entry(digest_of(b"none"), 4, "unknown");
        serde_json::to_vec(&json!({
            "schemaVersion": 2, "mediaType": INDEX, "manifests": [other, own],
        }))
        .unwrap()
    }

    /// The image as a layout.
    fn write(&self, directory: &Path) {
        let blobs = directory.join("blobs/sha256");
        std::fs::create_dir_all(&blobs).unwrap();
        for bytes in self.blobs.iter().chain([&self.manifest]) {
            std::fs::write(blobs.join(&digest_of(bytes)[7..]), bytes).unwrap();
        }
        let marker = r#"{"imageLayoutVersion":"1.0.0"}"#;
        std::fs::write(directory.join("oci-layout"), marker).unwrap();
        let index = json!({ "schemaVersion": 2, "manifests": [{
            "mediaType": MANIFEST, "digest": self.digest(), "size": self.manifest.len(),
        }]});
        std::fs::write(directory.join("index.json"), index.to_string()).unwrap();
    }
}

/// A registry that anybody may read, and that notes what is read.
struct Registry {
    host: String,
    content: Mutex<BTreeMap<String, (&'static str, Vec<u8>)>>,
    asked: Mutex<Vec<String>>,
}

impl Registry {
    async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let registry = Arc::new(Self {
            host: listener.local_addr().unwrap().to_string(),
            content: Mutex::default(),
            asked: Mutex::default(),
        });
        let router = axum::Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&registry));
        tokio::spawn(async move { axum::serve(listener, router).await });
        registry
    }

    fn put(&self, path: &str, kind: &'static str, bytes: &[u8]) {
        let path = format!("/v2/team/base/{path}");
        let mut content = self.content.lock().unwrap();
        content.insert(path, (kind, bytes.to_vec()));
    }

    /// Stores an image, and moves the tag to an index that lists it.
    fn publish(&self, image: &Image) {
        let index = image.index();
        for blob in &image.blobs {
            let path = format!("blobs/{}", digest_of(blob));
            self.put(&path, "application/octet-stream", blob);
        }
        self.put(
            &format!("manifests/{}", image.digest()),
            MANIFEST,
            &image.manifest,
        );
        self.put(&format!("manifests/{}", digest_of(&index)), INDEX, &index);
        self.put("manifests/v1", INDEX, &index);
    }

    /// What was read since this was asked last.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn reference(&self) -> String {
        format!("{}/team/base:v1", self.host)
    }
}

async fn answer(State(registry): State<Arc<Registry>>, request: Request) -> Response {
    let path = request.uri().path();
    let asked = path.strip_prefix("/v2/team/base/").unwrap_or(path);
    registry.asked.lock().unwrap().push(asked.to_owned());
    match registry.content.lock().unwrap().get(path) {
        Some((kind, bytes)) => ([(header::CONTENT_TYPE, *kind)], bytes.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A project on a base that is not pinned yet.
fn project_on(reference: &str) -> Project {
    let project = Project::hello();
    let table = format!("[image]\nbase = \"{reference}\"");
    project.edit("longshore.toml", "[image]", &table);
    project
}

fn run(project: &Path, arguments: &[&str]) -> Value {
    let mut command = longshore(project);
    json_of(&succeed(command.args(arguments).args(["--format", "json"])))
}

/// Pins the base and commits that.
fn pin(project: &Project) -> Value {
    let report = run(project.path(), &["base", "update"]);
    assert_valid("docs/schemas/base-report.json", &report);
    project.commit();
    report
}

fn refused(project: &Path, arguments: &[&str]) -> Value {
    let mut command = longshore(project);
    let output = command.args(arguments).args(["--format", "json"]).output();
    let output = output.unwrap();
    assert!(!output.status.success(), "{}", both(&output));
    json_of(&output)
}

/// The manifest and the configuration of the layout that was built.
fn built(project: &Project) -> (Value, Value) {
    let read = |file: &Path| -> Value {
        serde_json::from_slice(&std::fs::read(project.layout().join(file)).unwrap()).unwrap()
    };
    let blob = |descriptor: &Value| {
        let digest = descriptor["digest"].as_str().unwrap();
        read(&Path::new("blobs/sha256").join(&digest[7..]))
    };
    let manifest = blob(&read("index.json".as_ref())["manifests"][0]);
    let config = blob(&manifest["config"]);
    (manifest, config)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_is_pinned_first_and_hands_down_its_configuration() {
    let (registry, image) = (Registry::start().await, Image::new("1", 2));
    registry.publish(&image);
    let project = project_on(&registry.reference());
    project.commit();
    let problem = refused(project.path(), &["build"]);
    assert_eq!(problem["code"], "E018");
    assert!(
        problem.to_string().contains("longshore base update"),
        "{problem:#}"
    );
    assert_eq!(registry.asked(), Vec::<String>::new());

    let report = pin(&project);
    assert_eq!(report["digest"], digest_of(&image.index()));
    assert_eq!(
        report["platforms"],
        json!({ "linux/amd64": image.digest() })
    );
    assert_eq!(
        (&report["changed"], &report["previous"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(run(project.path(), &["base", "update"])["changed"], false);

    let first = run(project.path(), &["build"]);
    let (manifest, config) = built(&project);
    assert_eq!(manifest["layers"][0]["digest"], image.layer());
    assert_eq!(
        manifest["layers"].as_array().unwrap().len(),
        2,
        "{manifest:#}"
    );
    let annotation =
        |name: &str| &manifest["annotations"][format!("org.opencontainers.image.base.{name}")];
    assert_eq!(annotation("name"), &registry.reference());
    assert_eq!(annotation("digest"), &image.digest());
    let runtime = &config["config"];
    assert_eq!(runtime["Entrypoint"], json!(["/usr/bin/hello"]));
    assert_eq!(runtime["User"], "1234");
    assert_eq!(runtime["WorkingDir"], "/srv");
    assert_eq!(
        runtime["Env"],
        json!(["BASE_VERSION=1", "PATH=/opt/bin:/usr/bin"])
    );

    // On another machine: the same image, and whole.
    let fresh = tempfile::tempdir().unwrap();
    copy(project.path(), fresh.path());
    std::fs::remove_dir_all(fresh.path().join("target")).unwrap();
    let fresh = Project { directory: fresh };
    assert_eq!(run(fresh.path(), &["build"])["digest"], first["digest"]);
    let layer = fresh
        .layout()
        .join("blobs/sha256")
        .join(&image.layer()[7..]);
    assert_eq!(std::fs::read(layer).unwrap(), image.blobs[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_moved_changes_nothing_before_an_update_tells_what_it_changes() {
    let (registry, image) = (Registry::start().await, Image::new("1", 2));
    registry.publish(&image);
    let project = project_on(&registry.reference());
    pin(&project);
    let other = Image::new("2", 3);
    registry.publish(&other);
    registry.asked();
    let before = run(project.path(), &["build"]);
    assert_eq!(built(&project).0["layers"][0]["digest"], image.layer());
    let asked = registry.asked();
    assert_eq!(
        asked,
        [format!("blobs/{}", image.layer())],
        "what an update read is kept"
    );

    let report = pin(&project);
    assert_eq!(report["previous"], digest_of(&image.index()));
    assert_eq!(report["layers_added"][0]["digest"], other.layer());
    assert_eq!(report["layers_added"][0]["size_bytes"], 1536);
    assert_eq!(report["layers_removed"][0]["digest"], image.layer());
    assert_eq!(
        report["changes"],
        json!([
            { "name": "created", "before": "2026-01-01T00:00:00Z", "after": "2026-01-02T00:00:00Z" },
            { "name": "variable:BASE_VERSION", "before": "1", "after": "2" },
        ])
    );
    let after = run(project.path(), &["build"]);
    assert_ne!(after["digest"], before["digest"]);
    assert_eq!(built(&project).0["layers"][0]["digest"], other.layer());
    assert_eq!(
        after["compiled"], false,
        "the program is the same on any base"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_that_is_not_what_its_digest_says_is_refused() {
    let (registry, image) = (Registry::start().await, Image::new("1", 2));
    registry.publish(&image);
    let project = project_on(&registry.reference());
    pin(&project);
    let kept = project.path().join("target/longshore/base");
    for (path, kind) in [
        (format!("manifests/{}", image.digest()), MANIFEST),
        (
            format!("blobs/{}", digest_of(&image.blobs[1])),
            "application/json",
        ),
        (
            format!("blobs/{}", image.layer()),
            "application/octet-stream",
        ),
    ] {
        std::fs::remove_dir_all(&kept).unwrap_or_default();
        registry.publish(&image);
        registry.put(&path, kind, &Image::new("3", 2).manifest);
        let problem = refused(project.path(), &["build"]);
        assert_eq!(problem["code"], "E019", "{path}: {problem:#}");
        assert!(!project.layout().exists(), "{path}");
    }
    // A layer that is damaged on this machine is read again.
    registry.publish(&image);
    run(project.path(), &["build"]);
    let file = kept.join(&image.layer()[7..]);
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, vec![1; 1024]).unwrap();
    run(project.path(), &["build"]);
    assert_eq!(std::fs::read(&file).unwrap(), image.blobs[0]);

    // A publish, which reads no layer that it need not, does not send a damaged one.
    let emulator = Emulator::start(project.path());
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, vec![1; 1024]).unwrap();
    let mut publish = longshore(project.path());
    succeed(publish.arg("publish").envs(emulator.publisher().await));
    let reader = emulator.registry_reader().await;
    assert!(reader.complete_image("latest").await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publish_reads_no_layer_that_the_target_has() {
    let (registry, image) = (Registry::start().await, Image::new("1", 2));
    registry.publish(&image);
    let project = project_on(&registry.reference());
    pin(&project);
    let emulator = Emulator::start(project.path());
    let proxy = Proxy::start(&emulator).await;
    let job = proxy.publisher(&emulator).await;
    let publish = |project: &Path| {
        let mut command = longshore(project);
        command.args(["publish", "--format", "json"]);
        json_of(&succeed(command.envs(job.iter().cloned())))
    };
    registry.asked();

    // It has none: the bytes go through, and stay nowhere.
    let first = publish(project.path());
    assert_eq!(first["layers"][0]["origin"], "new");
    assert_eq!(registry.asked(), [format!("blobs/{}", image.layer())]);
    let kept = project.path().join("target/longshore/base");
    assert!(!kept.join(&image.layer()[7..]).exists());
    let reader = emulator.registry_reader().await;
    assert!(reader.complete_image("latest").await.is_some());
    let unlisted = bills::of(&emulator, &first).await.unlisted();
    let base = format!("what is in the base image {}", image.digest());
    assert!(unlisted[0].starts_with(&base), "{unlisted:?}");

    // It has the layer, as its last image shows: on a machine that never saw the
    // base, only what it hands down is read.
    project.commit_anyway();
    let fresh = tempfile::tempdir().unwrap();
    copy(project.path(), fresh.path());
    std::fs::remove_dir_all(fresh.path().join("target")).unwrap();
    proxy.registry_requests();
    let second = publish(fresh.path());
    let requests = proxy.registry_requests();
    let about = |line: &String| line.contains(&image.layer());
    assert!(!requests.iter().any(about), "{requests:?}");
    assert_eq!(second["layers"][0]["origin"], "reused");
    let read = registry.asked();
    let layer = format!("blobs/{}", image.layer());
    assert!(read.len() == 2 && !read.contains(&layer), "{read:?}");
    assert!(reader.complete_image("latest").await.is_some());

    // It has the layer without an image of ours that shows it.
    let other = Image::new("2", 3);
    registry.publish(&other);
    reader.push_blob(REPOSITORY, &other.blobs[0]).await;
    pin(&project);
    registry.asked();
    let third = publish(project.path());
    assert_eq!(third["layers"][0]["digest"], other.layer());
    assert_eq!(third["layers"][0]["origin"], "reused");
    assert_eq!(registry.asked(), Vec::<String>::new());
    assert!(reader.complete_image("latest").await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layout_of_the_checkout_is_a_base_and_is_verified() {
    let image = Image::new("1", 2);
    let project = project_on("oci:bases/one");
    let layout = project.path().join("bases/one");
    image.write(&layout);
    let report = pin(&project);
    assert_eq!(report["digest"], image.digest());
    run(project.path(), &["build"]);
    let (manifest, _) = built(&project);
    assert_eq!(manifest["layers"][0]["digest"], image.layer());
    let emulator = Emulator::start(project.path());
    let mut publish = longshore(project.path());
    publish.arg("publish").envs(emulator.publisher().await);
    succeed(&mut publish);
    let reader = emulator.registry_reader().await;
    assert!(reader.complete_image("latest").await.is_some());

    let file = layout.join("blobs/sha256").join(&image.layer()[7..]);
    std::fs::write(file, vec![1; 1024]).unwrap();
    let problem = refused(project.path(), &["build", "--allow-dirty"]);
    assert_eq!(problem["code"], "E019", "{problem:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_tells_what_is_not_there_and_removes_pins_of_what_is_not_named() {
    let (registry, image) = (Registry::start().await, Image::new("1", 2));
    registry.publish(&image);
    let (reference, update) = (registry.reference(), ["base", "update"]);
    let absent = format!("{reference}-slip");
    let project = project_on(&absent);
    let problem = refused(project.path(), &update);
    assert_eq!(problem["code"], "E019", "{problem:#}");
    let text = problem.to_string();
    assert!(text.contains(&format!("no image `{absent}`")), "{text}");
    assert!(!text.contains("longshore base update"), "{text}");

    project.edit("longshore.toml", &absent, &reference);
    pin(&project);
    // A pin of something else, as one is left by an image that went.
    let lock = project.path().join("longshore.lock");
    let pinned = std::fs::read_to_string(&lock).unwrap();
    let stale = pinned.replacen(&reference, "other.example/base:1", 1);
    let (_, stale) = stale.split_at(stale.find("[[base]]").unwrap());
    std::fs::write(&lock, format!("{pinned}\n{stale}")).unwrap();
    assert_eq!(run(project.path(), &update)["changed"], false);
    assert_eq!(std::fs::read_to_string(&lock).unwrap(), pinned);

    project.edit("longshore.toml", &format!("base = \"{reference}\""), "");
    let output = succeed(longshore(project.path()).args(update));
    assert!(both(&output).contains("longshore.lock was removed"));
    assert!(!lock.exists());
    let problem = refused(project.path(), &update);
    assert!(
        problem.to_string().contains("nothing to pin"),
        "{problem:#}"
    );
}
