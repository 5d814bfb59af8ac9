//! Who can assume a role, as a proof says it.

use owo_colors::OwoColorize as _;
use receipts::{Example, RoleProof};

use crate::render::escape::shown;

/// One proof.
pub(super) fn text(proof: &RoleProof) -> String {
    let role = shown(&proof.role);
    let mut lines = vec![format!("{} {}", "role".bold(), role.bold())];
    if let Some(location) = &proof.location {
        let (line, column) = (location.line, location.column);
        let arrow = "-->".blue().bold().to_string();
        lines.push(format!(
            "  {arrow} {}:{line}:{column}",
            shown(&location.file)
        ));
    }
    lines.extend(admitted(proof));
    lines.extend(examples("admitted and not intended", &proof.excess));
    lines.extend(examples("a job that would be refused", &proof.refused));
    for (what, permissions) in [
        (
            "a publish needs, and nobody has",
            &proof.missing_permissions,
        ),
        ("beyond what a publish needs", &proof.excess_permissions),
    ] {
        let permissions = permissions
            .iter()
            .map(|permission| format!("  {} {}", format!("{what}:").yellow(), shown(permission)));
        lines.extend(permissions);
    }
    lines.join("\n")
}

fn admitted(proof: &RoleProof) -> Vec<String> {
    let proved = proof.prevented_by.is_empty();
    let mut lines: Vec<_> = proof
        .admitted
        .iter()
        .map(|who| format!("  {} {}", "admitted:".green(), shown(who)))
        .collect();
    if proved {
        let nobody = if lines.is_empty() {
            "nobody"
        } else {
            "nobody else"
        };
        lines.push(format!(
            "  {} {nobody}, proved for every possible token",
            "admitted:".green()
        ));
    }
    let why = proof
        .prevented_by
        .iter()
        .map(|why| format!("  {} {}", "not proved:".red().bold(), shown(why)));
    lines.extend(why);
    lines
}

fn examples(what: &str, examples: &[Example]) -> Vec<String> {
    let mut lines = Vec::new();
    for example in examples {
        let caller = shown(&example.caller);
        lines.push(format!("  {} {caller}", format!("{what}:").red().bold()));
        let width = example
            .claims
            .iter()
            .map(|(name, _)| name.chars().count())
            .max();
        let width = width.unwrap_or_default();
        for (name, value) in &example.claims {
            let (name, value) = (shown(name), shown(value));
            lines.push(format!("      {name:width$} = {value}"));
        }
    }
    lines
}
