//! The log: JSON, one object a line, on standard output.

use tracing::level_filters::LevelFilter;
use tracing::subscriber::SetGlobalDefaultError;

/// Sends everything up to `level`, and every panic, to the log from here on.
///
/// # Errors
/// If the process has a log already.
pub fn start(level: LevelFilter) -> Result<(), SetGlobalDefaultError> {
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_max_level(level)
        .finish();
    tracing::subscriber::set_global_default(subscriber)?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let message = panic.payload_as_str().unwrap_or_default();
        tracing::error!(place, message, "panicked");
    }));
    Ok(())
}
