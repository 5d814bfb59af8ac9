//! An index of two platforms, with prepared programs, as other tools see it.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests stop at the first surprise, and drive the machine they run on"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use image::{
    Assembly, Compression, Content, Entry, IndexRecipe, LayerKind, LayerRecipe, LayerStore, Recipe,
    SystemFiles, assemble_index, write_oci_archive,
};
use oci::Platform;
use serde_json::Value;

/// `write(1, "hello\n", 6); exit(0)` for Linux on x86-64.
const AMD64: &[u8] = &[
    0xb8, 1, 0, 0, 0, // mov eax, 1
    0xbf, 1, 0, 0, 0, // mov edi, 1
    0x48, 0x8d, 0x35, 0x10, 0, 0, 0, // lea rsi, [rip + 16]
    0xba, 6, 0, 0, 0, // mov edx, 6
    0x0f, 0x05, // syscall
    0xb8, 0x3c, 0, 0, 0, // mov eax, 60
    0x31, 0xff, // xor edi, edi
    0x0f, 0x05, // syscall
    b'h', b'e', b'l', b'l', b'o', b'\n',
];

/// The same for 64-bit ARM.
const ARM64: &[u8] = &[
    0x20, 0x00, 0x80, 0xd2, // mov x0, 1
    0xe1, 0x00, 0x00, 0x10, // adr x1, 28
    0xc2, 0x00, 0x80, 0xd2, // mov x2, 6
    0x08, 0x08, 0x80, 0xd2, // mov x8, 64
    0x01, 0x00, 0x00, 0xd4, // svc 0
    0x00, 0x00, 0x80, 0xd2, // mov x0, 0
    0xa8, 0x0b, 0x80, 0xd2, // mov x8, 93
    0x01, 0x00, 0x00, 0xd4, // svc 0
    b'h', b'e', b'l', b'l', b'o', b'\n',
];

/// The smallest ELF program: one header, one segment, the code.
fn elf(machine: u16, code: &[u8]) -> Vec<u8> {
    const BASE: u64 = 0x40_0000;
    const HEADERS: u64 = 64 + 56;
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    let size = HEADERS + code.len() as u64;
    for half in [2, machine] {
        file.extend(u16::to_le_bytes(half));
    }
    file.extend(1u32.to_le_bytes());
    for word in [BASE + HEADERS, 64, 0] {
        file.extend(u64::to_le_bytes(word));
    }
    file.extend(0u32.to_le_bytes());
    for half in [64, 56, 1, 64, 0, 0] {
        file.extend(u16::to_le_bytes(half));
    }
    for flags in [1u32, 5] {
        file.extend(flags.to_le_bytes());
    }
    for word in [0, BASE, BASE, size, size, 0x1000] {
        file.extend(u64::to_le_bytes(word));
    }
    file.extend(code);
    file
}

fn recipe(architecture: &str, program: Vec<u8>) -> Recipe {
    let path = "/usr/bin/hello";
    let program = Entry {
        path: "usr/bin/hello".to_owned(),
        mode: 0o755,
        owner: 0,
        content: Content::Bytes(program),
    };
    Recipe {
        base: None,
        layers: vec![
            LayerRecipe::new(LayerKind::System, SystemFiles::default().entries()),
            LayerRecipe::new(LayerKind::Binary(path.to_owned()), vec![program]),
        ],
        compression: Compression::ZSTD,
        platform: Platform::linux(architecture),
        entrypoint: vec![path.to_owned()],
        user: Some("65532:65532".to_owned()),
        working_directory: None,
        ports: Vec::new(),
        environment: BTreeMap::new(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        created: "2026-01-01T00:00:00Z".to_owned(),
        inputs: None,
    }
}

/// Writes the index as the layout `index` and the archive `index.tar`.
fn index(directory: &Path) {
    let store = LayerStore::open(&directory.join("layers")).unwrap();
    let recipes = [
        recipe("amd64", elf(62, AMD64)),
        recipe("arm64", elf(183, ARM64)),
    ];
    let place = directory.join("index");
    let layout = assemble_index(
        &recipes,
        &IndexRecipe::default(),
        &place,
        Assembly::new(&store),
    )
    .unwrap();
    let archive = std::fs::File::create(directory.join("index.tar")).unwrap();
    write_oci_archive(&layout, None, archive).unwrap();
}

/// Runs `program` in `directory`, or tells why not; in CI it must be there.
fn run(directory: &Path, program: &str, arguments: &str) -> Option<Output> {
    let mut command = Command::new(program);
    command.current_dir(directory).env("HOME", directory);
    match command.args(arguments.split(' ')).output() {
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{program}: {error}");
            println!("skipped: {program} is not installed");
            None
        }
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{program} {arguments}: {said}");
            Some(output)
        }
    }
}

#[test]
fn skopeo_finds_both_platforms_in_the_layout_and_in_the_archive() {
    let directory = tempfile::tempdir().unwrap();
    index(directory.path());
    for source in ["oci:index", "oci-archive:index.tar"] {
        for architecture in ["amd64", "arm64"] {
            let inspect = format!("inspect --override-arch {architecture} {source}");
            let Some(output) = run(directory.path(), "skopeo", &inspect) else {
                return;
            };
            let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(seen["Architecture"], architecture);
            assert_eq!(seen["Layers"].as_array().unwrap().len(), 2);
        }
        let copy = format!("copy --quiet --all {source} dir:all");
        run(directory.path(), "skopeo", &copy);
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn podman_runs_the_program_of_its_platform() {
    let directory = tempfile::tempdir().unwrap();
    index(directory.path());
    let storage = "--root root --runroot run --storage-driver vfs";
    let pull = format!("{storage} pull --quiet oci-archive:index.tar");
    let Some(pulled) = run(directory.path(), "podman", &pull) else {
        return;
    };
    let pulled = String::from_utf8_lossy(&pulled.stdout);
    let limits = "--ulimit=nofile=1024:1024 --ulimit=nproc=1024:1024";
    let image = pulled.lines().last().unwrap();
    let start = format!("{storage} --runtime=runc run --rm --network=none {limits} {image}");
    let output = run(directory.path(), "podman", &start).unwrap();
    assert_eq!(output.stdout, b"hello\n");
}
