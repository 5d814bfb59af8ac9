use std::path::PathBuf;

use object::write::{Object as Written, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
};

use super::ImprintKind;
use super::machine::{KnownPath, Machine};
use super::scan::scan;
use super::stamp::Moments;

/// 2026-11-26 22:10:27 UTC.
const COMPILED: i64 = 1_795_731_027;

/// A machine with a name and a home, on which something was compiled.
fn machine() -> Machine {
    let path = |prefix: &str, ordinary| KnownPath {
        prefix: prefix.to_owned(),
        ordinary,
    };
    Machine {
        paths: vec![path("/home/ada/api", false), path("/root/", true)],
        hosts: vec!["ip-10-0-3-21".to_owned()],
        users: vec!["lovelace".to_owned(), "byron".to_owned()],
        moments: Moments::new([COMPILED].into_iter(), 1_700_000_000),
    }
}

/// An ELF file with `text` in `.rodata` and in `.text`, and these file symbols.
fn program(text: &[u8], units: &[&str]) -> Vec<u8> {
    let mut file = Written::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    for (name, kind) in [
        (".rodata", SectionKind::ReadOnlyData),
        (".text", SectionKind::Text),
    ] {
        let section = file.add_section(Vec::new(), name.into(), kind);
        file.append_section_data(section, text, 1);
    }
    for unit in units {
        file.add_symbol(Symbol {
            name: unit.as_bytes().to_vec(),
            value: 0,
            size: 0,
            kind: SymbolKind::File,
            scope: SymbolScope::Compilation,
            weak: false,
            section: SymbolSection::None,
            flags: SymbolFlags::None,
        });
    }
    file.write().unwrap()
}

#[test]
fn names_paths_and_times_are_found_once_each_with_their_surroundings() {
    let text = b"\0at /home/ada/api/src/main.rs\0built on ip-10-0-3-21 by lovelace\0\
        see /home/ada/api/src/main.rs and /root/.profile, by byron, 1795731000\0";
    let found = scan(&program(text, &[]), &machine());
    let texts: Vec<_> = found
        .iter()
        .map(|(found, count)| (found.kind, found.text.as_str(), *count))
        .collect();
    assert_eq!(
        texts,
        [
            (ImprintKind::Path, "/home/ada/api/src/main.rs", 2),
            (ImprintKind::Path, "/root/.profile", 1),
            (ImprintKind::Time, "1795731000", 1),
            (ImprintKind::HostName, "ip-10-0-3-21", 1),
            (ImprintKind::UserName, "byron", 1),
            (ImprintKind::UserName, "lovelace", 1),
        ]
    );
    let (host, _) = &found[3];
    assert_eq!(host.section, ".rodata");
    assert_eq!(host.around, "built on ip-10-0-3-21 by lovelace");
    assert!(found[0].0.ordinary.is_none() && host.ordinary.is_some());
}

#[test]
fn words_that_only_contain_a_name_and_other_times_are_nothing() {
    let text = b"byronic\0abyron\0/home/bob/api\0/rooted/x\0 1695731000\0 2026-11-12T10:00:00Z\0";
    assert_eq!(scan(&program(text, &[]), &machine()), []);
    assert_eq!(scan(b"no program", &machine()), []);
}

#[test]
fn two_units_of_an_incremental_compile_are_told_from_the_shim_of_the_allocator() {
    let shim = "ej3brd2fe7me3p51m0tma8wxh";
    let whole = program(b"", &["m.f19dcfa532266295-cgu.0", shim, "crtstuff.c"]);
    assert_eq!(scan(&whole, &machine()), []);
    let parts = [
        "7nr3ktefu5euuff50evtpfdil",
        shim,
        "b5uxhh2loaxva7ddslnee8nvy",
    ];
    let found = scan(&program(b"", &parts), &machine());
    assert_eq!(found[0].0.kind, ImprintKind::Incremental);
    assert_eq!(found[0].1, 2);
}

/// How long a program takes; `LONGSHORE_PROGRAM` names another than this test.
#[test]
#[ignore = "a measurement: cargo test --release -p build -- --ignored --nocapture"]
#[expect(
    clippy::disallowed_methods,
    reason = "a measurement of a given program"
)]
fn the_time_of_one_pass() {
    let own = || std::env::current_exe().unwrap();
    let path = std::env::var_os("LONGSHORE_PROGRAM").map_or_else(own, PathBuf::from);
    for _ in 0..5 {
        let start = std::time::Instant::now();
        let program = fs_err::read(&path).unwrap();
        let read = start.elapsed();
        let found = scan(&program, &machine()).len();
        let bytes = program.len();
        println!(
            "{bytes} bytes: read {read:?}, all {:?}, {found} found",
            start.elapsed()
        );
    }
}
