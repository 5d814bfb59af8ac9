//! The files that even a static program expects to find around it.

use crate::certificates;
use crate::entry::{Content, Entry};

/// The user that programs run as: the number that distroless images use.
pub const NONROOT: u64 = 65532;

/// Users, certificates, a temporary directory, and `writable` directories that
/// belong to the unprivileged user. They change least, so they are the lowest
/// layer.
pub fn system_entries(writable: &[String]) -> Vec<Entry> {
    let mut entries = vec![
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
    ];
    entries.extend(writable.iter().map(|path| Entry {
        path: path.trim_start_matches('/').to_owned(),
        mode: 0o750,
        owner: NONROOT,
        content: Content::Directory,
    }));
    entries
}
