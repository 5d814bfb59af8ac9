//! Images of Dockerfiles: the same from every builder, built when something changed and
//! not otherwise, and without their secrets.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::clients::has_docker_engine;
use crate::harness::{Emulator, Project, copy, has, json_of, longshore, succeed};
use crate::proxy::Proxy;

pub(crate) mod bills;
mod buildkit;
mod failures;
mod platforms;

/// Everything in which builders differ: layers for `WORKDIR`, emptied directories, links,
/// what a `RUN` leaves behind, settings.
const WHOLE: &str = r#"ARG FLAVOUR=plain
FROM scratch AS tools
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN mkdir -p /var/cache/x /srv && echo 1 > /var/cache/x/a && echo 2 > /srv/two && ln /srv/two /srv/also
FROM tools
ARG FLAVOUR
WORKDIR /app
COPY web/ web/
RUN rm -r /var/cache/x && mkdir /var/cache/x && echo 3 > /var/cache/x/b && rm /srv/also \
    && chmod 4755 /bin/busybox && chown 7:8 /srv/two
ENV GREETING=hello
RUN true
USER 7:8
EXPOSE 8080
HEALTHCHECK CMD ["/bin/true"]
ENTRYPOINT ["/bin/sh", "-c"]
CMD ["echo $GREETING from $(pwd): $(ls web) $(cat /srv/two) $(id -u)"]
"#;

/// A project that is a Dockerfile alone.
fn project(dockerfile: &str) -> Project {
    let project = Project::hello();
    write(project.path(), "web/index.html", "<p>hello</p>\n");
    let busybox = succeed(Command::new("sh").args(["-c", "command -v busybox"]));
    let busybox = String::from_utf8(busybox.stdout).unwrap();
    std::fs::copy(busybox.trim(), project.path().join("busybox")).unwrap();
    alone(project, dockerfile, "*\n!web\n!busybox\n")
}

/// Makes a project a Dockerfile alone, with a `.dockerignore`.
fn alone(project: Project, dockerfile: &str, ignore: &str) -> Project {
    write(project.path(), "Dockerfile", dockerfile);
    write(project.path(), ".dockerignore", ignore);
    project.edit(
        "longshore.toml",
        "package = \"hello\"\n",
        "name = \"hello\"\ndockerfile = {}\n",
    );
    project.commit();
    project
}

/// The same on which the program of the package is put.
fn hybrid(dockerfile: &str) -> Project {
    let project = project(dockerfile);
    project.edit(
        "longshore.toml",
        "name = \"hello\"\n",
        "package = \"hello\"\n",
    );
    project.commit();
    project
}

fn write(directory: &Path, file: &str, text: &str) {
    let path = directory.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A builder of this machine: how it is called, and what it is told by variables.
pub(crate) struct Builder {
    name: &'static str,
    variables: &'static [(&'static str, &'static str)],
}

const CLASSIC: Builder = Builder {
    name: "docker",
    variables: &[("DOCKER_BUILDKIT", "0")],
};
const BUILDKIT: Builder = Builder {
    name: "docker",
    variables: &[("DOCKER_BUILDKIT", "1")],
};
pub(crate) const BUILDAH: Builder = Builder {
    name: "buildah",
    // Works in a container too, where cgroups belong to somebody else.
    variables: &[("BUILDAH_ISOLATION", "chroot")],
};
const PODMAN: Builder = Builder {
    name: "podman",
    variables: BUILDAH.variables,
};

impl Builder {
    fn is_here(&self) -> bool {
        match self.name {
            "docker" => has("busybox") && has_docker_engine(),
            name => has("busybox") && has(name),
        }
    }

    fn longshore(&self, directory: &Path) -> Command {
        let mut command = longshore(directory);
        let path = std::env::var("PATH").unwrap();
        command
            // Debian's own client has BuildKit's in it; others want one more package.
            .env("PATH", format!("/usr/bin:{path}"))
            .envs(self.environment());
        command
    }

    /// What chooses it.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let chosen = [("LONGSHORE_BUILDER", self.name)];
        chosen.into_iter().chain(self.variables.iter().copied())
    }

    fn build(&self, directory: &Path) -> Command {
        let mut command = self.longshore(directory);
        command.args(["build", "--format", "json"]);
        command
    }
}

