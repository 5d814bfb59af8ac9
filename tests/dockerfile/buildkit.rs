//! Real BuildKit, by Buildx: the one in Docker Engine 20.10, which writes no archive; the
//! one in a newer engine, which does; and that one as a remote `buildkitd`. All come from
//! Debian's packages.

use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{BUILDAH, Builder, CLASSIC, WHOLE, archive_config, fresh, project};
use crate::clients::has_docker_engine;
use crate::harness::{both, in_ci, json_of, repository, succeed};

const BUILDX: Builder = Builder {
    name: "buildx",
    variables: &[],
};
/// A newer client asks the BuildKit of its engine through Buildx by itself, and does without
/// attestations where it is told so.
const DOCKER: Builder = Builder {
    name: "docker",
    variables: &[("BUILDX_NO_DEFAULT_ATTESTATIONS", "1")],
};

/// A file of the packages that `.ci/run` unpacks beside the machine's own.
fn unpacked(path: &str) -> Option<PathBuf> {
    let file = repository().join("target/ci-tools/docker").join(path);
    let found = file.is_file();
    assert!(found || !in_ci(), "{path} is missing: .ci/run must get it");
    if !found {
        println!("skipped: {} is not there", file.display());
    }
    found.then_some(file)
}

/// What Docker's clients keep, with Buildx among their plugins.
pub(super) struct Buildx(TempDir);

impl Buildx {
    /// A printed reason where there is none.
    pub(super) fn new() -> Option<Self> {
        let plugin = unpacked("usr/libexec/docker/cli-plugins/docker-buildx")?;
        let kept = tempfile::tempdir().unwrap();
        let plugins = serde_json::json!({"cliPluginsExtraDirs": [plugin.parent().unwrap()]});
        std::fs::write(kept.path().join("config.json"), plugins.to_string()).unwrap();
        Some(Self(kept))
    }

    /// The variables under which a client finds it, and `engine`.
    pub(super) fn variables(&self, engine: Option<&Engine>) -> Vec<(&'static str, String)> {
        let kept = self.0.path().display().to_string();
        let mut variables = vec![("DOCKER_CONFIG", kept)];
        if let Some(engine) = engine {
            variables.push(("DOCKER_HOST", engine.address()));
            variables.push(("PATH", engine.path.clone()));
        }
        variables
    }
}

/// A newer Docker Engine with containerd's image store, in a network of its own; it ends
/// with this value.
pub(super) struct Engine {
    child: Child,
    /// With its own programs before the machine's.
    path: String,
    place: TempDir,
}

