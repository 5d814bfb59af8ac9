//! What a program holds of its machine, as people read it.

use owo_colors::OwoColorize as _;
use receipts::Imprint;

/// The warning.
pub(crate) fn text(imprint: &Imprint) -> String {
    let mut lines = vec![format!(
        "{}: {}",
        "warning".yellow().bold(),
        imprint.message
    )];
    if imprint.around != imprint.text {
        lines.push(format!("  in   {}", imprint.around));
    }
    if let Some(place) = &imprint.location {
        lines.push(format!("  at   {}:{}", place.file, place.line));
    }
    lines.push(format!("  fix  {}", imprint.fix));
    lines.join("\n")
}