/// A copy of a project in another directory, of which nothing has been built.
fn fresh(project: &Project) -> TempDir {
    let fresh = tempfile::tempdir().unwrap();
    copy(project.path(), fresh.path());
    let _ = std::fs::remove_dir_all(fresh.path().join("target"));
    fresh
}

fn digests_of_layers(receipt: &Value) -> Vec<&str> {
    let layers = receipt["layers"].as_array().unwrap().iter();
    layers
        .map(|layer| layer["digest"].as_str().unwrap())
        .collect()
}

#[test]
fn every_builder_gives_the_same_digest() {
    let builders = [CLASSIC, BUILDKIT, BUILDAH, PODMAN];
    if !builders.iter().all(Builder::is_here) {
        return;
    }
    let project = project(WHOLE);
    let mut digests = Vec::new();
    for builder in &builders {
        let fresh = fresh(&project);
        let built = json_of(&succeed(&mut builder.build(fresh.path())));
        digests.push((built["digest"].clone(), built["layers"].clone()));
    }
    assert_eq!(
        digests[0], digests[1],
        "Docker's older builder and BuildKit"
    );
    assert_eq!(digests[0], digests[2], "Docker and Buildah");
    assert_eq!(digests[0], digests[3], "Docker and Podman");
    // Base, links, files, WORKDIR with what was copied there, and the last RUN that
    // changed something.
    assert_eq!(digests[0].1.as_array().unwrap().len(), 5);
}

#[test]
fn the_digest_follows_from_content_and_not_from_the_checkout() {
    if !BUILDAH.is_here() {
        return;
    }
    let project = project(WHOLE);
    let first = json_of(&succeed(&mut BUILDAH.build(project.path())));
    let fresh = fresh(&project);
    // Another umask, other times, and neighbours that are left out.
    let file = fresh.path().join("web/index.html");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o664)).unwrap();
    let times = std::fs::File::options().write(true).open(&file).unwrap();
    times
        .set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    let mut build = BUILDAH.build(fresh.path());
    write(fresh.path(), "target/left/behind", "x");
    let second = json_of(&succeed(&mut build));
    assert_eq!(second["digest"], first["digest"]);

    write(fresh.path(), "web/index.html", "<p>bye</p>\n");
    let third = json_of(&succeed(BUILDAH.build(fresh.path()).arg("--allow-dirty")));
    let (before, after) = (digests_of_layers(&first), digests_of_layers(&third));
    assert_eq!(before[..3], after[..3], "the layers below the change");
    assert_ne!(before[3], after[3], "the layer of the change");
    assert_eq!(before[4], after[4], "the layer above it");
}

#[test]
fn docker_runs_the_image_with_the_settings_of_its_dockerfile() {
    if !CLASSIC.is_here() {
        return;
    }
    let project = project(WHOLE);
    let archive = project.path().join("target/image.tar");
    let mut build = CLASSIC.build(project.path());
    build
        .arg("--archive")
        .arg(format!("docker:{}", archive.display()));
    succeed(&mut build);
    succeed(
        Command::new("docker")
            .arg("load")
            .arg("--input")
            .arg(&archive),
    );
    let image = "hello:latest";
    let output = succeed(Command::new("docker").args(["run", "--rm", "--network=none", image]));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap().trim(),
        "hello from /app: index.html 2 7"
    );
    let format = "{{json .Config}}";
    let inspected = Command::new("docker")
        .args(["inspect", "--format", format, image])
        .output();
    let config: Value = serde_json::from_slice(&inspected.unwrap().stdout).unwrap();
    assert_eq!(config["Healthcheck"]["Test"][1], "/bin/true");
    assert_eq!(config["User"], "7:8");
}

/// A builder that notes what it is asked, and passes it on.
struct Noting(TempDir);

impl Noting {
    fn new(program: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let script = format!(
            "#!/bin/sh\necho \"$1\" >> {}\nPATH=\"${{PATH#*:}}\" exec {program} \"$@\"\n",
            directory.path().join("asked").display()
        );
        let noting = Self(directory);
        noting.install(program, &script);
        noting
    }

