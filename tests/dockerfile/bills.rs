//! The bills of images of Dockerfiles: what package managers and programs say of
//! themselves, and what nobody says.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::{BUILDAH, CLASSIC, alone, write};
use crate::attestations::{CYCLONEDX, SPDX, documents};
use crate::harness::{Emulator, Project, both, has, json_of, longshore, succeed};

/// The `.dockerignore` that leaves the tree `root`, and what else begins so.
const ROOT: &str = "*\n!root*\n";

/// The two bills of an image.
pub(crate) struct Bills {
    cyclonedx: Value,
    spdx: Value,
}

/// What the registry has about the image of which `receipt` tells.
pub(crate) async fn of(emulator: &Emulator, receipt: &Value) -> Bills {
    let digest = receipt["digest"].as_str().unwrap();
    let mut documents = documents(&emulator.registry_reader().await, digest).await;
    let mut bill = |kind| documents.remove(kind).unwrap().remove(0);
    Bills {
        cyclonedx: bill(CYCLONEDX),
        spdx: bill(SPDX),
    }
}

impl Bills {
    /// The package URLs of the bill of `CycloneDX`, of which SPDX must have the same.
    fn urls(&self) -> BTreeSet<&str> {
        let components = self.cyclonedx["components"].as_array().unwrap().iter();
        let urls: BTreeSet<_> = components.filter_map(|of| of["purl"].as_str()).collect();
        let packages = self.spdx["packages"].as_array().unwrap().iter();
        let located = packages.filter_map(|of| of["externalRefs"][0]["referenceLocator"].as_str());
        assert_eq!(urls, located.collect());
        urls
    }

    fn aggregate(&self) -> &Value {
        &self.cyclonedx["compositions"][0]["aggregate"]
    }

    /// What both bills say that they do not list.
    pub(crate) fn unlisted(&self) -> Vec<String> {
        let comment = self.spdx["packages"][0]["comment"].as_str().unwrap();
        let image = &self.cyclonedx["metadata"]["component"];
        let properties = image["properties"].as_array().unwrap().iter();
        let unlisted: Vec<_> = properties.map(|of| of["value"].as_str().unwrap()).collect();
        assert!(unlisted.iter().all(|what| comment.contains(what)));
        unlisted.into_iter().map(str::to_owned).collect()
    }
}

async fn publish(directory: &Path, builder: &super::Builder) -> (Bills, Value) {
    let emulator = Emulator::start(directory);
    let job = emulator.publisher().await;
    let mut command = builder.longshore(directory);
    command.args(["publish", "--format", "json"]).envs(job);
    let receipt = json_of(&succeed(&mut command));
    (of(&emulator, &receipt).await, receipt)
}

/// A project that is a Dockerfile alone, and puts the tree `root` into its image.
fn project(dockerfile: &str) -> Project {
    alone(Project::hello(), dockerfile, ROOT)
}

/// Installs a package that `dpkg-deb` makes into the tree `root`.
fn install(root: &Path, control: &str, conffile: bool) {
    let package = tempfile::tempdir().unwrap();
    write(package.path(), "tree/DEBIAN/control", control);
    write(package.path(), "tree/etc/ours", "setting\n");
    if conffile {
        write(package.path(), "tree/DEBIAN/conffiles", "/etc/ours\n");
    }
    let archive = package.path().join("package.deb");
    let mut build = Command::new("dpkg-deb");
    build.args(["--root-owner-group", "--build"]);
    succeed(build.arg(package.path().join("tree")).arg(&archive));
    succeed(dpkg(root).arg("--install").arg(archive));
}

fn dpkg(root: &Path) -> Command {
    let mut command = Command::new("dpkg");
    command.arg(format!("--root={}", root.display())).args([
        "--force-not-root",
        "--force-depends",
        "--log=/dev/null",
    ]);
    command
}

