//! ECR and its registry, over HTTP, as clients use them.

#![expect(
    clippy::unwrap_used,
    reason = "the client that the tests share fails the test that uses it"
)]

mod accounts;
mod aws_cli;
mod denials;
mod formats;
mod images;
mod layer_uploads;
mod limits;
mod login;
mod lookup_events;
mod push_and_pull;
mod repositories;
mod restart;
mod served;
mod signing;
mod trail;
