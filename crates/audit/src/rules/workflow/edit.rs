//! Lines to put into a workflow file, as diffs; `None` where the file is written
//! so that the place is not plain.

use github::{Job, Permissions, Place, Placed, Workflow};

use crate::WorkflowFile;
use crate::diff::replace_lines;

/// `lines` in front of the key `jobs`.
pub(super) fn before_jobs(file: &WorkflowFile, workflow: &Workflow, lines: &str) -> Option<String> {
    let place = workflow.jobs_place;
    let plain = place.column == 1 && file.text.get(place.bytes()) == Some("jobs");
    plain.then(|| insert(file, place.bytes().start, lines))
}

/// A key with its fields as the first of a job.
pub(super) fn first_in_job(
    file: &WorkflowFile,
    id: &str,
    job: &Job,
    key: &str,
    fields: &[&str],
) -> Option<String> {
    let (at, indent) = below(file, id, job.place)?;
    let mut lines = format!("{indent}{key}:\n");
    for field in fields {
        lines.push_str(&indent);
        lines.push_str("  ");
        lines.push_str(field);
        lines.push('\n');
    }
    Some(insert(file, at, &lines))
}

/// One more scope in `permissions`.
pub(super) fn scope(
    file: &WorkflowFile,
    permissions: &Placed<Permissions>,
    line: &str,
) -> Option<String> {
    let (at, indent) = below(file, "permissions", permissions.place)?;
    Some(insert(file, at, &format!("{indent}{line}\n")))
}

/// Where the block below the key begins, and how far it is indented.
fn below(file: &WorkflowFile, key: &str, place: Place) -> Option<(usize, String)> {
    let range = place.bytes();
    if file.text.get(range.clone()) != Some(key) {
        return None;
    }
    let after = file.text.get(range.end..)?;
    let (rest, block) = after.split_once('\n')?;
    let value = rest.trim().strip_prefix(':')?.trim_start();
    if !(value.is_empty() || value.starts_with('#')) {
        return None;
    }
    let first = block.lines().find(|line| {
        let text = line.trim();
        !text.is_empty() && !text.starts_with('#')
    })?;
    let indent: String = first.chars().take_while(|char| *char == ' ').collect();
    let is_below = indent.len() >= place.column;
    is_below.then_some((range.end + rest.len() + 1, indent))
}

fn insert(file: &WorkflowFile, at: usize, lines: &str) -> String {
    replace_lines(&file.path, &file.text, at..at, lines)
}
