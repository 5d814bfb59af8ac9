//! The threads of the service. Names are resolved and files written on threads that
//! nothing interrupts: the end of the process waits for them only so long.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::runtime::Builder;

/// How long what is under way on these threads may take once the service has ended.
pub(crate) const LIMIT: Duration = Duration::from_millis(250);

/// Runs the service to its end.
///
/// # Errors
/// The system gives no threads.
pub(crate) fn run<T>(service: impl Future<Output = T>) -> io::Result<T> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(service);
    runtime.shutdown_timeout(LIMIT);
    Ok(ended)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_name_server_that_never_answers_does_not_hold_the_end_up() {
        let (hold, held) = channel::<()>();
        let (done, ended) = channel();
        std::thread::spawn(move || {
            let result = run(async {
                tokio::task::spawn_blocking(move || held.recv());
                7
            });
            done.send(result.ok())
        });
        let result = ended.recv_timeout(Duration::from_mins(1));
        assert_eq!(result, Ok(Some(7)));
        drop(hold);
    }
}
