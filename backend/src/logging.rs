//! The log: JSON, one object a line, on standard output.

use std::sync::OnceLock;
use std::time::Duration;
use std::{io, thread};

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::{SetGlobalDefaultError, set_global_default};
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

use crate::timestamp::Clock;

use line::Line;
use output::Output;

mod embedded_metrics;
mod line;
mod output;
#[cfg(test)]
mod tests;

/// The output of this process.
static OUTPUT: OnceLock<Output> = OnceLock::new();

/// What makes traces of what the log is told.
pub type Traces = Box<dyn Layer<Registry> + Send + Sync>;

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The process has one already.
    #[error(transparent)]
    Twice(#[from] SetGlobalDefaultError),
    /// The thread that writes it could not be started.
    #[error("its thread could not be started: {0}")]
    Thread(#[from] io::Error),
}

/// Sends everything up to `level`, and every panic, to the log from here on. With a
/// `namespace`, CloudWatch takes metrics from the lines of requests. `traces` is told too,
/// whatever `level` is.
///
/// # Errors
/// If the process has a log already, or can have no more threads.
pub fn start(
    level: LevelFilter,
    namespace: Option<String>,
    clock: Clock,
    traces: Option<Traces>,
) -> Result<(), StartError> {
    let output = OUTPUT.get_or_init(Output::default);
    let line = Line { namespace, clock };
    let registry = Registry::default();
    match traces {
        // Then what is not logged need not be looked at.
        None => set_global_default(registry.with(lines(line, output)).with(level))?,
        Some(traces) => {
            let lines = lines(line, output).with_filter(level);
            set_global_default(registry.with(traces).with(lines))?;
        }
    }
    thread::Builder::new()
        .name("log".to_owned())
        .spawn(|| output.write_to(io::stdout(), tell_of_lost))?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let message = panic.payload_as_str().unwrap_or_default();
        tracing::error!(place, message, "panicked");
    }));
    Ok(())
}

fn lines<S>(line: Line, output: &Output) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    tracing_subscriber::fmt::layer()
        .fmt_fields(JsonFields::new())
        .event_format(line)
        .with_writer(output.clone())
}

fn tell_of_lost(lines: u64) {
    tracing::warn!(
        lines,
        "lines of the log were lost: nobody read them in time"
    );
}

/// Waits until the log is written, but no longer than `limit`.
pub fn finish(limit: Duration) {
    if let Some(output) = OUTPUT.get() {
        output.finish(limit);
    }
}

/// How many lines of the log were lost.
pub(crate) fn lost_lines() -> u64 {
    OUTPUT.get().map_or(0, Output::lost)
}
