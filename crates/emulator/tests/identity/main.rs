//! Signatures, STS and IAM, over HTTP: who is who, and who is refused.

#![expect(
    clippy::unwrap_used,
    reason = "the client that the tests share fails the test that uses it"
)]

mod answer;
mod issuers;
mod policies;
mod served;
mod sessions;
mod signatures;
mod signer;
mod simulation;
mod tokens;
mod users;
mod web_tokens;
