//! The process: arguments and variables in, exit code out. Everything it serves is
//! in the library.

use std::error::Error;
use std::ffi::OsString;
use std::future::Future;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use backend::app::{AppState, app};
use backend::config::{self, Config, Mistakes};
use backend::database::{self, OpenError};
use backend::logging;
use backend::operations::Operations;
use backend::server::{self, Stopped};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "\
Serves a portfolio over HTTP.

Usage: backend [--help | --version]
       backend config check    shows the configuration, or every mistake in it

It is configured by environment variables, and by the TOML file that PORTFOLIO_CONFIG
names, in which PORTFOLIO_LISTEN is called `listen`. Variables outweigh the file.
";

const EXIT_CODES: &str = "
Exit codes:
  0   it was told to stop, and had answered every request
  64  an argument or the configuration is wrong
  65  the database is not one of this version
  69  it cannot listen where it should
  70  it failed in a way that it should not
  74  the database cannot be opened
  75  it was told to stop, and a request was still open after the deadline
";

/// How long the database may take to write its log back and close.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// Why the process ends otherwise than well. The exit codes are those of
/// `sysexits.h`.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("there is no argument `{}`; see `backend --help`", .0.display())]
    Argument(OsString),
    #[error("`backend {0}` is all that can be said there; see `backend --help`")]
    Incomplete(&'static str),
    #[error(transparent)]
    Config(#[from] Mistakes),
    #[error("the database {} cannot be used", path.display())]
    Database {
        path: PathBuf,
        #[source]
        source: OpenError,
    },
    #[error("{address} cannot be listened on (PORTFOLIO_LISTEN)")]
    Listen {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("the service could not {step}")]
    Process {
        step: &'static str,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    #[error("a request was still open at the deadline (PORTFOLIO_STOP_TIMEOUT)")]
    Deadline,
}

impl Failure {
    fn process(step: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let source = source.into();
        Self::Process { step, source }
    }

    fn exit_code(&self) -> u8 {
        match self {
            Self::Argument(_) | Self::Incomplete(_) | Self::Config(_) => 64,
            Self::Database { source, .. } => match source {
                OpenError::NotADatabase | OpenError::Foreign { .. } | OpenError::Changed(_) => 65,
                OpenError::PathNotText => 64,
                OpenError::Directory { .. } | OpenError::Refused(_) | OpenError::Migration(_) => 74,
            },
            Self::Listen { .. } => 69,
            Self::Process { .. } => 70,
            Self::Deadline => 75,
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let mut sentence = failure.to_string();
            let mut source = failure.source();
            while let Some(error) = source {
                sentence = format!("{sentence}: {error}");
                source = error.source();
            }
            for line in sentence.lines() {
                // If even standard error is closed there is nobody left to tell.
                let _ = writeln!(io::stderr(), "backend: {line}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(arguments: &[OsString]) -> Result<(), Failure> {
    let words: Vec<_> = arguments
        .iter()
        .map(|argument| argument.to_str().unwrap_or_default())
        .collect();
    match words[..] {
        [] => serve(config::read(std::env::vars_os())?.config),
        ["config", "check"] => print(&config::read(std::env::vars_os())?.to_string()),
        ["--help" | "-h"] => print(&format!("{USAGE}{}{EXIT_CODES}", config::list())),
        ["--version" | "-V"] => print(concat!("backend ", env!("CARGO_PKG_VERSION"), "\n")),
        ["config"] => Err(Failure::Incomplete("config check")),
        ["config", _, ..] => Err(Failure::Argument(arguments[1].clone())),
        [_, ..] => Err(Failure::Argument(arguments[0].clone())),
    }
}

fn print(text: &str) -> Result<(), Failure> {
    io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| Failure::process("write to standard output", error))
}

#[tokio::main]
async fn serve(config: Config) -> Result<(), Failure> {
    let process = |step| move |error| Failure::process(step, error);
    logging::start(config.log).map_err(|error| Failure::process("start its log", error))?;
    // Before anything that takes time, so that no signal is missed.
    let stop = stop_signal().map_err(process("listen for signals"))?;
    let database = database::open(&config.database)
        .await
        .map_err(|source| Failure::Database {
            path: config.database,
            source,
        })?;
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|source| Failure::Listen {
            address: config.listen,
            source,
        })?;
    let address = listener.local_addr().map_err(process("name its address"))?;
    let version = env!("CARGO_PKG_VERSION");
    let commit = config.build.commit.as_deref();
    tracing::info!(%address, version, commit, "listening");

    let mut limits = config.limits;
    limits.connections = server::make_room(limits.connections);
    let operations = Operations::new(&limits);
    let state = AppState::new(database.clone(), config.build, operations.clone());
    let stop = async {
        stop.await;
        operations.stop();
        tokio::time::sleep(limits.stop_delay).await;
    };
    let app = app(state, &config.cors_origins);
    let connections = operations.connections().clone();
    let stopped = server::serve(listener, app, limits.clone(), connections, stop).await;
    // A request that is still open may hold a connection: it is not waited for.
    let _ = tokio::time::timeout(CLOSE_LIMIT, database.close()).await;
    tracing::info!("stopped");
    match stopped {
        Stopped::Drained => Ok(()),
        Stopped::DeadlinePassed => Err(Failure::Deadline),
    }
}

/// Resolves when the process is told to stop: SIGTERM from an orchestrator, SIGINT
/// from a keyboard.
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
