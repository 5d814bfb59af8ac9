//! Black box: the built binary, and other people's programs, against the
//! emulator. Nothing here reaches into a crate.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests stop at the first surprise, and drive the machine they run on"
)]

mod advisories;
mod attestations;
mod bad_input;
mod base;
mod check;
mod clients;
mod controls;
mod directions;
mod dockerfile;
mod elsewhere;
mod explain;
mod failures;
mod first_steps;
mod harness;
mod imprints;
mod interruption;
mod kms;
mod large;
mod libraries;
mod platforms;
mod proof;
mod proxy;
mod publish;
mod rehearse;
mod report;
mod reproducible;
mod setups;
mod several;
mod snapshots;
mod source;
mod storage;
mod tls;
mod usage;
