//! Any text as the target of a request to the registry, and any text as a range.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (target, range) = text.split_once('\n').unwrap_or((text, "bytes=0-1"));
    emulator::fuzzing::reads_target(target, range);
});
