//! The keys of an issuer, and signatures under them.
//!
//! Only algorithms that STS documents are known (IAM User Guide, "Create an
//! OpenID Connect identity provider"), and the key decides with which of them it
//! can be used. So a token that names another algorithm, or none, proves nothing.

use aws_lc_rs::signature::{self as crypto, RsaParameters, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::store::{Store, StoreError, Table};

/// Key sets that were registered, by issuer, `https://` included.
const KEY_SETS: Table<KeySet> = Table::new("sts/key-sets");

/// Keys of one kind that a set may have (IAM User Guide, same page).
const MOST_OF_A_KIND: usize = 100;

/// A JSON Web Key Set (RFC 7517). Keys that are of no use here are left out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct KeySet {
    keys: Vec<Key>,
}

/// A public key, its numbers in base 64.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Key {
    kid: String,
    /// The algorithm, where the set says it.
    alg: Option<String>,
    #[serde(flatten)]
    numbers: Numbers,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kty")]
enum Numbers {
    #[serde(rename = "RSA")]
    Rsa { n: String, e: String },
    #[serde(rename = "EC")]
    Curve { crv: String, x: String, y: String },
}

/// Why a text is no key set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a key set is an object with a list `keys`, and each key is an object")]
pub(crate) struct NotAKeySet;

impl KeySet {
    /// Reads a key set. Keys that do not say their id, that are not for
    /// signatures, or whose type is not known, are passed over.
    pub(crate) fn read(set: &Value) -> Result<Self, NotAKeySet> {
        let listed = set["keys"].as_array().ok_or(NotAKeySet)?;
        if !listed.iter().all(Value::is_object) {
            return Err(NotAKeySet);
        }
        let keys = listed
            .iter()
            .filter(|key| key["use"].is_null() || key["use"] == "sig")
            .filter_map(|key| Key::deserialize(key).ok())
            .collect();
        Ok(Self { keys })
    }

    /// Whether it has more keys of a kind than STS takes.
    pub(super) fn is_too_large(&self) -> bool {
        let (rsa, curve): (Vec<&Key>, Vec<&Key>) = self
            .keys
            .iter()
            .partition(|key| matches!(key.numbers, Numbers::Rsa { .. }));
        rsa.len().max(curve.len()) > MOST_OF_A_KIND
    }

    /// Whether there is a key of this id.
    pub(super) fn has(&self, kid: &str) -> bool {
        self.keys.iter().any(|key| key.kid == kid)
    }

    /// Whether a key of this id signed `message` with the algorithm `alg`.
    pub(super) fn verifies(&self, kid: &str, alg: &str, message: &[u8], signature: &[u8]) -> bool {
        self.keys
            .iter()
            .filter(|key| key.kid == kid)
            .filter(|key| key.alg.as_deref().is_none_or(|own| own == alg))
            .any(|key| key.numbers.verify(alg, message, signature).is_some())
    }
}

impl Numbers {
    /// `Some` when the signature is good.
    fn verify(&self, alg: &str, message: &[u8], signature: &[u8]) -> Option<()> {
        match self {
            Self::Rsa { n, e } => {
                let key = RsaPublicKeyComponents {
                    n: decoded(n)?,
                    e: decoded(e)?,
                };
                key.verify(rsa(alg)?, message, signature).ok()
            }
            Self::Curve { crv, x, y } => {
                let (curve, algorithm, length) = curve(alg)?;
                let (x, y) = (decoded(x)?, decoded(y)?);
                if crv != curve || x.len() != length || y.len() != length {
                    return None;
                }
                // An uncompressed point (SEC 1, section 2.3.3).
                let point = [&[4], x.as_slice(), &y].concat();
                crypto::UnparsedPublicKey::new(algorithm, point)
                    .verify(message, signature)
                    .ok()
            }
        }
    }
}

fn decoded(number: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(number).ok()
}

fn rsa(alg: &str) -> Option<&'static RsaParameters> {
    match alg {
        "RS256" => Some(&crypto::RSA_PKCS1_2048_8192_SHA256),
        "RS384" => Some(&crypto::RSA_PKCS1_2048_8192_SHA384),
        "RS512" => Some(&crypto::RSA_PKCS1_2048_8192_SHA512),
        _ => None,
    }
}