/// A tree with the database of this machine's own packages, one more, and one that left
/// its settings.
fn debian(root: &Path) {
    for directory in ["info", "updates", "triggers"] {
        std::fs::create_dir_all(root.join("var/lib/dpkg").join(directory)).unwrap();
    }
    let status = root.join("var/lib/dpkg/status");
    std::fs::copy("/var/lib/dpkg/status", status).unwrap();
    write(
        root,
        "usr/lib/os-release",
        "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
    );
    std::fs::create_dir_all(root.join("etc")).unwrap();
    std::os::unix::fs::symlink("../usr/lib/os-release", root.join("etc/os-release")).unwrap();
    let control = |name: &str| {
        format!(
            "Package: {name}\nVersion: 2:1.0~rc1-1+b1\nSource: ours (2:1.0~rc1-1)\n\
             Architecture: all\nMaintainer: Us <us@acme.example>\nDescription: ours\n"
        )
    };
    install(root, &control("left-behind"), true);
    succeed(dpkg(root).args(["--remove", "left-behind"]));
    install(root, &control("ours-c++"), false);
}

/// The packages that dpkg itself lists in a tree, as package URLs.
fn listed(root: &Path) -> BTreeSet<String> {
    let format = "${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\t\
        ${source:Package}\t${source:Version}\n";
    let mut query = Command::new("dpkg-query");
    query.arg(format!("--admindir={}/var/lib/dpkg", root.display()));
    let output = succeed(query.args(["--show", "--showformat", format]));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>());
    let escaped = |text: &str| text.replace('+', "%2B").replace('@', "%40");
    let url = |fields: Vec<&str>| {
        let [status, name, version, architecture, source, of] = *fields else {
            panic!("{fields:?}")
        };
        let upstream = match (source == name, of == version) {
            (true, true) => String::new(),
            (_, true) => format!("&upstream={}", escaped(source)),
            (_, false) => format!("&upstream={}", escaped(&format!("{source}@{of}"))),
        };
        let there = !["config-files", "not-installed"].contains(&status);
        there.then(|| {
            format!(
                "pkg:deb/debian/{}@{}?arch={architecture}&distro=debian-12{upstream}",
                escaped(name),
                escaped(version)
            )
        })
    };
    lines.filter_map(url).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_packages_of_debian_are_listed_as_dpkg_lists_them() {
    if !BUILDAH.is_here() || !has("dpkg") {
        return;
    }
    let project = project("FROM scratch\nCOPY root /\n");
    let root = project.path().join("root");
    debian(&root);
    project.commit();
    let (published, receipt) = publish(project.path(), &BUILDAH).await;
    let expected = listed(&root);
    assert!(expected.len() > 50, "{expected:?}");
    let ours = "pkg:deb/debian/ours-c%2B%2B@2:1.0~rc1-1%2Bb1?arch=all&distro=debian-12\
        &upstream=ours%402:1.0~rc1-1";
    assert!(expected.contains(ours), "{expected:#?}");
    assert_eq!(
        published.urls(),
        expected.iter().map(String::as_str).collect()
    );
    assert_eq!(published.aggregate(), "incomplete");
    let system = &published.cyclonedx["components"][0];
    assert_eq!(system["type"], "operating-system");
    assert_eq!(
        (&system["name"], &system["version"]),
        (&json!("debian"), &json!("12"))
    );
    assert!(published.unlisted()[0].contains("copied files"));

    // The same image has the same bill, whoever builds it.
    if CLASSIC.is_here() {
        std::fs::remove_dir_all(project.path().join("target")).unwrap();
        let (again, other) = publish(project.path(), &CLASSIC).await;
        assert_eq!(other["digest"], receipt["digest"]);
        assert_eq!(again.cyclonedx, published.cyclonedx);
        assert_eq!(again.spdx, published.spdx);
    }
}

/// What `apk` writes, by the documentation of its format.
const ALPINE: &str = "C:Q1xWPmqKBkYTbkGwwV2YGXpvMQF8A=\nP:busybox\nV:1.37.0-r12\nA:x86_64\n\
    L:GPL-2.0-only\no:busybox\nF:bin\nR:busybox\na:0:0:755\nZ:Q1AbCdEfGhIjKlMnOpQrStUvWxYz0=\n\n\
    P:ssl_client\nV:1.37.0-r12\nA:x86_64\nL:GPL-2.0-only\no:busybox\n\n";

