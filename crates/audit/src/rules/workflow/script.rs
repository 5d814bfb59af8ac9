//! Which commands of a step cannot run the repository's code.

use crate::jobs::script::{Command, commands, is_assignment};

/// Programs that only look at or move files, print, or call AWS.
const HARMLESS: &[&str] = &[
    ":",
    "[",
    "[[",
    "]]",
    "aws",
    "base64",
    "basename",
    "break",
    "cat",
    "cd",
    "chmod",
    "continue",
    "cp",
    "cut",
    "date",
    "dirname",
    "echo",
    "exit",
    "export",
    "false",
    "fi",
    "grep",
    "head",
    "jq",
    "ls",
    "mkdir",
    "mv",
    "pwd",
    "rm",
    "set",
    "sha256sum",
    "shift",
    "sleep",
    "sort",
    "tail",
    "tee",
    "test",
    "touch",
    "tr",
    "true",
    "umask",
    "uniq",
    "unset",
    "wc",
    "for",
    "done",
    "esac",
    "case",
    "printf",
    "}",
];

/// What `docker` can do without building or running anything.
const HARMLESS_DOCKER: &[&str] = &[
    "images", "inspect", "load", "login", "logout", "manifest", "pull", "push", "tag", "version",
];

/// What `longshore` can do without building anything.
const HARMLESS_LONGSHORE: &[&str] = &[
    "--version",
    "check",
    "deploy",
    "explain",
    "help",
    "images",
    "publish",
    "verify",
];

/// Words of the shell that stand in front of a command.
const KEYWORDS: &[&str] = &[
    "if", "then", "else", "elif", "while", "until", "do", "!", "{", "time",
];

/// Substitutions within each other that are looked into; real scripts have one.
const MAX_SUBSTITUTIONS: usize = 4;

/// The first command of `script` that may run code of the repository; `None`
/// where every command is known not to.
pub(super) fn code(script: &str) -> Option<String> {
    code_within(script, MAX_SUBSTITUTIONS)
}

fn code_within(script: &str, depth: usize) -> Option<String> {
    commands(script).into_iter().find_map(|command| {
        if is_harmless(&command) {
            substituted(&command, depth)
        } else {
            Some(shown(&command))
        }
    })
}

/// What runs inside of `"$(..)"`; a backtick counts as code.
fn substituted(command: &Command, depth: usize) -> Option<String> {
    command.words.iter().find_map(|word| {
        if word.contains('`') {
            return Some(shown(command));
        }
        let (_, inner) = word.split_once("$(")?;
        let inner = inner.rsplit_once(')').map_or(inner, |(inner, _)| inner);
        match depth.checked_sub(1) {
            Some(depth) => code_within(inner, depth),
            None => Some(shown(command)),
        }
    })
}

fn is_harmless(command: &Command) -> bool {
    let keywords = command
        .words
        .iter()
        .take_while(|word| KEYWORDS.contains(&word.as_str()))
        .count();
    let command = Command {
        words: command.words.get(keywords..).unwrap_or_default().to_vec(),
    };
    if let Some(arguments) = command.longshore() {
        return first_is_one_of(arguments, HARMLESS_LONGSHORE);
    }
    match command.program() {
        None => true,
        Some("docker") => {
            let arguments = command
                .words
                .iter()
                .skip_while(|word| !word.ends_with("docker"));
            let arguments: Vec<_> = arguments.skip(1).cloned().collect();
            first_is_one_of(&arguments, HARMLESS_DOCKER)
        }
        Some(program) => HARMLESS.contains(&program) && !command.runs_a_file_of_its_own(),
    }
}

fn first_is_one_of(arguments: &[String], known: &[&str]) -> bool {
    arguments
        .first()
        .is_some_and(|verb| known.contains(&verb.as_str()))
}

/// The first two words of a command: enough to find it, and too few for the
/// tokens and passwords that stand further back.
fn shown(command: &Command) -> String {
    let leading = |word: &&String| KEYWORDS.contains(&word.as_str()) || is_assignment(word);
    let words = command.words.iter().skip_while(leading).take(2);
    let words: Vec<_> = words.map(String::as_str).collect();
    let text = words.join(" ").replace('\n', " ");
    text.chars().take(MOST_CHARS).collect()
}

/// Characters of a command that a message shows.
const MOST_CHARS: usize = 60;

impl Command {
    /// `./echo` is not the `echo` that is meant.
    fn runs_a_file_of_its_own(&self) -> bool {
        self.words.first().is_some_and(|word| word.contains('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_run_none_of_the_repositorys_code_are_passed_over() {
        for script in [
            "echo hello\nprintf '%s' \"$X\" >> \"$GITHUB_OUTPUT\"",
            "chmod +x \"$RUNNER_TEMP/tool/longshore\"\n\"$RUNNER_TEMP/tool/longshore\" publish --layout x",
            "set -euo pipefail; if [ -n \"$X\" ]; then\n  aws ecr describe-images | jq .\nfi",
            "TAG=\"$(cat tag)\"; docker push \"$R:$TAG\"",
            "",
        ] {
            assert_eq!(code(script), None, "{script}");
        }
    }

    #[test]
    fn every_other_command_counts_as_code() {
        for (script, command) in [
            ("echo a && make all", "make all"),
            ("./echo", "./echo"),
            ("x=$(make)", "make"),
            ("echo \"$(cat \"$(npm bin)\")\"", "npm bin"),
            ("echo `make`", "echo `make`"),
            ("if ./ready; then echo; fi", "./ready"),
            ("longshore build", "longshore build"),
            ("docker build .", "docker build"),
            ("docker", "docker"),
            ("TOKEN=secret cargo test --all", "cargo test"),
        ] {
            assert_eq!(code(script).as_deref(), Some(command), "{script}");
        }
    }
}
