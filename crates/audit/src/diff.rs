//! Unified diffs of one replacement in one file, as `git apply` and `patch` take
//! them. Format:
//! <https://www.gnu.org/software/diffutils/manual/html_node/Detailed-Unified.html>.

use std::fmt::Write as _;
use std::ops::Range;

/// How many unchanged lines stand on either side of a change.
const CONTEXT: usize = 3;

/// The diff of `file` that puts `replacement` in the place of `range` of
/// `old_text`.
///
/// `range` counts bytes; what lies beyond the text or inside a character is moved
/// back to the nearest border. The diff is empty where nothing changes.
pub(crate) fn replace_lines(
    file: &str,
    old_text: &str,
    range: Range<usize>,
    replacement: &str,
) -> String {
    let end = old_text.floor_char_boundary(range.end);
    let start = old_text.floor_char_boundary(range.start).min(end);
    let first = old_text[..start].rfind('\n').map_or(0, |at| at + 1);
    let last = old_text[end..]
        .find('\n')
        .map_or(old_text.len(), |at| end + at + 1);
    let new_block = [&old_text[first..start], replacement, &old_text[end..last]].concat();

    let mut before: Vec<_> = old_text[..first].split_inclusive('\n').collect();
    let mut after: Vec<_> = old_text[last..].split_inclusive('\n').collect();
    let mut old: Vec<_> = old_text[first..last].split_inclusive('\n').collect();
    let mut new: Vec<_> = new_block.split_inclusive('\n').collect();
    let same = common(old.iter(), new.iter());
    before.extend(old.drain(..same));
    new.drain(..same);
    let same = common(old.iter().rev(), new.iter().rev());
    after.splice(0..0, old.drain(old.len() - same..));
    new.truncate(new.len() - same);
    if old.is_empty() && new.is_empty() {
        return String::new();
    }

    let skipped = before.len().saturating_sub(CONTEXT);
    let leading = &before[skipped..];
    let trailing = &after[..after.len().min(CONTEXT)];
    let unchanged = leading.len() + trailing.len();
    let mut diff = format!(
        "--- a/{file}\n+++ b/{file}\n@@ -{} +{} @@\n",
        span(skipped, unchanged + old.len()),
        span(skipped, unchanged + new.len()),
    );
    push(&mut diff, ' ', leading);
    push(&mut diff, '-', &old);
    push(&mut diff, '+', &new);
    push(&mut diff, ' ', trailing);
    diff
}

fn common<'a>(
    left: impl Iterator<Item = &'a &'a str>,
    right: impl Iterator<Item = &'a &'a str>,
) -> usize {
    left.zip(right).take_while(|(one, two)| one == two).count()
}

/// A range of lines as a hunk's header writes it: an empty one names the line
/// before it.
fn span(skipped: usize, count: usize) -> String {
    let first = if count == 0 { skipped } else { skipped + 1 };
    format!("{first},{count}")
}

fn push(diff: &mut String, sign: char, lines: &[&str]) {
    for line in lines {
        let _ = write!(diff, "{sign}{line}");
        if !line.ends_with('\n') {
            diff.push_str("\n\\ No newline at end of file\n");
        }
    }
}

#[cfg(test)]
mod tests;
