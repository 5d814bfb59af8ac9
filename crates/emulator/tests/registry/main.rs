//! The cases of the distribution specification's conformance suite, in both
//! behaviours of the registry. What is expected is one table (`cases`).

#![expect(
    clippy::unwrap_used,
    reason = "the client that the tests share fails the test that uses it"
)]

mod attacks;
mod cases;
mod discovery;
mod management;
mod mounts;
mod pull;
mod push;
mod push_manifests;
mod side;

#[path = "../identity/bystander.rs"]
mod bystander;
#[path = "../ecr/served.rs"]
#[expect(dead_code, reason = "the other tests need more of it")]
mod served;
#[path = "../ecr/signing.rs"]
mod signing;
