//! Programs that load shared libraries: packed with them, or left to a base.

use std::process::Command;

use serde_json::Value;

use crate::clients::has_docker_engine;
use crate::dockerfile::bills;
use crate::harness::{Emulator, Project, both, copy, json_of, longshore, succeed};
use crate::proxy::Proxy;
use crate::source::Cargo;

/// A program that says one thing and ends, linked dynamically.
fn project() -> Project {
    let project = Project::hello();
    let linking = "[image]\nlinking = \"dynamic\"";
    project.edit("longshore.toml", "[image]", linking);
    let program = "fn main() { println!(\"hello {}\", std::env::args().count()); }\n";
    std::fs::write(project.path().join("src/main.rs"), program).unwrap();
    project.commit();
    project
}

fn build(project: &Project) -> Command {
    let mut command = longshore(project.path());
    command.args(["build", "--format", "json"]);
    command
}

fn manifest(project: &Project, receipt: &Value) -> Value {
    let digest = &receipt["digest"].as_str().unwrap()[7..];
    let file = project.layout().join("blobs/sha256").join(digest);
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[test]
#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
fn a_program_runs_from_nothing_with_the_libraries_that_it_loads() {
    let project = project();
    let archive = project.path().join("target/image.tar");
    let mut command = build(&project);
    let built = json_of(&succeed(
        command
            .arg("--archive")
            .arg(format!("docker:{}", archive.display())),
    ));
    let manifest = manifest(&project, &built);
    let layers = manifest["layers"].as_array().unwrap().iter();
    let kinds: Vec<_> = layers
        .map(|layer| &layer["annotations"]["dev.longshore.layer"])
        .collect();
    assert_eq!(kinds, ["system", "libraries", "binary:/usr/bin/hello"]);

    // The same in another directory.
    let other = tempfile::tempdir().unwrap();
    copy(project.path(), other.path());
    std::fs::remove_dir_all(other.path().join("target")).unwrap();
    let mut elsewhere = longshore(other.path());
    let elsewhere = json_of(&succeed(elsewhere.args(["build", "--format", "json"])));
    assert_eq!(elsewhere["digest"], built["digest"]);

    if !has_docker_engine() {
        return;
    }
    let docker = |arguments: &[&str]| {
        let output = succeed(Command::new("docker").args(arguments));
        String::from_utf8(output.stdout).unwrap()
    };
    let loaded = docker(&["load", "--quiet", "--input", archive.to_str().unwrap()]);
    let name = loaded.lines().next().unwrap().rsplit(' ').next().unwrap();
    let run = [
        "run",
        "--rm",
        "--network=none",
        "--read-only",
        "--cap-drop=ALL",
        name,
    ];
    assert_eq!(docker(&run), "hello 1\n");
    let tagged = "docker image ls --quiet --no-trunc --filter reference=hello:*";
    assert!(!docker(&tagged.split(' ').skip(1).collect::<Vec<_>>()).is_empty());
    docker(&["image", "rm", "--force", name]);
}

#[tokio::test(flavor = "multi_thread")]
async fn libraries_are_recorded_and_a_commit_that_is_there_needs_no_cargo() {
    let project = project();
    let emulator = Emulator::start(project.path());
    let proxy = Proxy::start(&emulator).await;
    let job = proxy.publisher(&emulator).await;
    let cargo = Cargo::new();
    let first = json_of(&succeed(&mut cargo.publish(project.path(), &job)));
    assert_eq!(first["layers"].as_array().unwrap().len(), 3);
    let unlisted = bills::of(&emulator, &first).await.unlisted();
    assert_eq!(unlisted, ["the shared libraries that the program loads"]);
    cargo.asked();
    proxy.registry_requests();
    let fresh = tempfile::tempdir().unwrap();
    copy(project.path(), fresh.path());
    std::fs::remove_dir_all(fresh.path().join("target")).unwrap();
    let again = json_of(&succeed(&mut cargo.publish(fresh.path(), &job)));
    assert_eq!(again["unchanged"], true, "{again:#}");
    assert_eq!(cargo.asked(), ["metadata"]);
    assert_eq!(proxy.registry_requests().len(), 2);

    // Linked otherwise it is another image: that is what changed.
    project.edit("longshore.toml", "linking = \"dynamic\"\n", "");
    let mut why = longshore(project.path());
    why.args(["build", "--why", "--format", "json"]);
    let why = json_of(&succeed(why.envs(emulator.variables.iter().cloned())));
    let changes = why["changes"].as_array().unwrap().iter();
    let names: Vec<_> = changes
        .map(|change| change["name"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"flags") && names.contains(&"layer:libraries"),
        "{names:?}"
    );
    let library = |name: &&str| name.starts_with("library:") && name.ends_with("/libc.so.6");
    assert!(names.iter().any(library), "{names:?}");
}

#[test]
fn on_a_base_the_libraries_are_those_of_the_base() {
    let project = project();
    succeed(
        build(&project)
            .arg("--layout")
            .arg(project.path().join("base")),
    );
    project.edit("longshore.toml", "[image]", "[image]\nbase = \"oci:base\"");
    succeed(longshore(project.path()).args(["base", "update"]));
    project.commit();
    let built = json_of(&succeed(&mut build(&project)));
    let manifest = manifest(&project, &built);
    let layers = manifest["layers"].as_array().unwrap().iter();
    let kinds: Vec<_> = layers
        .map(|layer| &layer["annotations"]["dev.longshore.layer"])
        .collect();
    let program = "binary:/usr/bin/hello";
    assert_eq!(kinds, ["system", "libraries", program, program]);
}

#[test]
fn a_library_that_is_not_there_and_a_target_without_glibc_are_told() {
    let project = project();
    project.edit(
        "longshore.toml",
        "[image]",
        "[image]\ntarget = \"x86_64-unknown-linux-musl\"",
    );
    let output = build(&project).arg("--allow-dirty").output().unwrap();
    let text = both(&output);
    assert!(
        text.contains("image.linking") && text.contains("glibc"),
        "{text}"
    );
}
