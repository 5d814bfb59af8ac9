//! A portfolio over HTTP: a profile, its projects, and a way to get in touch.
//!
//! Everything but the process itself: reading arguments and variables, signals
//! and exit codes belong to `main.rs`. Nothing here reads the environment.

pub mod app;
pub mod config;
pub mod database;
pub mod logging;
pub mod operations;
pub mod server;

mod admission;
mod contact;
mod health;
mod json_body;
mod openapi;
mod problem;
mod profile;
mod projects;
mod protection;
mod request_id;
mod request_log;
mod timestamp;
mod trace_context;
mod version;
