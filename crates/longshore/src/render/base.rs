//! A base that was looked up, as people read it.

use receipts::{BaseReport, Layer};

use super::inputs::line;
use super::quantity::bytes;

/// What it is, and a line for each thing that changed.
pub(crate) fn text(report: &BaseReport) -> String {
    let mut lines = vec![format!("base       {}", report.reference)];
    let digest = &report.digest;
    lines.push(match &report.previous {
        Some(previous) if previous != digest => format!("digest     {previous} -> {digest}"),
        _ => format!("digest     {digest}"),
    });
    let platforms: Vec<_> = report.platforms.keys().map(String::as_str).collect();
    lines.push(format!("platforms  {}", platforms.join(", ")));
    let layer = |what: &str, layer: &Layer| {
        format!("{what}  {}  {}", layer.digest, bytes(layer.size_bytes))
    };
    let added = report.layers_added.iter();
    lines.extend(added.map(|one| layer("added    layer", one)));
    let removed = report.layers_removed.iter();
    lines.extend(removed.map(|one| layer("removed  layer", one)));
    lines.extend(report.changes.iter().map(line));
    lines.push(if report.changed {
        "written    longshore.lock: commit it".to_owned()
    } else {
        "unchanged  longshore.lock".to_owned()
    });
    lines.join("\n")
}
