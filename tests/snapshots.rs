//! Snapshots from the command line, as users see them.

use std::fmt::Write as _;
use std::process::{Command, Output};

use insta::assert_snapshot;

use crate::harness::{Emulator, Project, assert_valid, json_of, longshore, seen, snapshots};

/// An emulator with one image, and commands beside it.
struct Beside {
    project: Project,
    emulator: Emulator,
}

impl Beside {
    fn new() -> Self {
        let (project, digest) = Project::built();
        let emulator = Emulator::start(project.path());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let job = runtime.block_on(emulator.publisher());
        crate::harness::succeed(&mut project.publish(&digest, &job));
        Self { project, emulator }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = longshore(self.project.path());
        command.arg("emulator").args(arguments);
        command.env("AWS_ENDPOINT_URL", &self.emulator.url);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What the user sees, without what changes from run to run.
    fn seen(&self, arguments: &[&str]) -> String {
        seen(&self.run(arguments)).replace(&self.emulator.url, "ADDRESS")
    }
}

#[test]
fn snapshots_are_made_listed_restored_and_deleted() {
    let beside = Beside::new();
    let mut settings = snapshots();
    settings.add_filter(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME");
    settings.add_filter(r"[\d.]+ [kM]B", "SIZE");
    let _filters = settings.bind_to_scope();
    let mut text = String::new();
    for arguments in [
        &["snapshots"][..],
        &["snapshot", "seeded"],
        &["snapshot", "seeded"],
        &["snapshot", "later"],
        &["snapshots"],
        &["restore", "seeded"],
        &["restore", "missing"],
        &["snapshot", "../odd"],
        &["snapshot", "../reset", "--delete"],
        &["snapshot", "seeded", "--delete"],
        &["reset"],
        &["reset", "--snapshots"],
    ] {
        let seen = beside.seen(arguments);
        writeln!(text, "$ longshore emulator {}\n{seen}", arguments.join(" ")).unwrap();
    }
    assert_snapshot!("snapshots_text", text);
}

#[test]
fn documents_are_valid_and_name_the_snapshot() {
    let beside = Beside::new();
    let url = &beside.emulator.url;
    let made = json_of(&beside.run(&["snapshot", "one", url, "--format", "json"]));
    assert_valid("docs/schemas/emulator-snapshot.json", &made);
    assert_eq!(made["name"], "one");
    // The image, and the document of its inputs that refers to it.
    assert_eq!(made["images"], 5);
    let restored = json_of(&beside.run(&["restore", "one", "--format", "json"]));
    assert_eq!(restored, made);
    let listed = json_of(&beside.run(&["snapshots", "--format", "json"]));
    assert_valid("docs/schemas/emulator-snapshots.json", &listed);
    assert_eq!(listed["snapshots"][0], made);
    let left = json_of(&beside.run(&["reset", "--snapshots", "--format", "json"]));
    assert_eq!(left["snapshots"].as_array().unwrap().len(), 0);
    let unknown = json_of(&beside.run(&["restore", "one", "--format", "json"]));
    assert_valid("docs/schemas/problem.json", &unknown);
    assert_eq!(unknown["code"], "E056");
}

#[test]
fn an_emulator_without_controls_and_none_at_all_are_named() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(
        directory.path().join("longshore.toml"),
        "[image]\npackage = \"none\"\n",
    )
    .unwrap();
    let mut command = longshore(directory.path());
    command.args(["emulator", "--listen", "127.0.0.1:0"]);
    let emulator = Emulator::launch(&mut command);
    let ask = |url: &str| {
        let mut command = longshore(directory.path());
        seen(&command.args(["emulator", "reset", url]).output().unwrap())
    };
    let off = ask(&emulator.url);
    assert!(off.contains("error[E054]: nothing was reset"), "{off}");
    assert!(off.contains("longshore emulator --controls"), "{off}");
    let none = ask("http://127.0.0.1:9");
    assert!(none.contains("error[E054]: nothing was reset"), "{none}");
    assert!(none.contains("http://127.0.0.1:9"), "{none}");
}
