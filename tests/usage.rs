//! What roles used of what they may do: what users see, whole.

use std::process::{Command, Output};

use serde_json::Value;

use crate::harness::{
    Emulator, Project, assert_valid, both, json_of, longshore, seen, snapshots, succeed,
};

/// Compares with `tests/snapshots/NAME.snap`; what differs from run to run is
/// masked.
fn assert_seen(name: &str, seen: &str) {
    let mut settings = snapshots();
    settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME");
    settings.add_filter(r"127\.0\.0\.1:\d+", "EMULATOR");
    settings.add_filter(r"/[^ ]*/emulator\b", "DATA");
    settings.bind(|| insta::assert_snapshot!(name, seen));
}

fn usage(project: &Project, arguments: &[&str]) -> Command {
    let mut command = longshore(project.path());
    command.args(["emulator", "usage"]).args(arguments);
    command
}

/// A project whose job has published to an emulator: the project, the emulator
/// and its data directory.
async fn published() -> (Project, Emulator, String) {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    succeed(&mut project.publish(&digest, &job));
    let data = written(&emulator).await;
    (project, emulator, data)
}

/// The data directory, when everything that was called is in the trail's files.
async fn written(emulator: &Emulator) -> String {
    let trail = format!("{}/_longshore/trail?request_id=none", emulator.url);
    reqwest::get(trail)
        .await
        .unwrap()
        .error_for_status()
        .unwrap();
    let data = emulator.data.path().join("emulator");
    data.to_str().unwrap().to_owned()
}

/// The same where the role may do something that it does not need, and lacks
/// what it does.
async fn refused() -> (Project, Emulator, String) {
    let (project, digest) = Project::built();
    let module = "infra/modules/github-oidc/main.tf";
    project.edit(module, "\"ecr:PutImage\"", "\"ecr:BatchDelete*\"");
    let emulator = Emulator::start(project.path());
    let job = emulator.publisher().await;
    let refused = project.publish(&digest, &job).output().unwrap();
    assert_eq!(refused.status.code(), Some(6), "{}", both(&refused));
    let data = written(&emulator).await;
    (project, emulator, data)
}

fn of_role<'a>(report: &'a Value, name: &str) -> &'a Value {
    let mut roles = report["roles"].as_array().unwrap().iter();
    roles
        .find(|role| role["role"].as_str().unwrap().ends_with(name))
        .unwrap()
}

#[tokio::test]
async fn a_refused_publish_is_reported_against_the_policy_of_its_role() {
    let (project, mut emulator, data) = refused().await;
    let arguments = ["--data", &data, "--role", "portfolio-publisher"];
    let running = usage(&project, &arguments).output().unwrap();
    assert_eq!(running.status.code(), Some(0), "{}", both(&running));
    assert_seen("usage_text", &seen(&running));
    let coloured = usage(&project, &arguments)
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    assert_seen("usage_coloured", &seen(&coloured));
    let as_json = usage(&project, &[&arguments[..], &["--format", "json"]].concat());
    let as_json = run(as_json);
    assert_seen("usage_json", &seen(&as_json));
    let document = json_of(&as_json);
    assert_valid("docs/schemas/usage-report.json", &document);

    // The files say the same when the emulator has stopped, and so do its
    // controls while it runs.
    let asked = usage(&project, &[&emulator.url, "--format", "json"]);
    let asked = json_of(&run(asked));
    assert_eq!(
        &document["roles"][0],
        of_role(&asked, "role/portfolio-publisher")
    );
    emulator.kill();
    let stopped = usage(&project, &[&arguments[..], &["--format", "json"]].concat());
    assert_eq!(json_of(&run(stopped)), document);
}

fn run(mut command: Command) -> Output {
    succeed(&mut command)
}

#[tokio::test]
async fn the_smallest_policy_is_written_for_terraform() {
    let (project, _emulator, data) = published().await;
    let policy = run(usage(&project, &["--data", &data, "--policy"]));
    assert_seen("usage_policy", &seen(&policy));
    let of_role = ["--data", &data, "--policy", "--role", "portfolio-publisher"];
    assert_eq!(run(usage(&project, &of_role)).stdout, policy.stdout);
    let later = [
        "--data",
        &data,
        "--policy",
        "--since",
        "2999-01-01T00:00:00Z",
    ];
    let nothing = usage(&project, &later).output().unwrap();
    assert_eq!(nothing.status.code(), Some(3));
    assert_seen("usage_nothing", &seen(&nothing));
}

#[tokio::test]
async fn what_cannot_be_reported_is_said_with_a_way_on() {
    let project = Project::hello();
    let nowhere = usage(&project, &["--data", "/nowhere/emulator"])
        .output()
        .unwrap();
    assert_eq!(nowhere.status.code(), Some(8));
    assert_seen("usage_nowhere", &seen(&nowhere));

    let emulator = Emulator::start(project.path());
    let data = emulator.data.path().join("emulator");
    let data = data.to_str().unwrap();
    let unknown = usage(&project, &["--data", data, "--role", "deployer"])
        .output()
        .unwrap();
    assert_eq!(unknown.status.code(), Some(3));
    assert_seen("usage_unknown_role", &seen(&unknown));
    let idle = run(usage(&project, &["--data", data]));
    assert_seen("usage_idle", &seen(&idle));

    let both_sources = usage(&project, &[&emulator.url, "--data", data])
        .output()
        .unwrap();
    assert_eq!(
        both_sources.status.code(),
        Some(2),
        "{}",
        both(&both_sources)
    );
    let closed = usage(&project, &["http://127.0.0.1:1"]).output().unwrap();
    assert_eq!(closed.status.code(), Some(8), "{}", both(&closed));
}
