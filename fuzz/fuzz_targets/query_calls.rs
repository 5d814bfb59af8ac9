//! Any form as a call of an account's root user to STS or IAM, answered in full.
#![no_main]

use std::sync::{LazyLock, Mutex};

use emulator::fuzzing::Callee;
use libfuzzer_sys::fuzz_target;

static DATA: LazyLock<tempfile::TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("there is room for an emulator"));
static CALLEE: LazyLock<Mutex<Callee>> =
    LazyLock::new(|| Mutex::new(Callee::open(DATA.path())));

fuzz_target!(|text: &[u8]| {
    let mut callee = CALLEE.lock().expect("no call has panicked");
    let status = callee.answers_form(text);
    assert!(status < 500, "{status}");
});
