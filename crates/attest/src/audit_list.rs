//! The list of packages that `cargo auditable` puts into a program, read: compressed
//! JSON, in the section `.dep-v0`.
//!
//! Source: [cargo-auditable], `PARSING.md`.
//!
//! [cargo-auditable]: https://github.com/rust-secure-code/cargo-auditable

use std::io::Read as _;

use auditable_serde::{DependencyKind, Source, VersionInfo};
use flate2::read::ZlibDecoder;

use crate::dependencies::{Dependencies, Package, PackageSource};

/// The longest list that is read, in bytes, compressed or not: a hundred times that of a
/// large program.
pub const LONGEST_LIST: u64 = 8 << 20;

/// The packages of a list, as it has them: without licences and checksums. An error says
/// what is wrong with it.
pub fn audit_list(section: &[u8]) -> Result<Dependencies, String> {
    let mut json = Vec::new();
    let unpacked = ZlibDecoder::new(section)
        .take(LONGEST_LIST + 1)
        .read_to_end(&mut json);
    unpacked.map_err(|error| format!("its list of packages is damaged: {error}"))?;
    if json.len() as u64 > LONGEST_LIST {
        return Err(format!(
            "its list of packages is longer than {LONGEST_LIST} bytes"
        ));
    }
    let list: VersionInfo = serde_json::from_slice(&json)
        .map_err(|error| format!("its list of packages is none: {error}"))?;
    let root = list.packages.iter().position(|package| package.root);
    let root = root.ok_or("its list of packages does not say which is its own")?;
    let count = list.packages.len();
    let mut packages = Vec::new();
    for package in list.packages {
        if package.dependencies.iter().any(|place| *place >= count) {
            return Err("its list of packages names one that is not on it".to_owned());
        }
        packages.push(Package {
            name: package.name,
            version: package.version.to_string(),
            source: match package.source {
                Source::CratesIo => PackageSource::CratesIo,
                Source::Local => PackageSource::Local,
                other => PackageSource::Unnamed(other.into()),
            },
            build_only: package.kind == DependencyKind::Build,
            license: None,
            checksum: None,
            dependencies: package.dependencies,
        });
    }
    Ok(Dependencies { packages, root })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;
    use proptest::prelude::*;

    use super::*;

    fn packed(json: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(json).unwrap();
        encoder.finish().unwrap()
    }

    const LIST: &str = r#"{"packages": [
        {"name": "api", "version": "0.1.0", "source": "local", "dependencies": [1, 2], "root": true},
        {"name": "bytes", "version": "1.2.3", "source": "crates.io"},
        {"name": "gen", "version": "2.0.0", "source": "git", "kind": "build"}
    ], "format": 1}"#;

    #[test]
    fn a_list_is_read_with_its_graph_and_places_that_it_does_not_name() {
        let read = audit_list(&packed(LIST.as_bytes())).unwrap();
        assert_eq!((read.root, read.packages.len()), (0, 3));
        assert_eq!(read.packages[0].dependencies, [1, 2]);
        assert_eq!(read.packages[1].url().unwrap(), "pkg:cargo/bytes@1.2.3");
        let unnamed = PackageSource::Unnamed("git".to_owned());
        assert_eq!(read.packages[2].source, unnamed);
        assert!(read.packages[2].build_only && read.packages[2].url().is_none());
    }

    #[test]
    fn what_is_no_list_or_too_long_a_one_is_refused() {
        let refused = |json: &[u8], says: &str| {
            let reason = audit_list(&packed(json)).unwrap_err();
            assert!(reason.contains(says), "{reason}");
        };
        refused(b"{}", "is none");
        refused(&LIST.replace("[1, 2]", "[7]").into_bytes(), "not on it");
        refused(
            &LIST
                .replace("\"root\": true", "\"root\": false")
                .into_bytes(),
            "its own",
        );
        refused(&vec![b' '; 9 << 20], "longer than");
        assert!(audit_list(b"no zlib").unwrap_err().contains("damaged"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>, at in 0..LIST.len()) {
            let _ = audit_list(&bytes);
            let _ = audit_list(&packed(&bytes));
            let mut list = LIST.as_bytes().to_vec();
            list[at] = bytes.first().copied().unwrap_or(b'9');
            let _ = audit_list(&packed(&list));
        }
    }
}
