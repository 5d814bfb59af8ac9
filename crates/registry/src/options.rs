//! How long and how hard to try.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};

/// The limits of a client. `Options::default()` suits a registry on the network.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Large blobs uploaded at the same time.
    pub parallel: usize,
    /// Blobs asked about, and small ones uploaded, at the same time: each takes a
    /// round trip and hardly any bytes.
    pub asked: usize,
    /// How often a failed step is tried again.
    pub retries: usize,
    /// For how long a step bears being throttled, which is no failed try.
    pub patience: Duration,
    /// The wait before the first retry; it doubles each time, plus jitter.
    pub first_wait: Duration,
    /// No wait is longer than this, whatever a `Retry-After` asks for.
    pub longest_wait: Duration,
    /// A connection on which nothing moves for this long is given up. Generous,
    /// because a registry may be silent while it stores a large layer.
    pub silence: Duration,
    /// Blobs up to this size are sent in one request, where the registry takes them.
    pub whole: u64,
    /// Blobs from this size on are sent in chunks, where the registry keeps what has
    /// arrived when a connection breaks.
    pub resumable: u64,
    /// Bytes of a chunk. ECR takes none below 5 MiB but the last.
    pub chunk: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            parallel: 4,
            asked: 16,
            retries: 5,
            patience: Duration::from_mins(5),
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(20),
            silence: Duration::from_mins(2),
            whole: 256 * 1024,
            resumable: 128 * 1024 * 1024,
            chunk: 32 * 1024 * 1024,
        }
    }
}

impl Options {
    pub(crate) fn waits(&self) -> ExponentialBackoff {
        ExponentialBuilder::new()
            .with_min_delay(self.first_wait)
            .with_max_delay(self.longest_wait)
            .with_max_times(self.retries)
            .with_jitter()
            .build()
    }
}
