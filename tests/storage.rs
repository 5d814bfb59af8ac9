//! What the emulator's storage promises, asked of the real process: kills, load,
//! and disks that fail.

mod client;
mod crash;
mod disk;
mod failures;
mod ledger;
mod load;
mod pusher;
mod restore;

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

pub(crate) use load::peak_memory;

use crate::harness::{Emulator, longshore};

/// The repository of these tests, with tags that move.
const REPOSITORY: &str = "storage";

/// A project whose Terraform root describes that repository and nothing else.
fn project() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| {
        std::fs::write(directory.path().join(file), text).unwrap();
    };
    write(
        "longshore.toml",
        "[image]\npackage = \"none\"\n[aws]\nterraform = \".\"\naccount = \"123456789012\"\n",
    );
    write(
        "main.tf",
        "provider \"aws\" {\n  region = \"eu-central-1\"\n}\n\
         resource \"aws_ecr_repository\" \"storage\" {\n  name = \"storage\"\n}\n",
    );
    directory
}

/// The emulator of that project, on a free port.
fn command(project: &Path) -> Command {
    let mut command = longshore(project);
    command.args(["emulator", "--listen", "127.0.0.1:0", "--controls"]);
    command.stderr(Stdio::null());
    command
}

/// Collects garbage, and returns what there was.
async fn collect(emulator: &Emulator) -> serde_json::Value {
    let url = format!("{}/_longshore/garbage", emulator.url);
    let answer = reqwest::Client::new().post(url).send().await.unwrap();
    answer.error_for_status().unwrap().json().await.unwrap()
}

/// A number from the environment, for runs that are longer than the gate's.
pub(crate) fn setting(name: &str, usual: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(usual, |text| text.parse().unwrap())
}
