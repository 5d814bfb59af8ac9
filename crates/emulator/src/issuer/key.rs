//! The issuer's RSA key: made once, kept in the data directory, readable by
//! its owner only.

use std::path::Path;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::private_file;

const FILE: &str = "issuer.key";

/// The key with which the issuer signs.
pub(crate) struct SigningKey {
    signing: RsaKeyPair,
    /// Public modulus and exponent in the form of a JWK.
    modulus: String,
    exponent: String,
    /// Name of the key in the JWKS and in token headers.
    id: String,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SigningKey")
            .field("id", &self.id)
            .field("signing", &"***")
            .finish_non_exhaustive()
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// The file does not hold a key, or none could be made.
    #[error("{FILE} does not hold an RSA key in PKCS #8 form")]
    NotAKey,
    /// The key did not sign.
    #[error("the token could not be signed")]
    NotSigned,
}

impl SigningKey {
    /// Reads the key of the data directory, if it has one.
    pub(super) fn read(data: &Path) -> Result<Option<Self>, KeyError> {
        match fs_err::read(data.join(FILE)) {
            Ok(der) => Self::from_pkcs8(&der).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a key for the data directory, which takes a tenth of a second and more.
    pub(super) fn make(data: &Path) -> Result<Self, KeyError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::NotAKey)?;
        let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair)
            .map_err(|_| KeyError::NotAKey)?;
        private_file::write(&data.join(FILE), der.as_ref())?;
        Self::from_pkcs8(der.as_ref())
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let pair = RsaKeyPair::from_pkcs8(der).map_err(|_| KeyError::NotAKey)?;
        let public = pair.public_key();
        let modulus = public.modulus().big_endian_without_leading_zero().to_vec();
        let exponent = public.exponent().big_endian_without_leading_zero().to_vec();
        Ok(Self {
            signing: pair,
            modulus: URL_SAFE_NO_PAD.encode(&modulus),
            exponent: URL_SAFE_NO_PAD.encode(&exponent),
            id: hex::encode(&Sha256::digest(&modulus)[..20]),
        })
    }

    /// Signs `claims` as GitHub does: RS256, with `typ`, `kid` and `x5t`
    /// (RFC 7515, section 3.1).
    pub(crate) fn sign(&self, claims: &Map<String, Value>) -> Result<String, KeyError> {
        let header = json!({
            "typ": "JWT", "alg": "RS256", "x5t": self.thumbprint(), "kid": self.id,
        });
        let encoded = |json: String| URL_SAFE_NO_PAD.encode(json);
        let claims = Value::Object(claims.clone()).to_string();
        let signed = format!("{}.{}", encoded(header.to_string()), encoded(claims));
        let mut signature = vec![0; self.signing.public_modulus_len()];
        self.signing
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .map_err(|_| KeyError::NotSigned)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The key set that the issuer publishes (RFC 7517).
    pub(crate) fn set(&self) -> Value {
        json!({
            "keys": [{
                "kty": "RSA",
                "alg": "RS256",
                "use": "sig",
                "kid": self.id,
                "x5t": self.thumbprint(),
                "n": self.modulus,
                "e": self.exponent,
            }]
        })
    }

    /// GitHub's `x5t` is of a certificate; there is none here, so the key's own
    /// id stands for it.
    fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(hex::decode(&self.id).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_kept_private_and_found_again() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let first = SigningKey::make(directory.path()).unwrap();
        let mode = fs_err::metadata(directory.path().join(FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = SigningKey::read(directory.path()).unwrap().unwrap();
        assert_eq!(again.id, first.id);
        assert!(format!("{first:?}").contains("***"));
    }

    #[test]
    fn a_damaged_key_file_is_an_error_and_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        fs_err::write(directory.path().join(FILE), b"not a key").unwrap();
        assert!(matches!(
            SigningKey::read(directory.path()),
            Err(KeyError::NotAKey)
        ));
    }
}
