//! The program without the cargo feature `otlp`: the configuration refuses every
//! collector, so there is never anything to send.

use std::future::Ready;
use std::time::Duration;

use crate::app::AppState;
use crate::config::Config;
use crate::logging::Traces;
use crate::timestamp::Clock;

/// What is to be sent; there is none.
pub enum Telemetry {}

impl Telemetry {
    /// Nothing.
    pub fn new(_: &Config, _: Clock) -> Option<Self> {
        None
    }

    /// Nothing.
    pub fn traces(&self) -> Option<Traces> {
        match *self {}
    }

    /// Begins to send.
    #[must_use]
    pub fn start(self, _: AppState) -> Self {
        self
    }

    /// Sends the rest.
    pub fn stop(self, _: Duration) -> Ready<()> {
        match self {}
    }
}
