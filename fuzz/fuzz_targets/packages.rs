//! Any bytes as a database of packages, as the name of an operating system and as the list
//! in a program. The bills of what was read are documents in which every name is told once.
#![no_main]

use std::collections::BTreeSet;
use std::io::Write as _;

use attest::installed::{Installed, Program, Release, apk, dpkg};
use attest::{BillOfMaterials, Contents, audit_list, cyclonedx, spdx};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let reading = [dpkg::read(bytes), apk::read(bytes)];
    let packages = reading.into_iter().flat_map(|reading| reading.packages);
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(bytes).unwrap();
    let list = audit_list(&encoder.finish().unwrap());
    let _ = audit_list(bytes);
    let programs = list.into_iter().map(|dependencies| Program {
        paths: vec!["/usr/bin/program".to_owned()],
        dependencies,
    });
    let contents = Contents {
        compiled: None,
        installed: Some(Installed {
            release: Release::read(bytes),
            packages: packages.collect(),
            programs: programs.collect(),
            unread: Vec::new(),
        }),
    };
    let bill = BillOfMaterials {
        image: "acme/api",
        digest: oci::Digest::of(b"image"),
        created: "2026-11-26T12:00:00Z",
        tool_version: "0.1.0",
        contents: &contents,
        unlisted: Vec::new(),
    };
    for (document, list, name) in [
        (cyclonedx(&bill), "components", "bom-ref"),
        (spdx(&bill), "packages", "SPDXID"),
    ] {
        let document: Value = serde_json::from_slice(&document).unwrap();
        let listed = document[list].as_array().unwrap();
        let names: BTreeSet<_> = listed
            .iter()
            .map(|one| one[name].as_str().unwrap())
            .collect();
        assert_eq!(names.len(), listed.len());
    }
});
