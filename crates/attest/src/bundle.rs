//! Signatures as `cosign` 3 writes and verifies them: a Sigstore bundle v0.3
//! around a DSSE envelope around a statement.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oci::Digest;
use serde_json::{Value, json};

use crate::certificate::Certificate;
use crate::envelope::pre_authentication;
use crate::key::KeyError;
use crate::log_entry::LogEntry;
use crate::statement::{IN_TOTO, Statement};

/// The media type of a bundle.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// The predicate type of a plain signature: an image, and nothing more said.
pub const SIGNATURE_PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";

/// A statement that waits for its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    payload: Vec<u8>,
}

impl Envelope {
    /// An envelope around `statement`.
    pub fn new(statement: &Statement) -> Self {
        Self {
            payload: statement.bytes(),
        }
    }

    /// The bytes that are to be signed.
    pub fn message(&self) -> Vec<u8> {
        pre_authentication(IN_TOTO, &self.payload)
    }

    /// The bundle: with the `signature` of the message, ASN.1 DER, by the holder of
    /// `public_key`, X.509 `SubjectPublicKeyInfo`. One that does not hold is refused.
    pub fn signed(&self, signature: &[u8], public_key: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.check(signature, public_key)?;
        let hint = hex::decode(Digest::of(public_key).hex()).unwrap_or_default();
        let material = json!({"publicKey": {"hint": STANDARD.encode(hint)}});
        Ok(self.bundle(signature, &material))
    }

    /// The bundle of a key that a certificate vouches for, with the entry that a log
    /// made while the certificate was valid.
    pub fn certified(
        &self,
        signature: &[u8],
        certificate: &Certificate,
        entry: &LogEntry,
    ) -> Result<Vec<u8>, KeyError> {
        let material = json!({
            "certificate": {"rawBytes": STANDARD.encode(&certificate.der)},
            "tlogEntries": [entry.in_bundle()?],
        });
        Ok(self.bundle(signature, &material))
    }

    /// What a log is to make an entry of (Rekor's type `dsse`, version 0.0.1).
    pub fn proposed(&self, signature: &[u8], certificate: &Certificate) -> Value {
        json!({
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {"proposedContent": {
                "envelope": self.envelope(signature).to_string(),
                "verifiers": [STANDARD.encode(&certificate.pem)],
            }},
        })
    }

    fn check(&self, signature: &[u8], public_key: &[u8]) -> Result<(), KeyError> {
        let holds = ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, public_key)
            .is_ok_and(|key| key.verify_sig(&self.message(), signature).is_ok());
        if holds {
            Ok(())
        } else {
            Err(KeyError::Mismatch)
        }
    }

    fn envelope(&self, signature: &[u8]) -> Value {
        json!({
            "payload": STANDARD.encode(&self.payload),
            "payloadType": IN_TOTO,
            "signatures": [{"sig": STANDARD.encode(signature)}],
        })
    }

    fn bundle(&self, signature: &[u8], material: &Value) -> Vec<u8> {
        let bundle = json!({
            "mediaType": BUNDLE,
            "verificationMaterial": material,
            "dsseEnvelope": self.envelope(signature),
        });
        bundle.to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SigningKey;

    #[test]
    fn a_bundle_has_the_signature_of_its_payload_and_no_other() {
        let (key, other) = (
            SigningKey::generate().unwrap(),
            SigningKey::generate().unwrap(),
        );
        let statement = Statement {
            name: "acme/api".to_owned(),
            digest: Digest::of(b"image"),
            predicate_type: SIGNATURE_PREDICATE.to_owned(),
            predicate: json!({}),
        };
        let envelope = Envelope::new(&statement);
        let signature = key.sign(&envelope.message()).unwrap();
        let bundle = envelope.signed(&signature, key.public_key()).unwrap();
        let bundle: Value = serde_json::from_slice(&bundle).unwrap();
        let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
        assert_eq!(STANDARD.decode(payload).unwrap(), statement.bytes());

        let refused = Err(KeyError::Mismatch);
        assert_eq!(envelope.signed(&signature, other.public_key()), refused);
        assert_eq!(envelope.signed(b"signature", key.public_key()), refused);
        let bare = key.sign(&statement.bytes()).unwrap();
        assert_eq!(envelope.signed(&bare, key.public_key()), refused);
    }
}
