//! What the service knows of its own work: handlers ask it whether they may go on,
//! and operators what is going on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::admission::Admission;
use crate::config::Limits;
use crate::metrics::Metrics;
use crate::server::Connections;

/// The state of the running service, apart from its content.
#[derive(Debug)]
pub struct Operations {
    pub(crate) admission: Arc<Admission>,
    pub(crate) metrics: Arc<Metrics>,
    connections: Arc<Connections>,
    stopping: AtomicBool,
}

impl Operations {
    /// A service that has not begun.
    pub fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            admission: Admission::new(limits),
            metrics: Arc::default(),
            connections: Connections::new(limits.connections),
            stopping: AtomicBool::new(false),
        })
    }

    /// The connections of the service, for the server.
    pub fn connections(&self) -> &Arc<Connections> {
        &self.connections
    }

    /// How many requests are worked on.
    pub fn in_flight(&self) -> usize {
        self.admission.in_flight()
    }

    /// From here on `/readyz` says 503: no more requests should be sent here.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}