    fn install(&self, program: &str, script: &str) {
        let path = self.0.path().join(program);
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn asked(&self) -> Vec<String> {
        let file = self.0.path().join("asked");
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let _ = std::fs::remove_file(file);
        text.lines().map(str::to_owned).collect()
    }

    fn before<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", self.0.path().display()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dockerfile_without_changes_is_published_with_two_requests_and_no_builder() {
    if !BUILDAH.is_here() {
        return;
    }
    let project = project(WHOLE);
    let emulator = Emulator::start(project.path());
    let proxy = Proxy::start(&emulator).await;
    let job = proxy.publisher(&emulator).await;
    let noting = Noting::new("buildah");
    let publish = |directory: &Path| {
        let mut command = BUILDAH.longshore(directory);
        noting.before(&mut command);
        command
            .args(["publish", "--format", "json"])
            .envs(job.iter().cloned());
        json_of(&succeed(&mut command))
    };
    let first = publish(project.path());
    assert_eq!(noting.asked(), ["build", "push"]);
    assert!(proxy.registry_requests().len() > 2);

    let fresh = fresh(&project);
    for directory in [project.path(), fresh.path()] {
        let again = publish(directory);
        assert_eq!(again["unchanged"], true, "{again:#}");
        assert_eq!(again["digest"], first["digest"]);
        assert_eq!(noting.asked(), Vec::<String>::new());
        let requests = proxy.registry_requests();
        assert_eq!(requests.len(), 2, "{requests:?}");
    }

    let said = first["attestations"].to_string();
    for name in ["provenance", "CycloneDX", "SPDX"] {
        assert!(said.contains(name), "{first:#}");
    }
}

#[test]
fn every_builder_knows_the_platform_that_it_builds_for() {
    let text = "ARG TARGETARCH\nFROM scratch AS for-amd64\nCOPY busybox /bin/busybox\nFROM scratch AS for-arm64\n\
        FROM for-$TARGETARCH\nARG TARGETARCH\nARG TARGETPLATFORM\nARG TARGETOS\nARG TARGETVARIANT\n\
        LABEL platform=$TARGETPLATFORM arch=$TARGETOS-$TARGETARCH-$TARGETVARIANT\n";
    for builder in [CLASSIC, BUILDKIT, BUILDAH] {
        if !builder.is_here() {
            return;
        }
        let project = project(text);
        succeed(&mut builder.build(project.path()));
        let labels = &archive_config(&project)["config"]["Labels"];
        assert_eq!(labels["platform"], "linux/amd64", "{}", builder.name);
        assert_eq!(labels["arch"], "linux-amd64-", "{}", builder.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_a_builder_works_publishes_nothing_and_leaves_nothing() {
    use std::io::BufRead as _;
    use std::os::unix::process::CommandExt as _;

    if !BUILDAH.is_here() {
        return;
    }
    let text =
        "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"sleep\", \"50\"]\n";
    let project = project(text);
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    let publish = || {
        let mut command = BUILDAH.longshore(project.path());
        command
            .arg("publish")
            .envs(job.iter().cloned())
            .env("CI", "true");
        command
    };
    let mut command = publish();
    let started = command
        .process_group(0)
        .stderr(std::process::Stdio::piped());
    let mut child = started.spawn().unwrap();
    let lines = std::io::BufReader::new(child.stderr.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    assert!(
        lines.any(|line| line.contains("STEP 3")),
        "the builder works"
    );
    let group = format!("-{}", child.id());
    succeed(Command::new("kill").args(["-KILL", "--", &group]));
    child.wait().unwrap();
    let registry = emulator.registry_reader().await;
    assert!(registry.complete_image("latest").await.is_none());
    let kept = project.path().join("target/longshore/dockerfile");
    let left = || -> Vec<String> {
        let entries = std::fs::read_dir(&kept).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.starts_with("image-")).collect()
    };
    assert_eq!(left().len(), 1, "what the killed build worked in");

    project.edit("Dockerfile", "\"sleep\", \"50\"", "\"true\"");
    project.commit();
    succeed(&mut publish());
    assert!(registry.complete_image("latest").await.is_some());
    assert_eq!(left(), Vec::<String>::new());
}

#[test]
fn a_program_is_put_on_the_image_which_is_built_again_only_when_it_changes() {
    if !BUILDAH.is_here() {
        return;
    }
    let project = hybrid(WHOLE);
    let noting = Noting::new("buildah");
    let build = |arguments: &[&str]| {
        let mut command = BUILDAH.build(project.path());
        json_of(&succeed(noting.before(&mut command).args(arguments)))
    };
    let first = build(&[]);
    assert_eq!(noting.asked(), ["build", "push"]);
    project.edit("src/main.rs", "200 OK", "202 Accepted");
    let second = build(&["--allow-dirty"]);
    assert_eq!(noting.asked(), Vec::<String>::new());
    let (before, after) = (digests_of_layers(&first), digests_of_layers(&second));
    assert_eq!(before.len(), 6);
    assert_eq!(before[..5], after[..5]);
    assert_ne!(before[5], after[5]);

    write(project.path(), "web/index.html", "other");
    build(&["--allow-dirty"]);
    assert_eq!(noting.asked(), ["build", "push"]);

    let image = archive_config(&project);
    assert_eq!(image["config"]["Entrypoint"][0], "/usr/bin/hello");
    assert_eq!(image["config"]["Cmd"], Value::Null);
    assert_eq!(image["config"]["User"], "7:8");
    assert_eq!(image["config"]["WorkingDir"], "/app");
}

/// The configuration of the image in a project's layout.
fn archive_config(project: &Project) -> Value {
    let layout = project.layout();
    let read =
        |path: PathBuf| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let blob = |digest: &Value| {
        layout
            .join("blobs/sha256")
            .join(&digest.as_str().unwrap()[7..])
    };
    let manifest = read(blob(
        &read(layout.join("index.json"))["manifests"][0]["digest"],
    ));
    read(blob(&manifest["config"]["digest"]))
}

/// What BuildKit's clients are asked, and that what they write is taken. They are fakes:
/// no package of Debian's has the first, and the second is real in `buildkit.rs`.
#[test]
fn buildctl_and_buildx_are_asked_for_an_archive() {
    if !CLASSIC.is_here() {
        return;
    }
    let project = project(WHOLE);
    let real = json_of(&succeed(&mut CLASSIC.build(project.path())));
    let archive = saved(&project);
    for (builder, program, words) in [
        (
            "buildctl",
            "buildctl",
            [
                "--frontend dockerfile.v0",
                "--local=context=",
                "--opt=build-arg:FLAVOUR=x",
                "force-compression=true",
            ],
        ),
        (
            "buildx",
            "docker",
            [
                "buildx build --file=",
                "--build-arg=FLAVOUR=x",
                "--provenance=false",
                "--output=type=docker,compression=uncompressed,",
            ],
        ),
    ] {
        let fresh = fresh(&project);
        let file = fresh.path().join("longshore.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let arguments = "dockerfile = { arguments = { FLAVOUR = \"x\" } }";
        std::fs::write(file, text.replace("dockerfile = {}", arguments)).unwrap();
        let noting = Noting(tempfile::tempdir().unwrap());
        let asked = noting.0.path().join("asked");
        noting.install(program, &format!(
            "#!/bin/sh\necho \"$@\" >> {}\necho Driver: docker-container\nfor word; do case $word in --output=*) word=${{word#*dest=}}; cp {} \"${{word%%,*}}\";; esac; done\n",
            asked.display(), archive.path().join("image.tar").display(),
        ));
        let mut build = longshore(fresh.path());
        noting
            .before(&mut build)
            .args(["build", "--allow-dirty", "--format", "json"]);
        let built = json_of(&succeed(build.env("LONGSHORE_BUILDER", builder)));
        assert_eq!(built["layers"], real["layers"]);
        let asked = std::fs::read_to_string(asked).unwrap();
        for word in words {
            assert!(asked.contains(word), "{word}: {asked}");
        }
    }
}

/// The image of a project's Dockerfile as Docker saves it.
fn saved(project: &Project) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let id = directory.path().join("id");
    let mut build = Command::new("/usr/bin/docker");
    build
        .env("DOCKER_BUILDKIT", "0")
        .args(["build", "--quiet", "--iidfile"]);
    succeed(build.arg(&id).arg(project.path()));
    let mut save = Command::new("docker");
    save.arg("save")
        .arg("--output")
        .arg(directory.path().join("image.tar"));
    succeed(save.arg(std::fs::read_to_string(id).unwrap().trim()));
    directory
}
