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

use receipts::ExitCode;

use arguments::Arguments;
use environment::Environment;
use settings::Settings;

#[tokio::main]
async fn main() -> std::process::ExitCode {
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
    commands::run(arguments.command, &settings).await.into()
}
