//! Container engines and tools read what Longshore built, in both compressions, alone
//! and on a base, as a layout and as an archive, and run it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::containers::has_docker_engine;
use crate::harness::{Project, has, json_of, longshore, succeed};

/// A program that shows what an engine has made of its image.
const PROGRAM: &str = r#"
fn main() {
    let read = |path| std::fs::read_to_string(path).unwrap();
    print!("{}{}", read("/srv/www/link.html"), read("/srv/www/deep/ä.txt"));
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata("/srv/www/tool").unwrap());
    println!("{:o} {}", mode & 0o7777, std::fs::write("/data/mine", "x").is_ok());
    let of_base = std::env::var("FROM_THE_BASE").is_ok();
    assert_eq!(of_base, std::path::Path::new("/etc/os-release").exists());
}
"#;

/// What it shows: files through links and long paths, a mode, and that the
/// unprivileged user may write where it should.
const SHOWN: &str = "<p>longshore</p>\nfar down\n755 true\n";

struct Built {
    project: Project,
    /// Layers of a base below its own.
    base_layers: usize,
    /// The digests with zstd and with gzip.
    digests: [String; 2],
}

const COMPRESSIONS: [&str; 2] = ["zstd", "gzip"];

impl Built {
    fn layout(&self, compression: &str) -> PathBuf {
        self.project.path().join(format!("target/{compression}"))
    }

    fn archive(&self, form: &str, compression: &str) -> PathBuf {
        self.project
            .path()
            .join(format!("target/{compression}.{form}.tar"))
    }
}

/// One project, built once with zstd and once with gzip layers, alone and on a base.
fn built() -> &'static [Built; 2] {
    static BUILT: OnceLock<[Built; 2]> = OnceLock::new();
    BUILT.get_or_init(|| {
        let alone = Project::hello();
        let on_base = Project::hello();
        on_base.edit(
            "longshore.toml",
            "\"hello\"",
            "\"hello\"\nbase = \"oci:base\"",
        );
        base(&on_base.path().join("base"));
        succeed(longshore(on_base.path()).args(["base", "update"]));
        [(alone, 0), (on_base, 2)].map(|(project, base_layers)| build(project, base_layers))
    })
}

fn build(project: Project, base_layers: usize) -> Built {
    fs::write(project.path().join("src/main.rs"), PROGRAM).unwrap();
    assets(&project.path().join("static"));
    let configuration = project.path().join("longshore.toml");
    let text = fs::read_to_string(&configuration).unwrap();
    let digests = COMPRESSIONS.map(|compression| {
        let image = format!(
            "[image]\ncompression = \"{compression}\"\nwritable = [\"/data\"]\n\
             assets = [{{ from = \"static\", to = \"/srv/www\", exclude = [\"*.map\"] }}]"
        );
        fs::write(&configuration, text.replacen("[image]", &image, 1)).unwrap();
        project.commit();
        let mut build = longshore(project.path());
        build.args(["build", "--format", "json", "--layout"]);
        build.arg(format!("target/{compression}"));
        for form in ["oci", "docker"] {
            build.arg(format!("--archive={form}:target/{compression}.{form}.tar"));
        }
        json_of(&succeed(&mut build))["digest"]
            .as_str()
            .unwrap()
            .to_owned()
    });
    Built {
        project,
        base_layers,
        digests,
    }
}

