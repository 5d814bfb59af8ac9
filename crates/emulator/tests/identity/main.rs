//! Signatures, STS and IAM, over HTTP: who is who, and who is refused.

#![expect(
    clippy::unwrap_used,
    reason = "the client that the tests share fails the test that uses it"
)]

mod answer;
mod attacks_page;
mod bystander;
mod issuers;
mod policies;
mod served;
mod sessions;
mod signature_attacks;
mod signatures;
mod signer;
mod simulation;
mod token_attacks;
mod tokens;
mod users;
mod web_tokens;
