//! What GitHub Actions shows of a run: outputs, the step summary, annotations.

use std::io::Write as _;

use fs_err as fs;
use receipts::{Finding, Imprint, Location, Problem, Severity};

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

/// Marks the lines that findings are about. GitHub shows ten of each kind for a
/// step, so the worst come first; the report has all.
pub(crate) fn findings(settings: &Settings, findings: &[Finding]) {
    if settings.in_github_actions() {
        for finding in findings {
            printer::message(&finding_command(finding));
        }
    }
}

/// Marks the lines that make a program one of its machine.
pub(crate) fn imprints(settings: &Settings, imprints: &[Imprint]) {
    if settings.in_github_actions() {
        for imprint in imprints {
            let message = format!("{}\n{}", imprint.message, imprint.fix);
            let title = "longshore reproducible";
            let place = imprint.location.as_ref();
            printer::message(&command("warning", place, title, &message));
        }
    }
}

/// The workflow command of a finding.
fn finding_command(finding: &Finding) -> String {
    let kind = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let title = format!("longshore {}", finding.rule);
    let message = match &finding.fix {
        Some(fix) => format!("{}\n{}", finding.message, fix.summary),
        None => finding.message.clone(),
    };
    command(kind, finding.location.as_ref(), &title, &message)
}

/// <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>
fn command(kind: &str, location: Option<&Location>, title: &str, message: &str) -> String {
    let mut properties = String::new();
    if let Some(location) = location {
        let file = escaped_property(&location.file);
        let (line, column) = (location.line, location.column);
        properties = format!("file={file},line={line},col={column},");
    }
    let title = escaped_property(title);
    format!("::{kind} {properties}title={title}::{}", escaped(message))
}

/// In a property a colon and a comma end it too.
fn escaped_property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

/// Workflow commands end at a line break unless it is escaped.
fn escaped(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The text with nothing in it that the runner would take for a command of its
/// own: it looks for them in every line that a step prints, wherever that is from.
pub(crate) fn inert(settings: &Settings, text: String) -> String {
    if settings.in_github_actions() {
        without_commands(&text)
    } else {
        text
    }
}

/// The runner takes a line for a command that begins with `::`, behind any white
/// space, or that holds `##[` anywhere.
fn without_commands(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let line = line.replace("##[", "#\u{200b}#[");
        let command = line.trim_start();
        let indent = line.len() - command.len();
        match command.strip_prefix("::") {
            Some(rest) => format!("{}:\u{200b}:{rest}", &line[..indent]),
            None => line,
        }
    });
    lines.collect::<Vec<_>>().join("\n")
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

#[cfg(test)]
mod tests {
    use receipts::Location;

    use super::*;

    #[test]
    fn a_text_holds_no_command_of_the_runner() {
        for command in [
            "::error::x",
            " \t::add-mask::x",
            "a\n  ::error::x",
            "a ##[error]x",
        ] {
            let text = without_commands(command);
            let mut lines = text.lines();
            assert!(
                lines.all(|line| !line.trim_start().starts_with("::") && !line.contains("##[")),
                "{text}"
            );
            assert_eq!(text.replace('\u{200b}', ""), command);
        }
        assert_eq!(without_commands("a::b\n# [x]\n"), "a::b\n# [x]\n");
    }

    #[test]
    fn a_finding_cannot_leave_its_own_command() {
        let finding = Finding {
            rule: "trust-name-only".to_owned(),
            severity: Severity::Note,
            message: "100%\r\n::error::no".to_owned(),
            subject: "s".to_owned(),
            location: Some(Location {
                file: "a,b:c.tf".to_owned(),
                line: 3,
                column: 7,
            }),
            fix: None,
        };
        assert_eq!(
            finding_command(&finding),
            "::notice file=a%2Cb%3Ac.tf,line=3,col=7,title=longshore trust-name-only::100%25%0D%0A::error::no"
        );
    }
}