/// A base of this machine's own files, in two layers of gzip, as a layout.
fn base(layout: &Path) {
    let blobs = layout.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let put = |kind: &str, bytes: &[u8]| {
        let digest = oci::Digest::of(bytes).to_string();
        fs::write(blobs.join(&digest[7..]), bytes).unwrap();
        let kind = format!("application/vnd.oci.image.{kind}");
        json!({ "mediaType": kind, "digest": digest, "size": bytes.len() })
    };
    let layer = |files: &[&str]| {
        let mut tar = Command::new("tar");
        tar.args(["-C", "/", "--dereference", "-cf", "-"])
            .args(files);
        let tar = succeed(&mut tar).stdout;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, &tar).unwrap();
        let described = put("layer.v1.tar+gzip", &packed.finish().unwrap());
        (described, oci::Digest::of(&tar).to_string())
    };
    let layers = [
        layer(&["etc/os-release", "etc/passwd"]),
        layer(&["usr/bin/env"]),
    ];
    let (descriptors, diff_ids): (Vec<_>, Vec<_>) = layers.into_iter().unzip();
    let config = json!({
        "architecture": "amd64", "os": "linux",
        "config": { "Env": ["FROM_THE_BASE=yes"] },
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let config = put("config.v1+json", config.to_string().as_bytes());
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config, "layers": descriptors,
    });
    let manifest = put("manifest.v1+json", manifest.to_string().as_bytes());
    let index = json!({ "schemaVersion": 2, "manifests": [manifest] });
    fs::write(layout.join("index.json"), index.to_string()).unwrap();
    fs::write(
        layout.join("oci-layout"),
        r#"{"imageLayoutVersion":"1.0.0"}"#,
    )
    .unwrap();
}

