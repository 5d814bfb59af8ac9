//! The service as its clients see it: the router over a real database, and the
//! real process.

mod api;
mod arbitrary_requests;
mod backups;
mod browser;
mod conformance;
mod contact;
mod editing;
mod errors;
mod killed;
mod log;
mod metrics;
mod pages;
mod portfolio;
mod postgres;
mod posts;
mod process;
