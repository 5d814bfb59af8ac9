//! `longshore`: arguments become settings, settings become calls, results
//! become text. Nothing is decided here that a library could decide.

mod arguments;
mod commands;
mod environment;
mod github_actions;
mod printer;
mod progress;
mod project;
mod render;
mod settings;
mod signing;

use receipts::ExitCode;

use arguments::Arguments;
use environment::Environment;
use settings::Settings;

fn main() -> std::process::ExitCode {
    let arguments = match Arguments::read() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors, and clap knows which stream is whose.
            let _ = error.print();
            let code = if error.use_stderr() {
                ExitCode::Usage
            } else {
                ExitCode::Success
            };
            return code.into();
        }
    };
    let settings = Settings::resolve(&arguments, Environment::read());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(::emulator::THREADS)
        .enable_all()
        .build()
        .expect("a system that starts no thread runs nothing");
    runtime
        .block_on(commands::run(arguments.command, &settings))
        .into()
}
