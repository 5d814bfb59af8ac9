//! One module per command. Each turns settings into calls of the libraries,
//! and results into text.

mod base;
mod build;
mod check;
mod emulator;
mod explain;
mod publish;
mod rehearse;

use receipts::{ExitCode, Problem};

use crate::arguments::{Command, Format};
use crate::settings::Settings;
use crate::{github_actions, printer, render};

/// Runs a command and tells of its failure, if it has one.
pub(crate) async fn run(command: Command, settings: &Settings) -> ExitCode {
    let result = match command {
        Command::Build(arguments) => build::run(&arguments, settings).await,
        Command::Base(arguments) => base::run(&arguments, settings).await,
        Command::Publish(arguments) => publish::run(&arguments, settings).await,
        Command::Rehearse(arguments) => rehearse::run(&arguments, settings).await,
        Command::Check(arguments) => check::run(&arguments, settings).await,
        Command::Explain(arguments) => explain::run(&arguments, settings).await,
        Command::Emulator(arguments) => emulator::run(&arguments, settings).await,
    };
    result.unwrap_or_else(|problem| report(&problem, settings))
}

fn report(problem: &Problem, settings: &Settings) -> ExitCode {
    match settings.format {
        Format::Json => printer::json(problem),
        Format::Text | Format::Sarif => {
            let text = render::problem::text(problem);
            printer::message(&github_actions::inert(settings, text));
        }
    }
    github_actions::annotate(settings, problem);
    problem.code.exit_code()
}
