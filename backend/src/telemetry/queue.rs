//! Spans that wait to be sent.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::span::Span;

/// How many wait at most. Both numbers are the defaults of OpenTelemetry's SDKs.
const LIMIT: usize = 2048;
/// How many are sent at once.
const BATCH: usize = 512;

#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    /// Told when there is enough to be sent.
    pub(super) batch: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    spans: Vec<Span>,
    lost: usize,
}

impl Queue {
    /// Takes a span at once, or loses it.
    pub(super) fn push(&self, span: Span) {
        let mut waiting = self.waiting();
        if waiting.spans.len() == LIMIT {
            waiting.lost += 1;
            return;
        }
        waiting.spans.push(span);
        if waiting.spans.len() == BATCH {
            self.batch.notify_one();
        }
    }

    /// Those that came first.
    pub(super) fn take(&self) -> Vec<Span> {
        let mut waiting = self.waiting();
        let count = waiting.spans.len().min(BATCH);
        waiting.spans.drain(..count).collect()
    }

    /// Says how many were lost since it was last asked.
    pub(super) fn take_lost(&self) -> usize {
        std::mem::take(&mut self.waiting().lost)
    }

    /// Says that spans are lost that were taken.
    pub(super) fn lose(&self, count: usize) {
        self.waiting().lost += count;
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Every change of it is one call: none is left half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
