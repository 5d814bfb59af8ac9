//! Spots of Terraform files: where a finding points, and the change there.

use policy::Step;
use receipts::{Fix, Location};
use terraform::{Origin, PolicyPart, Spot};

use crate::TerraformRoot;
use crate::diff::replace_lines;
use crate::findings::location;

/// A spot as a location.
pub(super) fn at(spot: &Spot) -> Option<Location> {
    Some(location(&spot.place()))
}

/// A fix that writes another text in the place of the one that stands there; in
/// words only where it is not written there as itself.
pub(super) fn rewrite(
    root: &TerraformRoot,
    spot: &Spot,
    text: &str,
    summary: impl Into<String>,
) -> Option<Fix> {
    let written = spot.replaced_by(text);
    Some(Fix {
        summary: summary.into(),
        diff: written.and_then(|written| replace(root, spot, &written)),
    })
}

/// The diff that replaces what stands at a spot.
pub(super) fn replace(root: &TerraformRoot, spot: &Spot, written: &str) -> Option<String> {
    let text = root.root.text(&spot.file)?;
    let file = location(&spot.place()).file;
    let diff = replace_lines(&file, text, spot.range.clone(), written);
    (!diff.is_empty()).then_some(diff)
}

/// A fix that adds values behind one that is like them, if that and the list of
/// all (or the one value that stands for it) are written out.
pub(super) fn add_values(
    root: &TerraformRoot,
    (values, like): (&Spot, &Spot),
    added: &[&str],
    summary: impl Into<String>,
) -> Option<Fix> {
    Some(Fix {
        summary: summary.into(),
        diff: added_behind(root, (values, like), added),
    })
}

fn added_behind(
    root: &TerraformRoot,
    (values, like): (&Spot, &Spot),
    added: &[&str],
) -> Option<String> {
    let added: Vec<String> = added
        .iter()
        .map(|text| like.replaced_by(text))
        .collect::<Option<_>>()?;
    let text = &like.text;
    if values.range == like.range {
        let written = format!("[{text}, {}]", added.join(", "));
        return replace(root, like, &written);
    }
    let file = root.root.text(&like.file)?;
    let line = file.get(..like.range.start)?.rsplit('\n').next()?;
    let separator = if line.trim().is_empty() {
        format!(",\n{line}")
    } else {
        ", ".to_owned()
    };
    let written = format!("{text}{separator}{}", added.join(&separator));
    replace(root, like, &written)
}

/// A fix that takes one of several values out of a list that is written out.
pub(super) fn remove_value(
    root: &TerraformRoot,
    (values, one): (&Spot, &Spot),
    summary: impl Into<String>,
) -> Option<Fix> {
    Some(Fix {
        summary: summary.into(),
        diff: removed(root, values, one),
    })
}

fn removed(root: &TerraformRoot, values: &Spot, one: &Spot) -> Option<String> {
    let inside = values.range.start < one.range.start && one.range.end < values.range.end;
    if !one.literal || !inside || values.file != one.file {
        return None;
    }
    let file = root.root.text(&one.file)?;
    let before = file.get(values.range.start..one.range.start)?;
    let after = file.get(one.range.end..values.range.end)?;
    let mut whole = one.clone();
    if let Some(rest) = after.trim_start().strip_prefix(',') {
        let blank = rest.len() - rest.trim_start().len();
        whole.range.end += after.len() - rest.len() + blank;
        // The white space before the next value or bracket stays as it was.
        let kept = rest.trim_start().starts_with(']');
        if kept {
            whole.range.start -= before.len() - before.trim_end().len();
            whole.range.end -= blank;
        }
    } else {
        let front = before.trim_end().strip_suffix(',')?;
        whole.range.start -= before.len() - front.len();
    }
    replace(root, &whole, "")
}

/// Where a path of a policy's validation leads.
pub(super) fn of_path(origin: &Origin, path: &[Step]) -> Spot {
    let [Step::Name(top), rest @ ..] = path else {
        return origin.spot();
    };
    let (index, rest) = match (top.as_str(), rest) {
        ("Statement", [Step::Index(index), rest @ ..]) => (*index, rest),
        _ => return origin.spot(),
    };
    let part = match rest {
        [Step::Name(name), Step::Name(operator), Step::Name(key), ..] if name == "Condition" => {
            PolicyPart::Values(index, operator, key)
        }
        [Step::Name(name), ..] => PolicyPart::Element(index, name),
        [] | [Step::Index(_), ..] => PolicyPart::Statement(index),
    };
    origin.policy_part(part)
}
