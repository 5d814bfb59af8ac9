//! A certificate that vouches for a key for some minutes.

use pem_rfc7468::decode_vec;

use crate::key::{KeyError, SigningKey};

/// The certificate of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    pub(crate) pem: String,
    pub(crate) der: Vec<u8>,
}

impl Certificate {
    /// Reads a certificate in PEM, which must be one of `key`.
    pub fn of_key(key: &SigningKey, pem: &str) -> Result<Self, KeyError> {
        let (label, der) =
            decode_vec(pem.trim().as_bytes()).map_err(|error| KeyError::Pem(error.to_string()))?;
        let public = key.public_key();
        let is_of_key = der.windows(public.len()).any(|part| part == public);
        if label != "CERTIFICATE" || !is_of_key {
            return Err(KeyError::Certificate);
        }
        Ok(Self {
            pem: pem.to_owned(),
            der,
        })
    }
}

#[cfg(test)]
mod tests {
    use pem_rfc7468::{LineEnding, encode_string};

    use super::*;

    #[test]
    fn a_certificate_of_another_key_is_refused() {
        let (key, other) = (
            SigningKey::generate().unwrap(),
            SigningKey::generate().unwrap(),
        );
        let der = [b"before".as_slice(), key.public_key(), b"after"].concat();
        let pem = encode_string("CERTIFICATE", LineEnding::LF, &der).unwrap();
        assert_eq!(Certificate::of_key(&key, &pem).unwrap().der, der);
        assert_eq!(
            Certificate::of_key(&other, &pem),
            Err(KeyError::Certificate)
        );
        let pem = encode_string("PUBLIC KEY", LineEnding::LF, &der).unwrap();
        assert_eq!(Certificate::of_key(&key, &pem), Err(KeyError::Certificate));
    }
}
