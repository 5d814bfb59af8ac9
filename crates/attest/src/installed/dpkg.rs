//! The database of dpkg: `/var/lib/dpkg/status`, and the files of
//! `/var/lib/dpkg/status.d` that distroless images have in its place.
//!
//! Sources: [deb-control(5)], [dpkg-query(1)] (states), [Debian policy] 5.3 and 5.6.
//!
//! [deb-control(5)]: https://manpages.debian.org/deb-control.5
//! [dpkg-query(1)]: https://manpages.debian.org/dpkg-query.1
//! [Debian policy]: https://www.debian.org/doc/debian-policy/ch-controlfields.html

use std::io::BufRead;

use super::stanza::{Stanza, packages};
use super::{PackageManager, Reading, SystemPackage};

const FIELDS: [&str; 5] = ["Package", "Status", "Version", "Architecture", "Source"];
/// The states of packages of which no file is there.
const ABSENT: [&str; 2] = ["not-installed", "config-files"];

/// Reads what a file lists as installed, or as being installed. Licences are not in the
/// database.
pub fn read(reader: impl BufRead) -> Reading {
    packages(reader, FIELDS, package)
}

fn package(stanza: Stanza<5>) -> Result<Option<SystemPackage>, String> {
    let [name, status, version, architecture, source] = stanza.fields;
    let name = name.ok_or("names no package")?;
    // `want flag state`; distroless leaves it out.
    let state = status
        .as_deref()
        .and_then(|status| status.split(' ').nth(2));
    if state.is_some_and(|state| ABSENT.contains(&state)) {
        return Ok(None);
    }
    let version = version.ok_or_else(|| format!("has no version of `{}`", name.escape_debug()))?;
    // `NAME (VERSION)`, where that is another.
    let source = source.map(|source| match source.split_once(" (") {
        Some((name, version)) => format!("{name}@{}", version.trim_end_matches(')')),
        None => source,
    });
    Ok(Some(SystemPackage {
        manager: PackageManager::Dpkg,
        source: source.filter(|source| *source != name),
        name,
        version,
        architecture,
        license: None,
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::installed::MOST_PACKAGES;

    const STATUS: &str = "\
Package: libc6
Status: install ok installed
Multi-Arch: same
Architecture: amd64
Source: glibc
Version: 2.36-9+deb12u10
Depends: libgcc-s1
Conffiles:
 /etc/ld.so.conf.d/x86_64-linux-gnu.conf d4e7a7b88a71b5ffd9e2644e71a0cfab
Description: GNU C Library: Shared libraries
 Package: this is no field

Package: gone
Status: deinstall ok config-files
Version: 1

Package: never
Status: unknown ok not-installed

Package: login
Status: install ok half-configured
Version: 1:4.16.0-2+really2.41-5
Architecture: amd64
Source: util-linux (2.41-5)
";

    fn names(reading: &Reading) -> Vec<&str> {
        let packages = reading.packages.iter();
        packages.map(|package| package.name.as_str()).collect()
    }

    #[test]
    fn packages_that_are_there_are_read_with_their_sources() {
        let reading = read(STATUS.as_bytes());
        assert_eq!(reading.fault, None);
        assert_eq!(names(&reading), ["libc6", "login"]);
        let [libc, login] = &*reading.packages else {
            unreachable!()
        };
        assert_eq!(libc.version, "2.36-9+deb12u10");
        assert_eq!(libc.source.as_deref(), Some("glibc"));
        assert_eq!(login.source.as_deref(), Some("util-linux@2.41-5"));
        assert_eq!(login.architecture.as_deref(), Some("amd64"));
    }

    #[test]
    fn a_damaged_paragraph_is_told_and_the_others_are_read() {
        let text = format!("Version: 1\n\nPackage: a b\nVersion: 1\n\n{STATUS}");
        let reading = read(text.as_bytes());
        assert_eq!(names(&reading), ["libc6", "login"]);
        assert_eq!(
            reading.fault.unwrap(),
            "the paragraph at line 1 names no package"
        );
        let text = format!("{STATUS}\nPackage: \u{ff}\nVersion: \u{0}\n");
        let reading = read(text.as_bytes());
        assert_eq!(reading.packages.len(), 2);
        assert!(reading.fault.unwrap().contains("odd value"));
    }

    #[test]
    fn a_crowd_of_packages_has_a_limit() {
        let text = "Package: a\nVersion: 1\n\n".repeat(MOST_PACKAGES + 100);
        let reading = read(text.as_bytes());
        assert_eq!(reading.packages.len(), MOST_PACKAGES);
        assert!(reading.fault.unwrap().contains("more than 100000 packages"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>, text in "(Package|Version|Status|Source|[a-z ]{0,9}): ?\\PC{0,9}\n{1,2}") {
            let _ = read(&*bytes);
            let whole = [STATUS.as_bytes(), text.as_bytes(), &bytes].concat();
            prop_assert!(!read(&*whole).packages.is_empty());
        }
    }
}
