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

/// A fix that adds a value to those under a condition, if they and the value
/// that is like it are written out.
pub(super) fn add_value(
    root: &TerraformRoot,
    (values, like): (&Spot, &Spot),
    added: &str,
    summary: impl Into<String>,
) -> Option<Fix> {
    let written = like.replaced_by(added).and_then(|added| {
        let text = &like.text;
        if values.range == like.range {
            return Some(format!("[{text}, {added}]"));
        }
        let file = root.root.text(&like.file)?;
        let line = file.get(..like.range.start)?.rsplit('\n').next()?;
        Some(if line.trim().is_empty() {
            format!("{text},\n{line}{added}")
        } else {
            format!("{text}, {added}")
        })
    });
    Some(Fix {
        summary: summary.into(),
        diff: written.and_then(|written| replace(root, like, &written)),
    })
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
        [] => PolicyPart::Statement(index),
        [Step::Name(name), Step::Name(operator), Step::Name(key), ..] if name == "Condition" => {
            PolicyPart::Values(index, operator, key)
        }
        [Step::Name(name), ..] => PolicyPart::Element(index, name),
        [Step::Index(_), ..] => PolicyPart::Statement(index),
    };
    origin.policy_part(part)
}
