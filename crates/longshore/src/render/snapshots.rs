//! Snapshots of an emulator, as people read them.

use owo_colors::OwoColorize as _;
use receipts::{Snapshot, Snapshots};

use super::escape::shown;
use super::quantity::bytes;

/// All of them, a line each.
pub(crate) fn all(snapshots: &Snapshots) -> String {
    if snapshots.snapshots.is_empty() {
        return "there is no snapshot".to_owned();
    }
    let lines: Vec<String> = snapshots.snapshots.iter().map(one).collect();
    lines.join("\n")
}

/// One of them.
pub(crate) fn one(snapshot: &Snapshot) -> String {
    let count = |count: u64, one: &str, many: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    };
    let clock = match snapshot.offset_seconds {
        0 => String::new(),
        ahead => format!(", clock {ahead:+} s"),
    };
    format!(
        "{}  {}: {}, {}, {} of {}{clock}",
        shown(&snapshot.name).bold(),
        shown(&snapshot.created).dimmed(),
        count(snapshot.repositories, "repository", "repositories"),
        count(snapshot.images, "image", "images"),
        count(snapshot.blobs, "blob", "blobs"),
        bytes(snapshot.bytes),
    )
}
