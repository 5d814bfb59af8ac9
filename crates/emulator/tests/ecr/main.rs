//! ECR and its registry, over HTTP, as clients use them.

#![expect(
    clippy::unwrap_used,
    reason = "the client that the tests share fails the test that uses it"
)]

mod accounts;
mod archive;
mod aws_cli;
#[path = "../identity/bystander.rs"]
mod bystander;
mod connections;
mod creation_templates;
mod denials;
mod faults;
mod fidelity;
mod formats;
mod garbage;
mod images;
mod layer_uploads;
mod layers;
mod lifecycle;
mod limits;
mod login;
mod lookup_events;
mod permissions;
mod push_and_pull;
mod registry_settings;
mod repositories;
mod restart;
mod served;
mod signing;
mod snapshots;
mod trail;
mod usage;
