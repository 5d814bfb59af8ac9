//! One module per command. Each turns settings into calls of the libraries,
//! and results into text.

mod base;
mod build;
mod check;
mod emulator;
mod explain;
mod publish;
mod rehearse;

use std::io;

use receipts::{ExitCode, Problem, ProblemCode};

use crate::arguments::{Command, Format};
use crate::settings::Settings;
use crate::{github_actions, printer, render};

/// Runs a command and tells of its failure, if it has one.
pub(crate) async fn run(command: Command, settings: &Settings) -> ExitCode {
    let lost = lost(&command);
    // What is only read may be read as far as its reader likes: `longshore check | head`.
    let is_given = matches!(command, Command::Build(_) | Command::Publish(_));
    let result = match command {
        Command::Build(arguments) => build::run(&arguments, settings).await,
        Command::Base(arguments) => base::run(&arguments, settings).await,
        Command::Publish(arguments) => publish::run(&arguments, settings).await,
        Command::Rehearse(arguments) => rehearse::run(&arguments, settings).await,
        Command::Check(arguments) => check::run(&arguments, settings).await,
        Command::Explain(arguments) => explain::run(&arguments, settings).await,
        Command::Emulator(arguments) => emulator::run(&arguments, settings).await,
    };
    let matters = |error: &&io::Error| is_given || error.kind() != io::ErrorKind::BrokenPipe;
    match (result, printer::lost().filter(matters)) {
        (Err(problem), _) => report(&problem, settings),
        (Ok(code), None) => code,
        (Ok(code), Some(error)) => {
            let hint = "run it again with a stdout that can be written and is read to its end";
            let problem = Problem::new(ProblemCode::Io, lost).caused_by(error);
            let told = report(&problem.hint(hint), settings);
            // A check that failed has failed all the same.
            if code == ExitCode::Success {
                told
            } else {
                code
            }
        }
    }
}

/// What is so where a command did its work and stdout did not take what it gave.
fn lost(command: &Command) -> &'static str {
    match command {
        Command::Build(_) => "the build ended well, but what it gave could not be printed",
        Command::Publish(publish) if publish.dry_run => {
            "nothing was pushed, and the plan could not be printed"
        }
        Command::Publish(_) => "everything was published, but what it goes by could not be printed",
        _ => "the command did its work, but its result could not be printed",
    }
}

fn report(problem: &Problem, settings: &Settings) -> ExitCode {
    if settings.format == Format::Json {
        printer::json(problem);
    }
    // Where stdout takes nothing, at least people are told.
    if settings.format != Format::Json || printer::lost().is_some() {
        let text = render::problem::text(problem);
        printer::message(&github_actions::inert(settings, text));
    }
    github_actions::annotate(settings, problem);
    problem.code.exit_code()
}
