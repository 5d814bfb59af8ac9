//! Any bytes as the form of a call of STS or IAM.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    emulator::fuzzing::reads_query(text);
});
