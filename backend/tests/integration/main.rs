//! The service as its clients see it: the router over a real database, and the
//! real process.
#![cfg_attr(
    not(feature = "tls"),
    expect(dead_code, reason = "servers with TLS are for the tests of it")
)]

mod api;
mod arbitrary_requests;
#[cfg(feature = "tls")]
mod authority;
mod backups;
mod browser;
#[cfg(feature = "otlp")]
mod collector;
#[cfg(feature = "otlp")]
mod collectors;
mod conformance;
mod contact;
mod editing;
mod errors;
mod full_disk;
mod killed;
mod killed_edits;
mod log;
mod mail_server;
#[cfg(feature = "tls")]
mod mail_tls;
mod metrics;
mod pages;
mod portfolio;
mod postgres;
#[cfg(feature = "tls")]
mod postgres_tls;
mod posts;
mod process;
mod tags;
#[cfg(feature = "otlp")]
mod telemetry;
