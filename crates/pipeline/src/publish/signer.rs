//! Who signs what is said about an image: a key of this machine, or of AWS KMS.

use std::sync::Arc;

use attest::{Envelope, KeyError, SigningKey, Statement};
use aws::{AwsError, KmsKey};
use oci::Digest;
use receipts::{Problem, ProblemCode};

use super::session::Session;

/// Who signs.
#[derive(Debug, Clone)]
pub enum Signer {
    /// A key of this machine.
    Key(Arc<SigningKey>),
    /// A key of AWS KMS, by its id, its ARN or `alias/NAME`, which whoever
    /// publishes may use.
    Kms(String),
}

/// A signer who is known to be able to.
pub(super) enum ReadySigner<'a> {
    Key(&'a SigningKey),
    Kms(KmsKey),
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningFailure {
    /// The key.
    #[error("the image could not be signed")]
    Key(#[source] KeyError),
    /// AWS KMS.
    #[error("AWS KMS did not sign")]
    Kms(#[source] AwsError),
}

impl Signer {
    /// Finds out whether it can sign, before anything depends on that.
    pub(super) async fn ready(&self, session: &Session) -> Result<ReadySigner<'_>, SigningFailure> {
        match self {
            Self::Key(key) => Ok(ReadySigner::Key(key)),
            Self::Kms(id) => {
                let key = session.client.kms_key(&session.credentials, id).await;
                Ok(ReadySigner::Kms(key.map_err(SigningFailure::Kms)?))
            }
        }
    }

    /// What people are told before.
    pub(super) fn title(&self) -> String {
        match self {
            Self::Key(key) => format!("public key {}", key.public_key_digest()),
            Self::Kms(id) => format!("AWS KMS, {id}"),
        }
    }
}

impl ReadySigner<'_> {
    /// The bundle of `statement`.
    pub(super) async fn sign(
        &self,
        statement: &Statement,
        session: &Session,
    ) -> Result<Vec<u8>, SigningFailure> {
        let envelope = Envelope::new(statement);
        let message = envelope.message();
        let signed = match self {
            Self::Key(key) => {
                let signature = key.sign(&message).map_err(SigningFailure::Key)?;
                envelope.signed(&signature, key.public_key())
            }
            Self::Kms(key) => {
                let digest = hex::decode(Digest::of(&message).hex()).unwrap_or_default();
                let signature = session.client.kms_sign(&session.credentials, key, &digest);
                let signature = signature.await.map_err(SigningFailure::Kms)?;
                envelope.signed(&signature, &key.public_key)
            }
        };
        signed.map_err(SigningFailure::Key)
    }
}

impl SigningFailure {
    /// What people and machines are told.
    pub(super) fn problem(&self) -> Problem {
        let what = "no tag was moved: the image could not be signed";
        let problem = Problem::new(ProblemCode::BadSigningKey, what).caused_by(self);
        match self {
            Self::Kms(error) if error.is_denial() => problem.hint(
                "allow the publisher `kms:GetPublicKey` and `kms:Sign` on the key, in its role and in the key's policy",
            ),
            Self::Kms(_) => problem.hint("compare `publish.signing-key` with `aws kms list-aliases` in this region"),
            Self::Key(_) => problem,
        }
    }
}
