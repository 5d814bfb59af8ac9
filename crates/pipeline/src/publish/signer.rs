//! Who signs what is said about an image: a key of this machine, one of AWS KMS, or
//! one that lives for minutes and belongs to the workflow's run.

use std::sync::Arc;

use attest::{Certificate, Envelope, KeyError, LogEntry, SigningKey, Statement};
use aws::{AwsError, CertifiedKey, Client, Credentials, KmsKey};
use oci::Digest;
use receipts::{Problem, ProblemCode};
use url::Url;

use super::IdentityPlan;
use super::session::Session;

/// The audience of tokens for Fulcio.
const SIGSTORE: &str = "sigstore";

/// Who signs.
#[derive(Debug, Clone)]
pub enum Signer {
    /// A key of this machine.
    Key(Arc<SigningKey>),
    /// A key of AWS KMS, by its id, its ARN or `alias/NAME`, which whoever
    /// publishes may use.
    Kms(String),
    /// The run of the workflow, for which Sigstore vouches.
    Run(Sigstore),
}

/// Where Sigstore is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sigstore {
    /// Who gives certificates.
    pub fulcio: Url,
    /// The public log.
    pub rekor: Url,
}

/// A signer who is known to be able to.
pub(super) enum ReadySigner<'a> {
    Key(&'a SigningKey),
    Kms(KmsKey, &'a Credentials),
    Run(&'a Sigstore),
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningFailure {
    /// The key.
    #[error("the image could not be signed")]
    Key(#[from] KeyError),
    /// AWS KMS.
    #[error("AWS KMS did not sign")]
    Kms(#[source] AwsError),
    /// Sigstore.
    #[error("Sigstore did not vouch for a key of this run")]
    Sigstore(#[source] AwsError),
    /// There is no run that could be vouched for.
    #[error("a signature without a key is one of a workflow's run, and this is none")]
    NoRun,
    /// AWS KMS or a run, where neither AWS nor GitHub is asked.
    #[error(
        "only a key in a file or a variable signs for {0}: no identity but the login is asked for"
    )]
    OnlyLogin(String),
}

impl Signer {
    /// Whether it could sign for whoever publishes by `identity`: nothing is asked.
    pub fn able(&self, identity: &IdentityPlan) -> Result<(), SigningFailure> {
        match (self, identity) {
            (Self::Kms(_) | Self::Run(_), IdentityPlan::Login { registry, .. }) => {
                Err(SigningFailure::OnlyLogin(registry.host.clone()))
            }
            (Self::Run(_), IdentityPlan::Chain { .. }) => Err(SigningFailure::NoRun),
            _ => Ok(()),
        }
    }

    /// Finds out whether it can sign, before anything depends on that.
    pub(super) async fn ready<'a>(
        &'a self,
        session: &'a Session,
    ) -> Result<ReadySigner<'a>, SigningFailure> {
        match self {
            Self::Key(key) => Ok(ReadySigner::Key(key)),
            Self::Kms(id) => {
                let credentials = session.credentials.as_ref();
                let none = || SigningFailure::OnlyLogin(session.host.clone());
                let credentials = credentials.ok_or_else(none)?;
                let key = session.client.kms_key(credentials, id).await;
                let key = key.map_err(SigningFailure::Kms)?;
                Ok(ReadySigner::Kms(key, credentials))
            }
            Self::Run(_) if session.credentials.is_none() => {
                Err(SigningFailure::OnlyLogin(session.host.clone()))
            }
            Self::Run(_) if session.claims.is_none() => Err(SigningFailure::NoRun),
            Self::Run(sigstore) => Ok(ReadySigner::Run(sigstore)),
        }
    }

    /// What people are told before.
    pub(super) fn title(&self) -> String {
        match self {
            Self::Key(key) => format!("public key {}", key.public_key_digest()),
            Self::Kms(id) => format!("AWS KMS, {id}"),
            Self::Run(sigstore) => format!("by the run, entry in {}", sigstore.rekor),
        }
    }
}

impl ReadySigner<'_> {
    /// The bundles of `statements`, in their order.
    pub(super) async fn sign(
        &self,
        statements: &[&Statement],
        session: &Session,
    ) -> Result<Vec<Vec<u8>>, SigningFailure> {
        let run = match self {
            // The certificate is valid for minutes: it is asked for at the last moment.
            Self::Run(sigstore) => Some((*sigstore, RunKey::new(sigstore, session).await?)),
            _ => None,
        };
        let mut bundles = Vec::new();
        for statement in statements {
            let envelope = Envelope::new(statement);
            bundles.push(match (self, &run) {
                (Self::Key(key), _) => {
                    let signature = key.sign(&envelope.message())?;
                    envelope.signed(&signature, key.public_key())?
                }
                (Self::Kms(key, credentials), _) => {
                    kms(&envelope, key, &session.client, credentials).await?
                }
                (_, Some((sigstore, key))) => key.sign(&envelope, sigstore, session).await?,
                (_, None) => return Err(SigningFailure::NoRun),
            });
        }
        Ok(bundles)
    }
}

async fn kms(
    envelope: &Envelope,
    key: &KmsKey,
    client: &Client,
    credentials: &Credentials,
) -> Result<Vec<u8>, SigningFailure> {
    let digest = hex::decode(Digest::of(&envelope.message()).hex()).unwrap_or_default();
    let signature = client.kms_sign(credentials, key, &digest);
    let signature = signature.await.map_err(SigningFailure::Kms)?;
    Ok(envelope.signed(&signature, &key.public_key)?)
}

/// A key that lives as long as this process, and the run's certificate for it.
struct RunKey {
    key: SigningKey,
    certificate: Certificate,
}

impl RunKey {
    async fn new(sigstore: &Sigstore, session: &Session) -> Result<Self, SigningFailure> {
        let key = SigningKey::generate()?;
        let token = session.client.github_token(SIGSTORE).await;
        let token = token.map_err(SigningFailure::Sigstore)?;
        let subject = token.claims().remove("sub").unwrap_or_default();
        let certified = CertifiedKey {
            public_pem: &key.public_pem(),
            proof: &key.sign(subject.as_bytes())?,
        };
        let client = &session.client;
        let certificate = client.fulcio_certificate(&sigstore.fulcio, &token, certified);
        let certificate = certificate.await.map_err(SigningFailure::Sigstore)?;
        Ok(Self {
            certificate: Certificate::of_key(&key, &certificate)?,
            key,
        })
    }

    async fn sign(
        &self,
        envelope: &Envelope,
        sigstore: &Sigstore,
        session: &Session,
    ) -> Result<Vec<u8>, SigningFailure> {
        let signature = self.key.sign(&envelope.message())?;
        let proposed = envelope.proposed(&signature, &self.certificate);
        let entry = session.client.rekor_entry(&sigstore.rekor, &proposed);
        let entry = entry.await.map_err(SigningFailure::Sigstore)?;
        let entry = LogEntry::parse(&entry)?;
        Ok(envelope.certified(&signature, &self.certificate, &entry)?)
    }
}

impl SigningFailure {
    /// What people and machines are told.
    pub(super) fn problem(&self) -> Problem {
        let undone = match self {
            Self::OnlyLogin(_) | Self::NoRun => "nothing was pushed",
            _ => "no tag was moved",
        };
        let what = format!("{undone}: the image could not be signed");
        let problem = Problem::new(ProblemCode::BadSigningKey, what).caused_by(self);
        match self {
            Self::Key(_) => problem,
            Self::Kms(error) if error.is_denial() => problem.hint(
                "allow the publisher `kms:GetPublicKey` and `kms:Sign` on the key, in its role and in the key's policy",
            ),
            Self::Kms(_) => problem.hint(
                "compare `publish.signing-key` with `aws kms list-aliases` in this region",
            ),
            Self::Sigstore(_) => problem.hint(
                "try again, or sign with a key: `publish.signing-key` names a file, a variable or `awskms:///KEY`",
            ),
            Self::OnlyLogin(_) => problem.hint("let `publish.signing-key` name a file or `env://NAME`"),
            Self::NoRun => problem.hint("publish from a workflow, or leave out `publish.signing-key`"),
        }
    }
}
