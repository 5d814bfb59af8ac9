//! How much the service takes on, and how long it waits for whom.

use std::time::Duration;

/// The limits. Together they bound the memory that clients can make it use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections that are open at once.
    pub connections: usize,
    /// Requests that are worked on at once; one more is answered 503.
    pub requests: usize,
    /// How long a client may take to send a request's head.
    pub head: Duration,
    /// How long a connection may be open without a request. Longer than that of the
    /// load balancer in front, or it sends requests into connections that close.
    pub idle: Duration,
    /// How long a client may take to read anything of an answer.
    pub write: Duration,
    /// How long a request's body may take, and then how long its answer may.
    pub request: Duration,
    /// How long the service goes on as before once it was told to stop, with
    /// `/readyz` saying 503.
    pub stop_delay: Duration,
    /// How long open requests may take after that.
    pub stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            requests: 256,
            head: Duration::from_secs(10),
            // The idle timeout of an Application Load Balancer is 60 s.
            idle: Duration::from_secs(75),
            write: Duration::from_secs(30),
            request: Duration::from_secs(10),
            stop_delay: Duration::ZERO,
            // Less than the 10 s after which container engines kill.
            stop: Duration::from_secs(8),
        }
    }
}