fn assets(root: &Path) {
    let deep = root.join("deep");
    fs::create_dir_all(&deep).unwrap();
    fs::write(root.join("index.html"), "<p>longshore</p>\n").unwrap();
    fs::write(root.join("index.html.map"), "left out").unwrap();
    fs::write(deep.join("ä.txt"), "far down\n").unwrap();
    fs::write(deep.join("long".repeat(40)), "a name of 160 bytes").unwrap();
    symlink("index.html", root.join("link.html")).unwrap();
    let tool = root.join("tool");
    fs::write(&tool, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn skopeo_reads_layouts_and_archives_in_both_compressions() {
    if !has("skopeo") {
        return;
    }
    let copies = tempfile::tempdir().unwrap();
    let all = built().iter().flat_map(|built| {
        let images = COMPRESSIONS.iter().zip(&built.digests);
        images.map(move |(compression, digest)| (built, compression, digest))
    });
    for (built, compression, digest) in all {
        let layout = format!("oci:{}", built.layout(compression).display());
        let mut inspect = Command::new("skopeo");
        let seen = json_of(&succeed(inspect.args(["inspect", &layout])));
        assert_eq!(seen["Digest"], **digest);
        assert_eq!(
            seen["Layers"].as_array().unwrap().len(),
            3 + built.base_layers
        );
        let sources = [
            layout,
            format!(
                "oci-archive:{}",
                built.archive("oci", compression).display()
            ),
            format!(
                "docker-archive:{}",
                built.archive("docker", compression).display()
            ),
        ];
        for source in sources {
            let copy = copies.path().join(source.replace('/', "_"));
            let mut skopeo = Command::new("skopeo");
            skopeo.args(["copy", "--quiet", &source]);
            succeed(skopeo.arg(format!("dir:{}", copy.display())));
        }
    }
}

/// Every image with its compression.
fn images() -> impl Iterator<Item = (&'static Built, &'static str)> {
    let images = built().iter();
    images.flat_map(|built| COMPRESSIONS.map(|compression| (built, compression)))
}

/// Storage of podman's and buildah's own, that leaves nothing on the machine.
/// Both name an image after its path, so they get one without capitals: a
/// relative one.
pub(crate) struct Storage(TempDir);

impl Storage {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("HOME", self.0.path());
        for (flag, name) in [("--root", "root"), ("--runroot", "run")] {
            command.arg(flag).arg(self.0.path().join(name));
        }
        command.args(["--storage-driver", "vfs"]);
        command
    }

    /// `podman run`; an image must follow.
    pub(crate) fn podman_run(&self) -> Command {
        let mut run = self.command("podman");
        // The one that Docker Engine brings along.
        run.arg("--runtime=runc");
        run.args(["run", "--rm", "--network=none"]);
        // Its defaults are more than a container that runs tests may ask for.
        run.args(["--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"]);
        run
    }
}

fn last_line(output: &std::process::Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn podman_runs_what_it_takes_from_layouts_and_archives() {
    if !has("podman") {
        return;
    }
    for (built, compression) in images() {
        let sources = [
            format!("oci:{compression}"),
            format!("oci-archive:{compression}.oci.tar"),
            format!("docker-archive:{compression}.docker.tar"),
        ];
        for source in sources {
            let storage = Storage::new();
            let mut pull = storage.command("podman");
            pull.current_dir(built.project.path().join("target"));
            let image = last_line(&succeed(pull.args(["pull", "--quiet", &source])));
            let output = succeed(storage.podman_run().arg(&image));
            assert_eq!(String::from_utf8_lossy(&output.stdout), SHOWN, "{source}");
        }
    }
}

#[test]
fn buildah_builds_on_the_image() {
    if !has("buildah") {
        return;
    }
    for (built, compression) in images() {
        let storage = Storage::new();
        let mut from = storage.command("buildah");
        from.current_dir(built.project.path().join("target"));
        from.args(["from", &format!("oci:{compression}")]);
        let container = last_line(&succeed(&mut from));
        let mut mount = storage.command("buildah");
        let root = last_line(&succeed(mount.args(["mount", &container])));
        let page = Path::new(&root).join("srv/www/link.html");
        assert_eq!(fs::read_to_string(page).unwrap(), "<p>longshore</p>\n");
        succeed(storage.command("buildah").args(["rm", &container]));
    }
}

#[test]
fn docker_loads_both_archives_and_runs_them() {
    if !has_docker_engine() {
        return;
    }
    for (built, compression) in images() {
        let mut load = Command::new("docker");
        load.args(["load", "--quiet", "--input"]);
        let loaded = succeed(load.arg(built.archive("docker", compression)));
        let name = last_line(&loaded);
        let name = name.strip_prefix("Loaded image: ").unwrap();
        assert!(name.starts_with("hello:"), "{name}");
        let mut run = Command::new("docker");
        run.args([
            "run",
            "--rm",
            "--network=none",
            "--read-only",
            "--volume",
            "/data",
        ]);
        let output = succeed(run.arg(name));
        assert_eq!(String::from_utf8_lossy(&output.stdout), SHOWN);
    }
}

#[test]
fn both_compressions_hold_the_same_files() {
    let built = &built()[0];
    let diff_ids = COMPRESSIONS.map(|compression| -> Vec<Value> {
        let blobs = built.layout(compression).join("blobs/sha256");
        let read = |digest: &str| -> Value {
            let bytes = fs::read(blobs.join(digest.trim_start_matches("sha256:"))).unwrap();
            serde_json::from_slice(&bytes).unwrap()
        };
        let index = fs::read(built.layout(compression).join("index.json")).unwrap();
        let index: Value = serde_json::from_slice(&index).unwrap();
        let manifest = read(index["manifests"][0]["digest"].as_str().unwrap());
        assert_eq!(manifest["annotations"]["dev.longshore.compatibility"], "1");
        let media_type = manifest["layers"][0]["mediaType"].as_str().unwrap();
        assert!(media_type.ends_with(compression), "{media_type}");
        let config = read(manifest["config"]["digest"].as_str().unwrap());
        config["rootfs"]["diff_ids"].as_array().unwrap().clone()
    });
    assert_eq!(diff_ids[0], diff_ids[1]);
}

#[test]
fn gzip_is_chosen_where_an_engine_that_reads_no_zstd_is_to_run_the_image() {
    let project = Project::hello();
    let media_types = |project: &Project| -> Vec<String> {
        succeed(longshore(project.path()).arg("build"));
        let blobs = project.layout().join("blobs/sha256");
        let read =
            |path: PathBuf| -> Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
        let index = read(project.layout().join("index.json"));
        let digest = index["manifests"][0]["digest"].as_str().unwrap();
        let manifest = read(blobs.join(&digest[7..]));
        let layers = manifest["layers"].as_array().unwrap().iter();
        layers
            .map(|layer| layer["mediaType"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = |project: &Project, end: &str| {
        let media_types = media_types(project);
        media_types
            .iter()
            .all(|media_type| media_type.ends_with(end))
    };
    assert!(all(&project, "+zstd"));
    project.edit(
        "longshore.toml",
        "[image]",
        "[image]\nruntimes = [\"docker-20.10\"]",
    );
    project.commit();
    assert!(all(&project, "+gzip"));
}
