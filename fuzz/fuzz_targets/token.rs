//! Any text as a web identity token, and, because random text is never base64
//! of JSON, any text as the payload of one.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    emulator::fuzzing::reads_token(text);
    let (header, payload) = text.split_once('\n').unwrap_or((r#"{"alg":"RS256"}"#, text));
    let [header, payload] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part));
    emulator::fuzzing::reads_token(&format!("{header}.{payload}.c2lnbmF0dXJl"));
});
