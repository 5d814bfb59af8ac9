//! The running service and its description, compared by schemathesis
//! (<https://schemathesis.io>): requests that the description allows and requests that
//! it forbids, and no answer that it does not describe.

use std::process::Command;

use crate::postgres;
use crate::process::Running;

/// What the description allows may be answered by 412 or 428 too: which version is there,
/// and that one of two headers must be there, is beyond what a description can say. And by
/// 400: schemathesis takes the quotes off an `ETag` in some of its requests.
const CHECKS: &str = r#"
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "400", "401", "403", "404", "412", "428", "429"]
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "406", "412", "413", "415", "422", "428"]
"#;

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
    fs_err::write(directory.path().join("schemathesis.toml"), CHECKS).expect("a file");
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
