//! A portfolio over HTTP: a profile, its projects, and a way to get in touch.
//!
//! Everything but the process itself: reading arguments and variables, signals
//! and exit codes belong to `main.rs`. Nothing here reads the environment.

pub mod app;
pub mod backup;
pub mod config;
pub mod contact;
pub mod database;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod logging;
pub mod metrics;
pub mod operations;
pub mod server;
#[cfg(feature = "otlp")]
pub mod telemetry;
#[cfg(not(feature = "otlp"))]
#[path = "no_telemetry.rs"]
pub mod telemetry;
pub mod timestamp;
pub mod tokens;

mod admission;
mod audit;
mod cache;
mod client_address;
mod content;
mod documents;
mod editor;
mod health;
mod identifier;
mod json_body;
mod markdown;
mod openapi;
mod page;
mod pages;
mod precondition;
mod problem;
mod protection;
mod public;
mod request_id;
mod request_log;
mod search;
mod seed;
mod slug;
mod trace_context;
mod version;
