//! The database of apk: `/lib/apk/db/installed`, or `/usr/lib/apk/db/installed` where
//! `/lib` is a link.
//!
//! Sources: apk-tools, [apk-package(5)] (letters of the fields, characters of names);
//! [Apk spec] of Alpine's wiki.
//!
//! [apk-package(5)]: https://gitlab.alpinelinux.org/alpine/apk-tools/-/blob/master/doc/apk-package.5.scd
//! [Apk spec]: https://wiki.alpinelinux.org/wiki/Apk_spec

use std::io::BufRead;

use super::stanza::{Stanza, packages};
use super::{PackageManager, Reading, SystemPackage};

/// Name, version, architecture, origin, licence.
const FIELDS: [&str; 5] = ["P", "V", "A", "o", "L"];

/// Reads what the file lists. Its checksums are those of metadata, and of no package.
pub fn read(reader: impl BufRead) -> Reading {
    packages(reader, FIELDS, package)
}

fn package(stanza: Stanza<5>) -> Result<Option<SystemPackage>, String> {
    let [name, version, architecture, origin, license] = stanza.fields;
    let name = name.ok_or("names no package")?;
    let version = version.ok_or_else(|| format!("has no version of `{}`", name.escape_debug()))?;
    Ok(Some(SystemPackage {
        manager: PackageManager::Apk,
        source: origin.filter(|origin| *origin != name),
        name,
        version,
        architecture,
        license: license.filter(|license| !license.is_empty()),
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) const INSTALLED: &str = "\
C:Q1xWPmqKBkYTbkGwwV2YGXpvMQF8A=
P:musl
V:1.2.5-r10
A:x86_64
S:405000
I:667648
T:the musl c library (libc) implementation
U:https://musl.libc.org/
L:MIT
o:musl
m:Someone <someone@alpinelinux.org>
t:1739000000
c:0123456789abcdef0123456789abcdef01234567
p:so:libc.musl-x86_64.so.1=1
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755
Z:Q1AbCdEfGhIjKlMnOpQrStUvWxYz0=

C:Q1yWPmqKBkYTbkGwwV2YGXpvMQF8A=
P:ssl_client
V:1.37.0-r12
A:x86_64
L:GPL-2.0-only
o:busybox
D:so:libc.musl-x86_64.so.1
F:usr/bin
R:ssl_client
";

    #[test]
    fn packages_are_read_with_licence_and_origin() {
        let reading = read(INSTALLED.as_bytes());
        assert_eq!(reading.fault, None);
        let [musl, client] = &*reading.packages else {
            panic!("{reading:?}")
        };
        assert_eq!((&*musl.name, &*musl.version), ("musl", "1.2.5-r10"));
        assert_eq!(
            (&musl.source, musl.license.as_deref()),
            (&None, Some("MIT"))
        );
        assert_eq!(client.architecture.as_deref(), Some("x86_64"));
        assert_eq!(client.source.as_deref(), Some("busybox"));
    }

    #[test]
    fn what_is_no_database_says_so() {
        let reading = read(&b"\0\x01\xffSQLite\n"[..]);
        assert_eq!(reading.packages, []);
        assert!(reading.fault.unwrap().contains("names no package"));
        assert_eq!(read(&b""[..]), Reading::default());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>, text in "([A-Za-z]:\\PC{0,9}\n{1,2}){0,9}") {
            let _ = read(&*bytes);
            let whole = [INSTALLED.as_bytes(), b"\n", text.as_bytes(), &bytes].concat();
            prop_assert!(read(&*whole).packages.len() >= 2);
        }
    }
}
