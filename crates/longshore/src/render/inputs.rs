//! Changed inputs as people read them.

use receipts::{InputChange, InputsReport};

/// One line for each input that changed.
pub(crate) fn text(report: &InputsReport) -> String {
    let Some(published) = &report.published else {
        return "nothing was published yet: everything is new".to_owned();
    };
    let tag = report.tag.as_deref().unwrap_or_default();
    let mut lines = vec![format!("published  {published} ({tag})")];
    match &report.changes {
        _ if report.same => lines.push("unchanged  all inputs are the same".to_owned()),
        None => lines.push(
            "unknown    the image does not say what it was made from, or the registry keeps no document of it"
                .to_owned(),
        ),
        Some(changes) => lines.extend(changes.iter().map(line)),
    }
    lines.join("\n")
}

/// One input that changed.
pub(super) fn line(change: &InputChange) -> String {
    let InputChange {
        name,
        before,
        after,
    } = change;
    match (before, after) {
        (Some(before), Some(after)) => {
            format!("changed    {name}  {} -> {}", short(before), short(after))
        }
        (None, Some(after)) => format!("added      {name}  {}", short(after)),
        (Some(before), None) => format!("removed    {name}  {}", short(before)),
        (None, None) => String::new(),
    }
}

/// A digest's first digits, or a text's first line.
fn short(value: &str) -> &str {
    let line = value.lines().next().unwrap_or_default();
    if line.starts_with("sha256:") {
        line.get(..19).unwrap_or(line)
    } else {
        line
    }
}
