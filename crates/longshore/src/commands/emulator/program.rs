//! `longshore emulator -- PROGRAM`: a program that has the emulator for as long
//! as it runs.

use std::ffi::{OsStr, OsString};
use std::process::ExitStatus;

use receipts::{ExitCode, Problem, ProblemCode};
use tokio::process::{Child, Command};

use crate::printer;

/// Starts the program with the variables that lead to the emulator. It is
/// killed when the returned value is dropped.
pub(super) fn start(
    name: &OsStr,
    arguments: &[OsString],
    variables: &[(&str, String)],
) -> Result<Child, Problem> {
    Command::new(name)
        .args(arguments)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| {
            Problem::new(
                ProblemCode::ProgramNotStarted,
                "nothing was run: the program that was to have the emulator did not start",
            )
            .caused_by(&error)
            .fact("program", name.to_string_lossy())
            .hint("name a program that `PATH` leads to, and its arguments, after `--`")
        })
}

/// What the end of the program makes of this command.
pub(super) fn conclude(name: &OsStr, status: std::io::Result<ExitStatus>) -> ExitCode {
    let name = name.to_string_lossy();
    match status {
        Ok(status) if status.success() => ExitCode::Success,
        Ok(status) => {
            printer::message(&format!("`{name}` failed: {status}"));
            ExitCode::ProgramFailed
        }
        Err(error) => {
            printer::message(&format!("it is not known how `{name}` ended: {error}"));
            ExitCode::ProgramFailed
        }
    }
}
