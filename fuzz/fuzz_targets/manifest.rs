//! Any bytes as a manifest, of the type it names or of one that is given.
#![no_main]

use libfuzzer_sys::fuzz_target;

const TYPES: [Option<&str>; 4] = [
    None,
    Some("application/vnd.oci.image.manifest.v1+json"),
    Some("application/vnd.oci.image.index.v1+json"),
    Some("text/plain"),
];

fuzz_target!(|bytes: &[u8]| {
    for media_type in TYPES {
        emulator::fuzzing::reads_manifest(media_type, bytes);
    }
});
