//! What GitHub Actions shows of a run: outputs, the step summary, annotations.

use std::io::Write as _;

use fs_err as fs;
use receipts::Problem;

use crate::printer;
use crate::settings::Settings;

/// Sets a step output, where there is a step.
pub(crate) fn output(settings: &Settings, name: &str, value: &str) {
    append(settings, "GITHUB_OUTPUT", &format!("{name}={value}\n"));
}

/// Adds Markdown to the step summary, where there is a step.
pub(crate) fn summary(settings: &Settings, markdown: &str) {
    append(settings, "GITHUB_STEP_SUMMARY", &format!("{markdown}\n"));
}

/// Marks the run with an error annotation. The runner reads both streams, so
/// stdout stays clean.
pub(crate) fn annotate(settings: &Settings, problem: &Problem) {
    if settings.in_github_actions() {
        let message = escaped(&problem.summary);
        printer::message(&format!(
            "::error title=longshore {}::{message}",
            problem.code
        ));
    }
}

/// Workflow commands end at a line break unless it is escaped.
fn escaped(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn append(settings: &Settings, variable: &str, text: &str) {
    let Some(file) = settings
        .environment
        .get(variable)
        .filter(|_| settings.in_github_actions())
    else {
        return;
    };
    let written = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    if let Err(error) = written {
        printer::message(&format!(
            "warning: GitHub will not show this step's results: {error}"
        ));
    }
}