#[tokio::test(flavor = "multi_thread")]
async fn the_packages_of_alpine_are_listed_with_licences_until_a_layer_removes_them() {
    if !BUILDAH.is_here() {
        return;
    }
    let project = project("FROM scratch\nCOPY root /\n");
    write(project.path(), "root/lib/apk/db/installed", ALPINE);
    write(
        project.path(),
        "root/etc/os-release",
        "ID=alpine\nVERSION_ID=3.22.1\n",
    );
    project.commit();
    let (published, _) = publish(project.path(), &BUILDAH).await;
    let client = "pkg:apk/alpine/ssl_client@1.37.0-r12?arch=x86_64&distro=alpine-3.22.1\
        &upstream=busybox";
    let busybox = "pkg:apk/alpine/busybox@1.37.0-r12?arch=x86_64&distro=alpine-3.22.1";
    assert_eq!(published.urls(), BTreeSet::from([busybox, client]));
    let licence = &published.cyclonedx["components"][1]["licenses"][0];
    assert_eq!(licence["expression"], "GPL-2.0-only");
    assert_eq!(
        published.spdx["packages"][2]["licenseDeclared"],
        "GPL-2.0-only"
    );

    project.edit("Dockerfile", "COPY root /\n", "COPY root/etc /etc\n");
    write(project.path(), "root/etc/os-release", "no system\n");
    project.commit();
    let (nothing, _) = publish(project.path(), &BUILDAH).await;
    assert_eq!(nothing.cyclonedx["components"], json!([]));
    assert_eq!(nothing.aggregate(), "unknown");
    let comment = nothing.spdx["packages"][0]["comment"].as_str().unwrap();
    assert!(comment.starts_with("What the image is made of is not known."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_read_is_named() {
    if !BUILDAH.is_here() {
        return;
    }
    let project = project("FROM scratch\nCOPY root /\n");
    write(
        project.path(),
        "root/usr/lib/sysimage/rpm/rpmdb.sqlite",
        "SQLite",
    );
    write(
        project.path(),
        "root/var/lib/dpkg/status",
        "Package: a\nVersion: 1\n\nPackage: b\n",
    );
    project.commit();
    let (published, _) = publish(project.path(), &BUILDAH).await;
    // Without a name of the system there are no package URLs, but there are packages.
    assert_eq!(published.urls(), BTreeSet::new());
    assert_eq!(published.cyclonedx["components"][0]["name"], "a");
    assert_eq!(
        published.unlisted()[1..],
        [
            "/usr/lib/sysimage/rpm/rpmdb.sqlite: databases of RPM are not read",
            "/var/lib/dpkg/status: the paragraph at line 4 has no version of `b`",
        ]
    );
}

/// A program that lists `seashell` and `driftwood`, in a project whose Dockerfile takes it.
fn with_program(dockerfile: &str) -> Project {
    let project = crate::advisories::project();
    project.commit_anyway();
    let mut build = longshore(project.path());
    let built = json_of(&succeed(build.args([
        "build",
        "--format",
        "json",
        "--allow-dirty",
    ])));
    let program = built["platforms"][0]["binary"].as_str().unwrap();
    std::fs::create_dir(project.path().join("root")).unwrap();
    std::fs::copy(program, project.path().join("root/tool")).unwrap();
    alone(project, dockerfile, ROOT)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_packages_of_a_program_that_lists_them_are_on_the_bill_of_its_image() {
    if !BUILDAH.is_here() {
        return;
    }
    let text = "FROM scratch\nCOPY root/tool /usr/local/bin/tool\nCOPY root/tool /usr/bin/hello\n";
    let project = with_program(text);
    let (published, _) = publish(project.path(), &BUILDAH).await;
    let urls = BTreeSet::from(["pkg:cargo/driftwood@1.0.0", "pkg:cargo/seashell@1.0.0"]);
    assert_eq!(published.urls(), urls);
    let components = published.cyclonedx["components"].as_array().unwrap();
    let hello = components
        .iter()
        .find(|of| of["type"] == "application")
        .unwrap();
    assert_eq!(
        hello["evidence"]["occurrences"],
        json!([{"location": "/usr/bin/hello"}, {"location": "/usr/local/bin/tool"}])
    );

    // Ours lies in the place of one of the two, and the other one is there still.
    project.edit(
        "longshore.toml",
        "name = \"hello\"\n",
        "package = \"hello\"\n",
    );
    project.commit_anyway();
    let mut build = BUILDAH.build(project.path());
    let built = json_of(&succeed(build.arg("--allow-dirty")));
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    let digest = built["digest"].as_str().unwrap();
    let mut command = project.publish(digest, &job);
    let receipt = json_of(&succeed(command.args(["--format", "json"])));
    let hybrid = of(&emulator, &receipt).await;
    assert_eq!(hybrid.urls(), urls);
    let components = hybrid.cyclonedx["components"].as_array().unwrap().iter();
    let applications: Vec<_> = components
        .filter(|of| of["type"] == "application")
        .collect();
    assert_eq!(applications.len(), 2);
    assert_eq!(applications[0]["bom-ref"], "local:hello@0.1.0");
    let place = json!([{"location": "/usr/local/bin/tool"}]);
    assert_eq!(applications[1]["evidence"]["occurrences"], place);
    let phases = json!([{"phase": "build"}, {"phase": "post-build"}]);
    assert_eq!(hybrid.cyclonedx["metadata"]["lifecycles"], phases);
}

/// An image with a package of every kind, and with a program of ours on it; none where
/// something is missing to make it.
pub(crate) fn of_everything() -> Option<Project> {
    if !BUILDAH.is_here() || !has("dpkg") {
        return None;
    }
    let project = with_program("FROM scratch\nCOPY root /\nCOPY root/tool /usr/bin/tool\n");
    let root = project.path().join("root");
    debian(&root);
    write(&root, "lib/apk/db/installed", ALPINE);
    write(&root, "var/lib/rpm/Packages", "Berkeley");
    project.edit(
        "longshore.toml",
        "name = \"hello\"\n",
        "package = \"hello\"\n",
    );
    project.commit_anyway();
    Some(project)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vulnerable_package_of_a_program_in_the_image_ends_the_publish() {
    if !BUILDAH.is_here() {
        return;
    }
    let project = with_program("FROM scratch\nCOPY root/tool /usr/bin/tool\n");
    let file = project.path().join("longshore.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let audit = "[audit]\nadvisories = \"deny\"\ndatabase = \"advisories\"\n";
    std::fs::write(file, format!("{text}\n{audit}")).unwrap();
    project.commit_anyway();
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    let refused = || {
        let mut command = BUILDAH.longshore(project.path());
        command
            .args(["publish", "--format", "json", "--allow-dirty"])
            .envs(job.iter().cloned());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(4), "{}", both(&output));
        json_of(&output)
    };
    let problem = refused();
    assert_eq!(problem["code"], "E016");
    let text = problem.to_string();
    for part in [
        "seashell 1.0.0 in /usr/bin/tool",
        "RUSTSEC-2099-0001: The sea is heard by everybody",
        "/usr/bin/tool has seashell@1.0.0 in it: the Dockerfile must bring one",
    ] {
        assert!(text.contains(part), "{part}: {problem:#}");
    }
    assert!(!text.contains("cargo update"), "{problem:#}");
    let registry = emulator.registry_reader().await;
    assert!(registry.complete_image("latest").await.is_none());

    // Nothing is known of an image without a list.
    write(project.path(), "root/tool", "#!/bin/sh\n");
    let problem = refused();
    assert_eq!(problem["code"], "E017");
    assert!(
        problem
            .to_string()
            .contains("no program in the Dockerfile's image lists")
    );
}
