//! The key that signs: ECDSA on P-256 with SHA-256, what `cosign` makes.

use std::fmt;

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use oci::Digest;
use pem_rfc7468::{LineEnding, decode_vec, encode_string};

use crate::cosign_key;

/// A private key. It never prints.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    public: Vec<u8>,
}

/// Why a text is no key that can sign here, or did not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not PEM.
    #[error("it is no PEM text: {0}")]
    Pem(String),
    /// PEM of something else.
    #[error("it holds `{0}`, and not a private key")]
    Label(String),
    /// A private key that is not of this kind.
    #[error("it is no ECDSA key on P-256: {0}")]
    Kind(String),
    /// What `cosign` wrote cannot be read.
    #[error("the encrypted key cannot be read: {0}")]
    Encrypted(String),
    /// The password does not open it.
    #[error("the password does not open it")]
    Password,
    /// The signature is not that of the public key.
    #[error("the signature does not hold for the public key")]
    Mismatch,
    /// The certificate is not one of the key.
    #[error("the certificate is not one of the key that it was asked for")]
    Certificate,
    /// A log answered with something that is no entry.
    #[error("the transparency log answered with no entry")]
    LogEntry,
    /// The library refused.
    #[error("signing failed")]
    Signing,
}

impl SigningKey {
    /// Reads a PEM text: PKCS#8, SEC 1, or what `cosign generate-key-pair` writes,
    /// which `password` opens.
    pub fn from_pem(text: &str, password: &str) -> Result<Self, KeyError> {
        let (label, document) =
            decode_vec(text.trim().as_bytes()).map_err(|error| KeyError::Pem(error.to_string()))?;
        match label {
            "PRIVATE KEY" => Self::from_pkcs8(&document),
            "EC PRIVATE KEY" => {
                let pair =
                    EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_ASN1_SIGNING, &document);
                Self::new(pair.map_err(|error| KeyError::Kind(error.to_string()))?)
            }
            "ENCRYPTED SIGSTORE PRIVATE KEY" | "ENCRYPTED COSIGN PRIVATE KEY" => {
                Self::from_pkcs8(&cosign_key::open(&document, password)?)
            }
            other => Err(KeyError::Label(other.to_owned())),
        }
    }

    /// A new key.
    pub fn generate() -> Result<Self, KeyError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING);
        Self::new(pair.map_err(|_| KeyError::Signing)?)
    }

    fn from_pkcs8(document: &[u8]) -> Result<Self, KeyError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document);
        Self::new(pair.map_err(|error| KeyError::Kind(error.to_string()))?)
    }

    fn new(pair: EcdsaKeyPair) -> Result<Self, KeyError> {
        let public: PublicKeyX509Der<'_> = pair
            .public_key()
            .as_der()
            .map_err(|error| KeyError::Kind(error.to_string()))?;
        let public = public.as_ref().to_vec();
        Ok(Self { pair, public })
    }

    /// The public key as X.509 `SubjectPublicKeyInfo`, DER.
    pub fn public_key(&self) -> &[u8] {
        &self.public
    }

    /// The public key in PEM.
    pub fn public_pem(&self) -> String {
        encode_string("PUBLIC KEY", LineEnding::LF, &self.public).unwrap_or_default()
    }

    /// SHA-256 of the public key: what verifiers find it by.
    pub fn public_key_digest(&self) -> Digest {
        Digest::of(&self.public)
    }

    /// The signature of `message`, ASN.1 DER.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature = self.pair.sign(&SystemRandom::new(), message);
        Ok(signature.map_err(|_| KeyError::Signing)?.as_ref().to_vec())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let public = self.public_key_digest();
        write!(formatter, "SigningKey(private, public key {public})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `cosign generate-key-pair` with the password `cargo`, for this test.
    const OF_COSIGN: &str = include_str!("../fixtures/cosign.key");
    const PUBLIC: &str = include_str!("../fixtures/cosign.pub");

    #[test]
    fn a_key_of_cosign_opens_with_its_password_and_with_no_other() {
        let key = SigningKey::from_pem(OF_COSIGN, "cargo").unwrap();
        let (_, public) = decode_vec(PUBLIC.trim().as_bytes()).unwrap();
        assert_eq!(key.public_key(), public);
        assert_eq!(
            SigningKey::from_pem(OF_COSIGN, "").unwrap_err(),
            KeyError::Password
        );
    }

    #[test]
    fn what_is_no_key_is_refused_with_what_it_is() {
        let pem = |label, bytes: &[u8]| encode_string(label, LineEnding::LF, bytes).unwrap();
        let refused = |text: &str| SigningKey::from_pem(text, "").unwrap_err();
        assert!(matches!(refused("ssh-ed25519 AAAA"), KeyError::Pem(_)));
        assert_eq!(
            refused(&pem("CERTIFICATE", b"x")),
            KeyError::Label("CERTIFICATE".to_owned())
        );
        assert!(matches!(
            refused(&pem("PRIVATE KEY", b"x")),
            KeyError::Kind(_)
        ));
    }

    #[test]
    fn debugging_a_key_shows_nothing_of_the_private_part() {
        let key = SigningKey::from_pem(OF_COSIGN, "cargo").unwrap();
        let shown = format!("{key:?}");
        assert!(
            shown.starts_with("SigningKey(private, public key "),
            "{shown}"
        );
    }
}