impl Engine {
    pub(super) fn start() -> Option<Self> {
        let program = unpacked("usr/sbin/dockerd")?;
        let programs = program.ancestors().nth(2).unwrap().join("bin");
        let place = tempfile::tempdir().unwrap();
        let below = |name: &str| place.path().join(name);
        let settings = r#"{"features": {"containerd-snapshotter": true}}"#;
        std::fs::write(below("settings"), settings).unwrap();
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("unshare");
        command.arg("--net").arg(program).env("PATH", &path);
        for (option, name) in [
            ("--config-file", "settings"),
            ("--data-root", "data"),
            ("--exec-root", "exec"),
            ("--pidfile", "pid"),
        ] {
            command.arg(option).arg(below(name));
        }
        command.arg(format!("--host=unix://{}", below("socket").display()));
        command.args(["--iptables=false", "--ip6tables=false"]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        let listens = lines.by_ref().map_while(Result::ok).any(|line| {
            let listens = line.contains("API listen on");
            said.push(line);
            listens
        });
        assert!(listens, "the engine ended: {said:#?}");
        std::thread::spawn(move || lines.count());
        Some(Self { child, path, place })
    }

    fn address(&self) -> String {
        format!("unix://{}", self.place.path().join("socket").display())
    }

    /// The BuildKit in it as a daemon on its own: Buildx's builder `remote`.
    fn remote(&self, buildx: &Buildx) -> Vec<(&'static str, String)> {
        let socket = self.place.path().join("buildkitd");
        let listener = UnixListener::bind(&socket).unwrap();
        let dial = self.client(buildx, &["dial-stdio"]);
        std::thread::spawn(move || serve(&listener, dial));
        let address = format!("unix://{}", socket.display());
        let create = ["create", "--driver=remote", "--name=remote", &address];
        succeed(&mut self.client(buildx, &create));
        let mut variables = buildx.variables(None);
        variables.push(("BUILDX_BUILDER", "remote".to_owned()));
        variables
    }

    fn client(&self, buildx: &Buildx, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        let variables = buildx.variables(Some(self));
        command.arg("buildx").args(arguments).envs(variables);
        command
    }
}

/// A client of its own for each connection; ends with the test's process.
fn serve(listener: &UnixListener, mut dial: Command) {
    for connection in listener.incoming() {
        let connection = std::os::fd::OwnedFd::from(connection.unwrap());
        dial.stdin(connection.try_clone().unwrap())
            .stdout(connection);
        let mut child = dial.stderr(Stdio::null()).spawn().unwrap();
        std::thread::spawn(move || child.wait());
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It ends its containerd only where it is asked.
        let id = self.child.id().to_string();
        let _ = Command::new("kill").arg(&id).status();
        let _ = self.child.wait();
    }
}

fn build(builder: &Builder, directory: &Path, variables: &[(&'static str, String)]) -> Command {
    let mut command = builder.build(directory);
    command.envs(variables.iter().cloned());
    command
}

#[test]
fn buildx_on_an_engine_that_writes_no_archive_gives_the_digest_of_docker() {
    let Some(buildx) = Buildx::new().filter(|_| has_docker_engine()) else {
        return;
    };
    let project = project(WHOLE);
    let docker = json_of(&succeed(&mut CLASSIC.build(project.path())));
    let variables = buildx.variables(None);
    let mut inspect = Command::new("docker");
    inspect
        .args(["buildx", "inspect"])
        .envs(variables.iter().cloned());
    let inspected = both(&succeed(&mut inspect));
    assert!(inspected.contains("Driver: docker\n"), "{inspected}");
    for chosen in [BUILDX.name, ""] {
        let fresh = fresh(&project);
        let mut build = build(&BUILDX, fresh.path(), &variables);
        let built = json_of(&succeed(build.env("LONGSHORE_BUILDER", chosen)));
        assert_eq!(built["digest"], docker["digest"], "{chosen}");
    }
}

#[test]
fn a_newer_buildkit_in_its_engine_and_remote_gives_the_digest_of_docker() {
    let Some((buildx, engine)) = Buildx::new().zip(Engine::start()) else {
        return;
    };
    if !CLASSIC.is_here() {
        return;
    }
    let newer = buildx.variables(Some(&engine));
    let ways = [
        (CLASSIC, newer.clone()),
        (DOCKER, newer.clone()),
        (BUILDX, newer),
        (BUILDX, engine.remote(&buildx)),
    ];
    let project = project(WHOLE);
    let docker = json_of(&succeed(&mut CLASSIC.build(project.path())));
    for (builder, variables) in &ways {
        let fresh = fresh(&project);
        let built = json_of(&succeed(&mut build(builder, fresh.path(), variables)));
        assert_eq!(built["digest"], docker["digest"], "{variables:?}");
    }

    // Asked with other arguments, its steps are not those of the cache.
    project.edit("Dockerfile", "RUN true", "RUN echo so far; exit 3");
    project.commit();
    for (builder, variables) in &ways {
        let fresh = fresh(&project);
        let output = build(builder, fresh.path(), variables).output().unwrap();
        let told = both(&output);
        assert_eq!(output.status.code(), Some(4), "{told}");
        for word in ["E060", "Dockerfile:13: ", "so far"] {
            assert!(told.contains(word), "{word}: {told}");
        }
    }
}

#[test]
fn a_builder_whose_daemon_does_not_answer_is_passed_over() {
    let Some(buildx) = Buildx::new().filter(|_| BUILDAH.is_here()) else {
        return;
    };
    let project = project(WHOLE);
    let mut build = build(&BUILDAH, project.path(), &buildx.variables(None));
    build.env("LONGSHORE_BUILDER", "");
    build.env("DOCKER_HOST", "unix:///nowhere");
    succeed(&mut build);
    assert_eq!(archive_config(&project)["config"]["User"], "7:8");
}
