//! Every AWS call that Longshore makes: GitHub's identity token, STS, the
//! authorization of ECR's registry, signatures of KMS, certificates of
//! Sigstore, and the credential chain of a laptop.
//!
//! This is a thin client of our own over `aws-sigv4` and `reqwest`, not the AWS
//! SDK: a cold build of the SDK's STS and ECR clients costs more than all the
//! rest of Longshore together, and a newcomer's first command has five minutes
//! from a cold clone. A few operations and their two wire formats (Query/XML and
//! JSON 1.1) are little; signing, which is easy to get wrong, is AWS's own crate.
//!
//! The crate reads no environment variable and no clock by itself: both are
//! passed in. It must not know any emulator: where it connects to is decided by
//! the standard variables (`AWS_ENDPOINT_URL*`, `ACTIONS_ID_TOKEN_REQUEST_URL`).

mod client;
mod credentials;
mod ecr;
mod error;
mod github_token;
mod iam;
mod json_protocol;
mod kms;
mod query;
mod secret;
mod session_name;
mod settings;
mod signing;
mod sigstore;
mod sts;
mod transport;
mod web_identity;

pub use client::Client;
pub use credentials::Credentials;
pub use ecr::RegistryAuthorization;
pub use error::{AwsError, ServiceError};
pub use iam::{OidcProviderFacts, RoleFacts};
pub use kms::KmsKey;
pub use secret::Secret;
pub use session_name::session_name;
pub use settings::{Lookup, Settings, SettingsError};
pub use sigstore::CertifiedKey;
pub use sts::{AssumeRole, CallerIdentity, Session};
pub use web_identity::{TokenError, WebIdentityToken, claims_of};

#[cfg(test)]
mod testing;
