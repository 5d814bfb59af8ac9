//! Any `Authorization` header, date and query as those of a signed request.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut lines = text.splitn(4, '\n');
    let [authorization, date, query, body] = [(); 4].map(|()| lines.next().unwrap_or_default());
    let headers = [
        ("host", "127.0.0.1"),
        ("authorization", authorization),
        ("x-amz-date", date),
    ];
    emulator::fuzzing::reads_signature(query, &headers, body.as_bytes());
    emulator::fuzzing::reads_signature(query, &[("host", "127.0.0.1"), ("date", date)], b"");
});
