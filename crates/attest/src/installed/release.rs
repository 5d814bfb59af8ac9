//! Which operating system an image has: `/etc/os-release`, or `/usr/lib/os-release`.
//!
//! Source: [os-release(5)].
//!
//! [os-release(5)]: https://www.freedesktop.org/software/systemd/man/latest/os-release.html

use std::io::BufRead;

use serde::{Deserialize, Serialize};

use super::is_plain;
use super::stanza::Lines;

/// Lines that are read; the files have some twenty.
const MOST_LINES: usize = 1000;

/// An operating system, as it names itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its name: lower case, for machines.
    pub id: String,
    /// Its version. A distribution that has no releases has none.
    pub version: Option<String>,
    /// The name of the version.
    pub codename: Option<String>,
}

impl Release {
    /// Reads the file; none where it does not tell a name.
    pub fn read(reader: impl BufRead) -> Option<Self> {
        let mut lines = Lines::new(reader);
        let (mut id, mut version, mut codename) = (None, None, None);
        while let Ok(Some((line, _))) = lines.next() {
            let text = std::str::from_utf8(line).unwrap_or_default();
            if let Some((name, value)) = text.trim().split_once('=') {
                // As where a shell reads it, the last one counts.
                match name {
                    "ID" => id = value_of(value),
                    "VERSION_ID" => version = value_of(value),
                    "VERSION_CODENAME" => codename = value_of(value),
                    _ => {}
                }
            }
            if lines.number > MOST_LINES {
                break;
            }
        }
        Some(Self {
            id: id?.to_ascii_lowercase(),
            version,
            codename,
        })
    }

    /// Name and version in one, as in the qualifier `distro` of package URLs.
    pub(crate) fn distribution(&self) -> Option<String> {
        let version = self.version.as_ref().or(self.codename.as_ref())?;
        Some(format!("{}-{version}", self.id))
    }
}

/// The value of an assignment. Names and versions have nothing in them that a shell
/// would have to expand or unescape.
fn value_of(text: &str) -> Option<String> {
    let text = text.trim();
    let quoted = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    let value = quoted('"').or_else(|| quoted('\'')).unwrap_or(text);
    let plain = is_plain(value) && !value.contains(['"', '\'', '\\', '$', '`']);
    plain.then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_go_and_what_is_missing_stays_so() {
        let text = "# a comment\nPRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME='bookworm'\n";
        let release = Release::read(text.as_bytes()).unwrap();
        assert_eq!(release.distribution().unwrap(), "debian-12");
        assert_eq!(release.codename.as_deref(), Some("bookworm"));
        let arch = Release::read(&b"ID=Arch"[..]).unwrap();
        assert_eq!((arch.id.as_str(), arch.distribution()), ("arch", None));
        assert_eq!(Release::read(&b"NAME=x\nID=\"a b\"\n"[..]), None);
        assert_eq!(Release::read(&b"ID=$(id)x y\n"[..]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = Release::read(&*bytes);
            let whole = [b"ID=x\n".as_slice(), &bytes].concat();
            let _ = Release::read(&*whole);
        }
    }
}
