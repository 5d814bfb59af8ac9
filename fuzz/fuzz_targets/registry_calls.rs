//! Any request to the registry by somebody who is logged in, answered in full: a
//! line of method and target, lines of headers, an empty line, the body.
#![no_main]

use std::sync::{LazyLock, Mutex};

use emulator::fuzzing::Callee;
use http::Request;
use libfuzzer_sys::fuzz_target;

static DATA: LazyLock<tempfile::TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("there is room for an emulator"));
static CALLEE: LazyLock<Mutex<Callee>> =
    LazyLock::new(|| Mutex::new(Callee::open(DATA.path())));

fuzz_target!(|bytes: &[u8]| {
    let Some(request) = request(bytes) else {
        return;
    };
    let mut callee = CALLEE.lock().expect("no call has panicked");
    let status = callee.answers_request(request);
    assert!(status < 500, "{status}");
});

fn request(bytes: &[u8]) -> Option<Request<Vec<u8>>> {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n")?;
    let (head, body) = (&bytes[..end], &bytes[end + 2..]);
    let mut lines = std::str::from_utf8(head).ok()?.lines();
    let (method, target) = lines.next()?.split_once(' ')?;
    let mut request = Request::builder().method(method).uri(target);
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        request = request.header(name, value);
    }
    request.body(body.to_vec()).ok()
}
