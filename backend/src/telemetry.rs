//! Traces and metrics for a collector of OpenTelemetry, by OTLP over HTTP
//! (<https://opentelemetry.io/docs/specs/otlp/>).
//!
//! Spans are made of what the log is told, and metrics are those that Prometheus reads:
//! nothing is kept for them alone. They are sent in the background, and what a collector
//! does not take stops nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::AppState;
use crate::config::{self, Config};
use crate::logging::Traces;
use crate::timestamp::Clock;
use authorities::Authorities;
use exporter::Exporter;
use queue::Queue;

mod answer;
mod authorities;
mod connection;
mod exporter;
mod layer;
mod metrics;
mod protobuf;
mod queue;
mod resource;
mod span;
mod worker;

/// What is to be sent, from the start of the log on.
pub struct Telemetry {
    config: config::Telemetry,
    resource: protobuf::Message,
    queue: Arc<Queue>,
    product: &'static str,
    scheme: &'static str,
    clock: Clock,
}

/// What is being sent.
pub struct Exporting {
    stop: watch::Sender<bool>,
    workers: JoinSet<()>,
}

impl Telemetry {
    /// Nothing where no collector is configured.
    pub fn new(config: &Config, clock: Clock) -> Option<Self> {
        let telemetry = &config.telemetry;
        let is_used = telemetry.traces().is_some() || telemetry.metrics().is_some();
        is_used.then(|| Self {
            config: telemetry.clone(),
            resource: resource::resource(telemetry, &config.build),
            queue: Arc::default(),
            product: match config.server {
                Some(_) => "postgresql",
                None => "sqlite",
            },
            scheme: config.site.scheme(),
            clock,
        })
    }

    /// What makes spans of what the log is told; nothing where no traces are sent.
    pub fn traces(&self) -> Option<Traces> {
        self.config.traces()?;
        Some(layer::traces(
            self.queue.clone(),
            self.config.sampling,
            self.product,
            self.scheme,
            self.clock,
        ))
    }

    /// Begins to send.
    pub fn start(self, state: AppState) -> Exporting {
        let (stop, stopped) = watch::channel(false);
        let mut workers = JoinSet::new();
        let authorities = Arc::new(Authorities::new(self.config.certificate.clone()));
        let timeout = self.config.timeout;
        let exporter =
            |signal, destination| Exporter::new(signal, destination, authorities.clone(), timeout);
        if let Some(destination) = self.config.traces() {
            workers.spawn(worker::send_spans(
                exporter("traces", destination),
                self.resource.clone(),
                self.queue.clone(),
                self.config.schedule_delay,
                stopped.clone(),
            ));
        }
        if let Some(destination) = self.config.metrics() {
            workers.spawn(worker::send_metrics(
                exporter("metrics", destination),
                self.resource.clone(),
                state,
                self.config.metric_interval,
                stopped,
            ));
        }
        Exporting { stop, workers }
    }
}

impl Exporting {
    /// Sends what there is yet, if the collector takes it within `limit`.
    pub async fn stop(self, limit: Duration) {
        let Self { stop, mut workers } = self;
        stop.send_replace(true);
        // One that panicked has told so itself.
        let ended = async { while workers.join_next().await.is_some() {} };
        // Those that are not done then are aborted.
        let _ = tokio::time::timeout(limit, ended).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_worker_that_panicked_does_not_keep_the_service_from_stopping_well() {
        let (stop, _stopped) = watch::channel(false);
        let mut workers = JoinSet::new();
        workers.spawn(async { panic!("a mistake of ours") });
        Exporting { stop, workers }
            .stop(Duration::from_mins(1))
            .await;
    }
}
