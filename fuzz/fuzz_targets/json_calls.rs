//! Any operation and any JSON as a call of an account's root user to ECR or
//! CloudTrail, answered in full. The first line is the target.
#![no_main]

use std::sync::{LazyLock, Mutex};

use emulator::fuzzing::Callee;
use libfuzzer_sys::fuzz_target;

static DATA: LazyLock<tempfile::TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("there is room for an emulator"));
static CALLEE: LazyLock<Mutex<Callee>> =
    LazyLock::new(|| Mutex::new(Callee::open(DATA.path())));

fuzz_target!(|text: &str| {
    let Some((operation, body)) = text.split_once('\n') else {
        return;
    };
    let target = match operation {
        "LookupEvents" => format!("CloudTrail_20131101.{operation}"),
        _ => format!("AmazonEC2ContainerRegistry_V20150921.{operation}"),
    };
    let mut callee = CALLEE.lock().expect("no call has panicked");
    let status = callee.answers_json(&target, body.as_bytes());
    assert!(status < 500, "{status}");
});
