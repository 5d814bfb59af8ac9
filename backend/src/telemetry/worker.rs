//! What is sent when, beside everything else.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::exporter::{Exporter, Refusal};
use super::protobuf::Message;
use super::queue::Queue;
use super::{metrics, span};
use crate::app::AppState;
use crate::metrics::reading::read;

/// The first and the longest pause before what was not taken is sent again.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// The longest pause that a collector can ask for: a mistake of it must not be for ever.
const LONGEST_ASKED: Duration = Duration::from_hours(1);

/// Sends spans when there are many or the first has waited for `delay`, and all there
/// are when it is told to stop.
pub(super) async fn send_spans(
    mut exporter: Exporter,
    resource: Message,
    queue: Arc<Queue>,
    delay: Duration,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        tokio::select! {
            () = queue.batch.notified() => {}
            () = sleep(delay) => {}
            () = stopped(&mut stop) => {}
        }
        let is_last = *stop.borrow();
        loop {
            let spans = queue.take();
            if spans.is_empty() {
                break;
            }
            let message = span::message(&resource, &spans).into_bytes();
            if let Err(refusal) = send_again(&mut exporter, message, &queue, &mut stop).await {
                queue.lose(refusal.lost(spans.len()));
            }
        }
        if is_last {
            return;
        }
    }
}

/// Sends spans until they are taken, refused, or the end is near. What comes in the
/// meantime waits in the queue, which has an end.
async fn send_again(
    exporter: &mut Exporter,
    message: Vec<u8>,
    queue: &Queue,
    stop: &mut watch::Receiver<bool>,
) -> Result<(), Refusal> {
    let message = axum::body::Bytes::from(message);
    let (mut pause, longest) = PAUSES;
    loop {
        let is_last = *stop.borrow();
        let sent = exporter.send(message.clone(), || queue.take_lost()).await;
        let Err(refusal) = sent else { return Ok(()) };
        if is_last || !refusal.is_passing() {
            return Err(refusal);
        }
        tokio::select! {
            () = sleep(wait(pause, refusal.pause())) => {}
            () = stopped(stop) => {}
        }
        pause = (pause * 2).min(longest);
    }
}

/// A collector may ask to be left alone for longer than would be waited otherwise.
fn wait(pause: Duration, asked: Option<Duration>) -> Duration {
    asked.map_or(pause, |asked| asked.clamp(pause, LONGEST_ASKED))
}

/// Sends metrics every `interval`, and once more when it is told to stop. They count from
/// the start: what was not taken is in the next ones.
pub(super) async fn send_metrics(
    mut exporter: Exporter,
    resource: Message,
    state: AppState,
    interval: Duration,
    mut stop: watch::Receiver<bool>,
) {
    let mut next = Instant::now() + interval;
    loop {
        tokio::select! {
            () = sleep_until(next) => {}
            () = stopped(&mut stop) => {}
        }
        let is_last = *stop.borrow();
        let reading = read(&state).await;
        let message = metrics::message(&resource, &reading, (state.clock)()).into_bytes();
        // The exporter has told the log.
        let _ = exporter.send(message.into(), || 0).await;
        if is_last {
            return;
        }
        next = (next + interval).max(Instant::now());
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // That nobody is left to say so means the same.
    let _ = stop.wait_for(|stopping| *stopping).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_left_alone_as_long_as_it_asks_within_reason() {
        let seconds = Duration::from_secs;
        assert_eq!(wait(seconds(2), None), seconds(2));
        assert_eq!(wait(seconds(2), Some(seconds(0))), seconds(2));
        assert_eq!(wait(seconds(2), Some(seconds(120))), seconds(120));
        assert_eq!(wait(seconds(2), Some(Duration::MAX)), LONGEST_ASKED);
    }
}
