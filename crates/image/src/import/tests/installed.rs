//! What the files of an image say of its packages.

use attest::installed::Unread;
use flate2::write::ZlibEncoder;
use object::write::Object;
use object::{Architecture, BinaryFormat, Endianness, SectionKind};

use super::*;

const STATUS: &str = "var/lib/dpkg/status";
const APK: &str = "lib/apk/db/installed";

fn installed(layers: &[&[Line<'_>]]) -> Installed {
    found(&Saved::new(layers))
}

fn found(saved: &Saved) -> Installed {
    saved.whole(&saved.files(), &[]).unwrap().1
}

/// What dpkg would list.
fn status(names: &[&str]) -> String {
    let names = names.iter();
    names
        .map(|name| format!("Package: {name}\nStatus: install ok installed\nVersion: 1\n"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn names(installed: &Installed) -> Vec<&str> {
    let packages = installed.packages.iter();
    packages.map(|package| package.name.as_str()).collect()
}

/// A program with a list of `api` and of `names` from crates.io.
fn program(names: &[&str], architecture: Architecture, endian: Endianness) -> Vec<u8> {
    let own = serde_json::json!({
        "name": "api", "version": "0.1.0", "source": "local", "root": true,
    });
    let others = names
        .iter()
        .map(|name| serde_json::json!({"name": name, "version": "1.0.0", "source": "crates.io"}));
    let packages: Vec<_> = [own].into_iter().chain(others).collect();
    let list = serde_json::json!({"packages": packages}).to_string();
    let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(list.as_bytes()).unwrap();
    with_section(&encoder.finish().unwrap(), architecture, endian)
}

fn with_section(data: &[u8], architecture: Architecture, endian: Endianness) -> Vec<u8> {
    let mut object = Object::new(BinaryFormat::Elf, architecture, endian);
    let section = object.add_section(Vec::new(), b".dep-v0".to_vec(), SectionKind::ReadOnlyData);
    object.set_section_data(section, data.to_vec(), 1);
    object.write().unwrap()
}

fn usual(names: &[&str]) -> Vec<u8> {
    program(names, Architecture::X86_64, Endianness::Little)
}

#[test]
fn the_last_database_counts_and_one_that_is_gone_does_not() {
    let (one, two) = (status(&["libc6"]), status(&["libc6", "zlib1g"]));
    let first: &[Line<'_>] = &[
        (STATUS, b'0', &one),
        ("etc/os-release", b'0', "ID=debian\n"),
    ];
    let second: &[Line<'_>] = &[(STATUS, b'0', &two)];
    let after = installed(&[first, second]);
    assert_eq!(names(&after), ["libc6", "zlib1g"]);
    assert_eq!(after.release.unwrap().id, "debian");
    for gone in [
        "var/lib/dpkg/.wh.status",
        "var/.wh.lib",
        ".wh.var",
        "var/lib/dpkg/.wh..wh..opq",
    ] {
        let after = installed(&[first, second, &[(gone, b'0', "")]]);
        assert_eq!(names(&after), [""; 0], "{gone}");
        assert!(after.release.is_some());
    }
    let replaced: &[Line<'_>] = &[(".wh.var", b'0', ""), ("var", b'2', "/usr/lib")];
    assert!(installed(&[first, replaced]).packages.is_empty());
    // Emptied, and filled by the same layer.
    let anew: &[Line<'_>] = &[("var/.wh..wh..opq", b'0', ""), (STATUS, b'0', &one)];
    assert_eq!(names(&installed(&[second, anew])), ["libc6"]);
}

#[test]
fn distroless_and_alpine_are_read_where_they_keep_their_packages() {
    let text = status(&["base-files"]).replace("Status: install ok installed\n", "");
    let distroless: &[Line<'_>] = &[
        ("var/lib/dpkg/status.d/base", b'0', &text),
        ("var/lib/dpkg/status.d/base.md5sums", b'0', "no paragraph"),
        ("etc/os-release", b'2', "../usr/lib/os-release"),
        ("usr/lib/os-release", b'0', "ID=debian\nVERSION_ID=\"12\"\n"),
    ];
    let found = installed(&[distroless]);
    assert_eq!((names(&found), found.unread.len()), (vec!["base-files"], 0));
    assert_eq!(found.release.unwrap().version.as_deref(), Some("12"));

    let text = "P:musl\nV:1.2.5-r10\nA:x86_64\nL:MIT\n";
    for path in [APK, "usr/lib/apk/db/installed"] {
        let alpine: &[Line<'_>] = &[
            (path, b'0', text),
            ("etc/os-release", b'0', "ID=alpine\n"),
            // The first of the two counts.
            ("usr/lib/os-release", b'0', "ID=other\n"),
        ];
        let found = installed(&[alpine]);
        assert_eq!(names(&found), ["musl"]);
        assert_eq!(found.release.unwrap().id, "alpine");
    }
}

#[test]
fn a_database_that_was_moved_is_read_where_its_old_name_leads() {
    for old in [
        "../../../usr/lib/apk/db/installed",
        "/usr/lib/apk/db/installed",
    ] {
        let moved: &[Line<'_>] = &[
            ("usr/lib/apk/db/installed", b'0', "P:musl\nV:1\n"),
            (APK, b'2', old),
        ];
        let found = installed(&[moved]);
        assert_eq!((names(&found), &*found.unread), (vec!["musl"], &[][..]));
    }
}

#[test]
fn what_is_not_read_is_told() {
    let long = format!("Package: {}\n", "x".repeat(9000));
    let odd: &[Line<'_>] = &[
        (STATUS, b'0', &long),
        (APK, b'2', "/elsewhere"),
        ("var/lib/rpm/rpmdb.sqlite", b'0', "SQLite"),
        ("var/lib/rpm/other", b'0', "SQLite"),
    ];
    let unread = installed(&[odd]).unread;
    let told: Vec<_> = unread.iter().map(|of| (&*of.path, &*of.reason)).collect();
    assert_eq!(
        told,
        [
            (
                "/lib/apk/db/installed",
                "it is a link to `/elsewhere`, which is not followed"
            ),
            ("/var/lib/dpkg/status", "line 1 is longer than 8192 bytes"),
            ("/var/lib/rpm/rpmdb.sqlite", "databases of RPM are not read"),
        ]
    );
    assert!(unread.iter().all(|unread| !unread.program));
}

#[test]
fn programs_with_a_list_are_found_by_every_name_that_is_left() {
    let (one, other) = (usual(&["bytes"]), usual(&["time"]));
    let mut saved = Saved::new(&[]);
    saved.layers = vec![
        tar_of_bytes(&[
            ("usr/bin/a", b'0', &one),
            ("usr/bin/b", b'1', b"usr/bin/a"),
            ("usr/bin/other", b'0', &other),
            ("usr/bin/script", b'0', b"#!/bin/sh\n"),
        ]),
        // The first name goes, and the file stays; a copy is the same program.
        tar_of_bytes(&[
            ("usr/bin/.wh.a", b'0', b""),
            ("usr/bin/copy", b'0', &one),
            ("usr/bin/other", b'0', b"\x7fELF and nothing more"),
        ]),
    ];
    let programs = found(&saved).programs;
    let [program] = &*programs else {
        panic!("{programs:?}")
    };
    assert_eq!(program.paths, ["/usr/bin/b", "/usr/bin/copy"]);
    assert_eq!(program.dependencies.packages[1].name, "bytes");
}

#[test]
fn another_name_of_what_a_lower_layer_has_is_known_where_it_can_be() {
    let program = usual(&["bytes"]);
    let mut saved = Saved::new(&[]);
    saved.layers = vec![
        tar_of_bytes(&[("usr/bin/a", b'0', &program), ("var/status", b'0', b"x")]),
        tar_of_bytes(&[
            ("usr/bin/b", b'1', b"usr/bin/a"),
            (STATUS, b'1', b"var/status"),
        ]),
        tar_of_bytes(&[("usr/bin/.wh.a", b'0', b"")]),
    ];
    let found = found(&saved);
    assert_eq!(found.programs[0].paths, ["/usr/bin/b"]);
    assert_eq!(
        found.unread[0].reason,
        "it is another name of `/var/status`"
    );
}

#[test]
fn programs_of_other_platforms_are_read_and_damaged_lists_told() {
    let mut saved = Saved::new(&[]);
    let lists = [
        (Architecture::Arm, Endianness::Little),
        (Architecture::S390x, Endianness::Big),
    ];
    let programs = lists.map(|(architecture, endian)| program(&["bytes"], architecture, endian));
    let damaged = with_section(b"no zlib", Architecture::X86_64, Endianness::Little);
    saved.layers = vec![tar_of_bytes(&[
        ("a", b'0', &programs[0]),
        ("b", b'0', &programs[1]),
        ("c", b'0', &damaged),
    ])];
    let found = found(&saved);
    assert_eq!(found.programs.len(), 1);
    assert_eq!(found.programs[0].paths, ["/a", "/b"]);
    let [
        Unread {
            path,
            program,
            reason,
        },
    ] = &*found.unread
    else {
        panic!("{found:?}")
    };
    assert_eq!((&**path, *program), ("/c", true));
    assert!(reason.contains("damaged"), "{reason}");
}

#[test]
fn a_crowd_of_packages_is_told_and_costs_no_more_than_its_limit() {
    let names: Vec<_> = (0..60_000).map(|number| format!("p{number}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let text = status(&names);
    let files: &[Line<'_>] = &[(STATUS, b'0', &text), ("usr/lib/dpkg/status", b'0', &text)];
    // What a layer replaces is not counted twice.
    let found = installed(&[files, &files[1..], &files[1..]]);
    assert_eq!(found.packages.len(), 60_000);
    assert_eq!(found.unread[0].path, "/var/lib/dpkg/status");
    assert!(found.unread[0].reason.contains("more than 100000"));
}

/// Looked at by each of its names, the program would take minutes.
#[test]
fn a_program_of_many_names_is_looked_at_once() {
    const NAMES: usize = 20_000;
    let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    for number in 0..20_000 {
        let name = format!(".data.{number}").into_bytes();
        object.add_section(Vec::new(), name, SectionKind::Data);
    }
    let program = object.write().unwrap();
    let names: Vec<_> = (0..NAMES).map(|number| format!("n{number:06}")).collect();
    let mut lines: Vec<(&str, u8, &[u8])> = vec![("a", b'0', &program)];
    lines.extend(names.iter().map(|name| (name.as_str(), b'1', &b"a"[..])));
    let mut saved = Saved::new(&[]);
    saved.layers = vec![tar_of_bytes(&lines)];
    assert_eq!(found(&saved), Installed::default());
}

proptest! {
    #[test]
    fn any_program_is_read_without_panic(bytes: Vec<u8>, at in 0usize..64, end in 0usize..600) {
        let mut program = usual(&["bytes"]);
        let window = |program: &[u8]| {
            let file = tempfile::NamedTempFile::new().unwrap();
            file.as_file().write_all(program).unwrap();
            let file = fs::File::open(file.path()).unwrap();
            program::list(window::Window::new(&file, (0, program.len() as u64)))
        };
        prop_assert!(window(&program).unwrap().is_ok());
        let place = at..(at + bytes.len()).min(64).max(at);
        program.splice(place, bytes);
        let _ = window(&program);
        let _ = window(&program[..end.min(program.len())]);
    }
}
