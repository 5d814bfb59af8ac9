//! The process: arguments and variables in, exit code out. Everything it serves is
//! in the library.

mod commands;
mod runtime;

use std::cell::OnceCell;
use std::error::Error;
use std::ffi::OsString;
use std::future::Future;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use backend::app::{AppState, Site, app};
use backend::backup::{BackupError, Restore};
use backend::config::{self, Config, Effective, Limits, Mistakes};
use backend::contact::outbox;
use backend::database::{Database, Location, OpenError, Start};
use backend::logging;
use backend::metrics;
use backend::operations::Operations;
use backend::server::{self, Connections, Stopped};
use backend::telemetry::Telemetry;
use backend::timestamp::system_clock;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "\
Serves a portfolio over HTTP.

Usage: backend [--help | --version]
       backend config check    shows the configuration, or every mistake in it
       backend backup FILE     writes everything to a new file; the service may run
       backend restore [--replace] [--with-tokens] [--delivered] FILE
                               puts it back; --replace deletes what is there,
                               --with-tokens leaves tokens as good as they were,
                               --delivered has no message of it delivered again
       backend outbox retry    has messages delivered that were given up
       backend token create NAME SCOPE[,SCOPE...] [EXPIRY]
                               prints a new token, once; EXPIRY is a time (RFC 3339)
       backend token list      shows every token, without its secret
       backend token revoke ID takes a token back

The scopes of tokens are content:write, contact:read, contact:delete and audit:read.

It is configured by environment variables, and by the TOML file that PORTFOLIO_CONFIG
names, in which PORTFOLIO_LISTEN is called `listen`. Variables outweigh the file.
";

const EXIT_CODES: &str = "
Exit codes:
  0   it was told to stop, and had answered every request
  64  an argument or the configuration is wrong
  65  the database or the backup is not one of this version
  66  there is no database to read
  69  it cannot listen where it should
  70  it failed in a way that it should not
  73  it would have deleted what is in the database
  74  the database or the backup cannot be opened
  75  it was told to stop, and a request was still open after the deadline
";

/// Connections of the listener for metrics: a few scrapers and a person.
const METRICS_CONNECTIONS: usize = 16;
/// How long the database may take to write its log back and close.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);
/// What of the time to stop is for the last traces, where they are sent.
const TELEMETRY_LIMIT: Duration = Duration::from_millis(500);
/// How long whoever reads the log may take for the last lines of it.
const LOG_LIMIT: Duration = Duration::from_millis(500);

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
    #[error("it cannot be done: {0}")]
    Refused(String),
    #[error("the backup was not {verb}")]
    Backup {
        verb: &'static str,
        #[source]
        source: BackupError,
    },
    #[error("the database {location} cannot be used")]
    Database {
        location: Location,
        #[source]
        source: OpenError,
    },
    #[error("{address} cannot be listened on ({variable})")]
    Listen {
        variable: &'static str,
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
            Self::Argument(_) | Self::Incomplete(_) | Self::Config(_) | Self::Refused(_) => 64,
            Self::Backup { source, .. } => match source {
                BackupError::Damaged { .. } | BackupError::Schema { .. } => 65,
                BackupError::NotEmpty => 73,
                BackupError::File { .. } | BackupError::Database(_) => 74,
            },
            Self::Database { source, .. } => match source {
                OpenError::NotADatabase
                | OpenError::Foreign { .. }
                | OpenError::Older
                | OpenError::Changed(_) => 65,
                OpenError::Missing => 66,
                OpenError::PathNotText => 64,
                OpenError::Directory { .. }
                | OpenError::Refused { .. }
                | OpenError::Migration(_) => 74,
            },
            Self::Listen { .. } => 69,
            Self::Process { .. } => 70,
            Self::Deadline => 75,
        }
    }
}

fn main() -> ExitCode {
    // Messages of visitors are in files: nobody else on the machine need read them.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let mut sentence = failure.to_string();
            let mut source = failure.source();
            while let Some(error) = source {
                let cause = error.to_string();
                // Errors of sqlx say their causes themselves.
                if !sentence.ends_with(&cause) {
                    sentence = format!("{sentence}: {cause}");
                }
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
        [] => serve(config::read(std::env::vars_os())?),
        ["config", "check"] => print(&config::read(std::env::vars_os())?.to_string()),
        ["--help" | "-h"] => print(&format!("{USAGE}{}{EXIT_CODES}", config::list())),
        ["--version" | "-V"] => print(concat!("backend ", env!("CARGO_PKG_VERSION"), "\n")),
        ["backup", _] => commands::backup(&arguments[1]),
        ["restore", ref options @ .., _] if let Some(restore) = restore_options(options) => {
            commands::restore(&arguments[arguments.len() - 1], restore)
        }
        ["outbox", "retry"] => commands::retry_outbox(),
        ["token", "create", name, scopes] => commands::create_token(name, scopes, None),
        ["token", "create", name, scopes, expiry] => {
            commands::create_token(name, scopes, Some(expiry))
        }
        ["token", "list"] => commands::list_tokens(),
        ["token", "revoke", id] => commands::revoke_token(id),
        ["backup" | "outbox" | "restore" | "token", ..] => Err(Failure::Refused(format!(
            "`backend {}` takes other arguments; see `backend --help`",
            words[0]
        ))),
        ["config"] => Err(Failure::Incomplete("config check")),
        ["config", _, ..] => Err(Failure::Argument(arguments[1].clone())),
        [_, ..] => Err(Failure::Argument(arguments[0].clone())),
    }
}

