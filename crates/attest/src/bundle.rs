//! Signatures as `cosign` 3 writes and verifies them: a Sigstore bundle v0.3
//! around a DSSE envelope around a statement.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::envelope::pre_authentication;
use crate::key::{KeyError, SigningKey};
use crate::statement::{IN_TOTO, Statement};

/// The media type of a bundle.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// The predicate type of a plain signature: an image, and nothing more said.
pub const SIGNATURE_PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";

/// The bundle of `statement`, signed with `key`.
pub fn sign(statement: &Statement, key: &SigningKey) -> Result<Vec<u8>, KeyError> {
    let payload = statement.bytes();
    let signature = key.sign(&pre_authentication(IN_TOTO, &payload))?;
    let hint = hex::decode(key.public_key_digest().hex()).unwrap_or_default();
    let bundle = json!({
        "mediaType": BUNDLE,
        "verificationMaterial": {
            "publicKey": {"hint": STANDARD.encode(hint)},
        },
        "dsseEnvelope": {
            "payload": STANDARD.encode(&payload),
            "payloadType": IN_TOTO,
            "signatures": [{"sig": STANDARD.encode(signature)}],
        },
    });
    Ok(bundle.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};
    use oci::Digest;
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_signature_holds_for_the_envelope_and_for_nothing_else() {
        let key = SigningKey::generate().unwrap();
        let statement = Statement {
            name: "acme/api".to_owned(),
            digest: Digest::of(b"image"),
            predicate_type: SIGNATURE_PREDICATE.to_owned(),
            predicate: json!({}),
        };
        let bundle: Value = serde_json::from_slice(&sign(&statement, &key).unwrap()).unwrap();
        let envelope = &bundle["dsseEnvelope"];
        let decoded = |value: &Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
        let payload = decoded(&envelope["payload"]);
        let signature = decoded(&envelope["signatures"][0]["sig"]);
        assert_eq!(payload, statement.bytes());
        let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key.public_key()).unwrap();
        let signed = pre_authentication(IN_TOTO, &payload);
        assert!(public.verify_sig(&signed, &signature).is_ok());
        assert!(public.verify_sig(&payload, &signature).is_err());
    }
}
