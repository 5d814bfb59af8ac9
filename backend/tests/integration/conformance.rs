//! The running service and its description, compared by schemathesis
//! (<https://schemathesis.io>): requests that the description allows and requests that
//! it forbids, and no answer that it does not describe.

use std::process::Command;

use crate::postgres;
use crate::process::Running;

/// That what the schema allows is accepted is not asked: preconditions, control
/// characters and names that are taken are beyond what a schema says.
const LEFT_OUT: &str = "positive_data_acceptance";

#[expect(clippy::print_stdout, reason = "says what is not tested")]
fn has_schemathesis() -> bool {
    let is_there = Command::new("schemathesis")
        .arg("--version")
        .output()
        .is_ok();
    let is_gate = std::env::vars_os().any(|(name, _)| name == "CI");
    assert!(is_there || !is_gate, "the gate needs schemathesis of PyPI");
    if !is_there {
        println!("not compared with its description: schemathesis is not installed");
    }
    is_there
}

fn compare(program: &dyn Fn() -> Command) {
    let directory = tempfile::tempdir().expect("a directory");
    let scopes = "content:write,contact:read,contact:delete,audit:read";
    let output = program()
        .args(["token", "create", "schemathesis", scopes])
        .output()
        .expect("a process");
    let token = String::from_utf8(output.stdout).expect("a token");
    let mut running = Running::start(&mut program());
    let address = running.address.clone();
    let Running { child, log, .. } = &mut running;
    let output = std::thread::scope(|scope| {
        // A log that nobody reads would stop the program.
        scope.spawn(|| log.for_each(drop));
        let output = Command::new("schemathesis")
            .current_dir(directory.path())
            .arg("run")
            .arg(format!("http://{address}/openapi.json"))
            .arg(format!("--header=Authorization: Bearer {}", token.trim()))
            .args([
                "--phases=examples,coverage,fuzzing",
                "--max-examples=20",
                "--seed=1",
            ])
            .args(["--exclude-checks", LEFT_OUT])
            .output();
        child.kill().expect("SIGKILL");
        output.expect("schemathesis")
    });
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}");
}

#[test]
fn the_service_is_what_its_description_says() {
    if !has_schemathesis() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    postgres::on_each_program(directory.path(), compare);
}
