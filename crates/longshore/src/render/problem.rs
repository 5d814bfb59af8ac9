//! A problem as people read it.

use owo_colors::OwoColorize as _;
use receipts::Problem;

/// The problem: what did not happen first, then why, then what to do.
pub(crate) fn text(problem: &Problem) -> String {
    let code = format!("error[{}]", problem.code);
    let mut lines = vec![format!("{}: {}", code.red().bold(), problem.summary.bold())];
    for cause in &problem.causes {
        lines.push(format!(
            "  caused by: {}",
            cause.trim_end().replace('\n', "\n    ")
        ));
    }
    let width = problem
        .facts
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or(0);
    for (name, value) in &problem.facts {
        lines.push(format!("  {name:width$}  {value}"));
    }
    for hint in &problem.hints {
        lines.push(format!("{}: {hint}", "hint".cyan().bold()));
    }
    if let Some(explanation) = &problem.explanation {
        lines.push(String::new());
        lines.push(super::explain::text(explanation));
        lines.push(String::new());
    }
    lines.push(format!(
        "see docs/errors.md#{}",
        problem.code.as_str().to_lowercase()
    ));
    lines.join("\n")
}