/// What the options of `restore` say; nothing if there is no such option.
fn restore_options(options: &[&str]) -> Option<Restore> {
    let mut restore = Restore::default();
    for option in options {
        match *option {
            "--replace" => restore.replace = true,
            "--with-tokens" => restore.with_tokens = true,
            "--delivered" => restore.delivered = true,
            _ => return None,
        }
    }
    Some(restore)
}

fn print(text: &str) -> Result<(), Failure> {
    io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| Failure::process("write to standard output", error))
}

async fn open(config: &Config, start: Start) -> Result<Database, Failure> {
    let location = config.location();
    Database::open(&location, start)
        .await
        .map_err(|source| Failure::Database { location, source })
}

fn serve(configured: Effective) -> Result<(), Failure> {
    let Effective {
        config, ignored, ..
    } = configured;
    let telemetry = Telemetry::new(&config, system_clock);
    let traces = telemetry.as_ref().and_then(Telemetry::traces);
    logging::start(
        config.log,
        config.emf_namespace.clone(),
        system_clock,
        traces,
    )
    .map_err(|error| Failure::process("start its log", error))?;
    for mistake in ignored {
        tracing::warn!(reason = %mistake, "a variable is ignored: the default counts");
    }
    let ended = runtime::run(run_service(config, telemetry))
        .map_err(|error| Failure::process("start its threads", error));
    logging::finish(LOG_LIMIT);
    ended?
}

async fn run_service(config: Config, telemetry: Option<Telemetry>) -> Result<(), Failure> {
    let process = |step| move |error| Failure::process(step, error);
    // Before anything that takes time, so that no signal is missed.
    let stop = stop_signal().map_err(process("listen for signals"))?;
    let database = open(&config, Start::Example).await?;
    let listener = listen("PORTFOLIO_LISTEN", config.listen).await?;
    let metrics_listener = match config.metrics_listen {
        Some(address) => Some(listen("PORTFOLIO_METRICS_LISTEN", address).await?),
        None => None,
    };
    let address = listener.local_addr().map_err(process("name its address"))?;
    let version = env!("CARGO_PKG_VERSION");
    let commit = config.build.commit.as_deref();
    tracing::info!(%address, version, commit, "listening");
    if config.site.url == Site::default().url {
        let url = &config.site.url;
        tracing::warn!(url, "the feed leads to the default of PORTFOLIO_URL");
    }

    let mut limits = config.limits;
    limits.connections = server::make_room(limits.connections);
    let operations = Operations::new(&limits);
    let state = AppState::new(
        database.clone(),
        config.build,
        config.site,
        operations.clone(),
        system_clock,
    );
    let stopping = OnceCell::new();
    let stop_delay = limits.stop_delay;
    let stop = async {
        stop.await;
        operations.stop();
        tokio::time::sleep(stop_delay).await;
        stopping.get_or_init(Instant::now);
    };
    let _metrics = metrics_listener.map(|listener| serve_metrics(listener, state.clone()));
    let delivering = tokio::spawn(outbox::deliver(state.clone(), config.delivery));
    let exporting = telemetry.map(|telemetry| telemetry.start(state.clone()));
    let app = app(state, &config.cors_origins);
    let connections = operations.connections().clone();
    let stop_limit = limits.stop;
    limits.stop = for_requests(stop_limit, exporting.is_some());
    let stopped = server::serve(listener, app, limits, connections, stop).await;
    // What it did not deliver is still in the outbox.
    delivering.abort();
    if let Some(exporting) = exporting {
        let elapsed = stopping.get().map(Instant::elapsed).unwrap_or_default();
        exporting.stop(stop_limit.saturating_sub(elapsed)).await;
    }
    // A request that is still open may hold a connection: it is not waited for.
    let _ = tokio::time::timeout(CLOSE_LIMIT, database.close()).await;
    tracing::info!("stopped");
    match stopped {
        Stopped::Drained => Ok(()),
        Stopped::DeadlinePassed => Err(Failure::Deadline),
    }
}

/// What of the time to stop open requests have.
fn for_requests(stop: Duration, is_exporting: bool) -> Duration {
    if is_exporting {
        stop.saturating_sub(TELEMETRY_LIMIT)
    } else {
        stop
    }
}

async fn listen(variable: &'static str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|source| Failure::Listen {
            variable,
            address,
            source,
        })
}

/// Serves `/metrics` until the runtime ends: what happens while the service stops is
/// worth seeing too.
fn serve_metrics(listener: TcpListener, state: AppState) -> tokio::task::JoinHandle<Stopped> {
    let address = listener.local_addr().ok();
    tracing::info!(
        address = address.map(tracing::field::display),
        "serving metrics"
    );
    tokio::spawn(server::serve(
        listener,
        metrics::app(state),
        Limits::default(),
        Connections::new(METRICS_CONNECTIONS),
        std::future::pending(),
    ))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_a_stop_waits_for_is_over_before_container_engines_kill() {
        let stop = Limits::default().stop;
        assert_eq!(for_requests(stop, true) + TELEMETRY_LIMIT, stop);
        assert_eq!(for_requests(stop, false), stop);
        let limit = stop + CLOSE_LIMIT + runtime::LIMIT + LOG_LIMIT;
        assert!(limit < Duration::from_secs(10), "{limit:?}");
    }
}