/// The curve of an algorithm, and the length of its coordinates in bytes (RFC
/// 7518, section 3.4).
fn curve(
    alg: &str,
) -> Option<(
    &'static str,
    &'static crypto::EcdsaVerificationAlgorithm,
    usize,
)> {
    match alg {
        "ES256" => Some(("P-256", &crypto::ECDSA_P256_SHA256_FIXED, 32)),
        "ES384" => Some(("P-384", &crypto::ECDSA_P384_SHA384_FIXED, 48)),
        "ES512" => Some(("P-521", &crypto::ECDSA_P521_SHA512_FIXED, 66)),
        _ => None,
    }
}

/// Whether STS knows the algorithm.
pub(super) fn is_known(alg: &str) -> bool {
    rsa(alg).is_some() || curve(alg).is_some()
}

/// Registers the keys of an issuer that is not the emulator's own, in place of
/// those that it had: they cannot be fetched here.
pub(crate) fn register(store: &Store, issuer: &str, keys: &KeySet) -> Result<(), StoreError> {
    store.write(|writer| writer.put(&KEY_SETS, issuer, keys))
}

/// The keys that were registered for an issuer.
pub(super) fn registered(store: &Store, issuer: &str) -> Result<Option<KeySet>, StoreError> {
    store.read(|reader| reader.get(&KEY_SETS, issuer))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _};
    use serde_json::json;

    use super::*;

    const CURVES: [(&str, &str, &EcdsaSigningAlgorithm); 3] = [
        ("ES256", "P-256", &crypto::ECDSA_P256_SHA256_FIXED_SIGNING),
        ("ES384", "P-384", &crypto::ECDSA_P384_SHA384_FIXED_SIGNING),
        ("ES512", "P-521", &crypto::ECDSA_P521_SHA512_FIXED_SIGNING),
    ];

    #[test]
    fn every_curve_verifies_under_its_own_algorithm_only() {
        for (alg, crv, signing) in CURVES {
            let pair = EcdsaKeyPair::generate(signing).unwrap();
            let point = pair.public_key().as_ref();
            let (x, y) = point[1..].split_at(point.len() / 2);
            let [x, y] = [x, y].map(|number| URL_SAFE_NO_PAD.encode(number));
            let key = json!({ "kid": "1", "kty": "EC", "crv": crv, "x": x, "y": y });
            let set = KeySet::read(&json!({ "keys": [key] })).unwrap();
            let signature = pair.sign(&SystemRandom::new(), b"message").unwrap();
            let good =
                |alg: &str, message: &[u8]| set.verifies("1", alg, message, signature.as_ref());
            assert!(good(alg, b"message"), "{alg}");
            assert!(!good(alg, b"other"), "{alg}");
            let others = ["none", "HS256", "RS256", "ES256", "ES384", "ES512"];
            for other in others.iter().filter(|other| **other != alg) {
                assert!(!good(other, b"message"), "{alg} as {other}");
            }
        }
    }

    #[test]
    fn a_key_for_encryption_or_of_another_kind_is_passed_over() {
        let set = json!({ "keys": [
            { "kid": "1", "kty": "oct", "k": "AA" },
            { "kid": "2", "kty": "RSA", "n": "AQ", "e": "AQAB", "use": "enc" },
            { "kty": "RSA", "n": "AQ", "e": "AQAB" },
        ]});
        assert!(KeySet::read(&set).unwrap().keys.is_empty());
        for other in [json!({}), json!({ "keys": {} }), json!({ "keys": [1] })] {
            assert!(KeySet::read(&other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_hundred_keys_of_a_kind_are_the_most() {
        let keys = |count: usize| {
            let key = |id| json!({ "kid": id, "kty": "RSA", "n": "AQ", "e": "AQAB" });
            let keys: Vec<Value> = (0..count).map(|id| key(id.to_string())).collect();
            KeySet::read(&json!({ "keys": keys })).unwrap()
        };
        assert!(!keys(100).is_too_large() && keys(101).is_too_large());
    }
}
