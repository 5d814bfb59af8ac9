//! Other people's programs against the emulator, as their documentation says to
//! use them.

use std::process::Command;

use crate::harness::{in_ci, repository};

mod aws_cli;
mod bills;
mod boto3;
mod containers;
pub(crate) use containers::has_docker_engine;
pub(crate) mod cosign;
mod documentation;
pub(crate) mod images;
mod javascript;
mod keyless;
mod registry;
mod terraform;

/// A Python with `modules`: the gate's own, or the machine's.
fn python_with(modules: &str) -> Option<String> {
    let own = repository().join("target/ci-tools/bin/python");
    let candidates = [own.to_str().unwrap().to_owned(), "python3".to_owned()];
    let found = candidates.into_iter().find(|python| {
        let import = format!("import {modules}");
        let imported = Command::new(python).args(["-c", &import]).output();
        imported.is_ok_and(|output| output.status.success())
    });
    assert!(
        found.is_some() || !in_ci(),
        "no Python has {modules}: .ci/run must install it"
    );
    if found.is_none() {
        println!("skipped: no Python has {modules}");
    }
    found
}
