//! Private keys as `cosign generate-key-pair` encrypts them: scrypt for the
//! password, `secretbox` of NaCl for the key. Source: [go-securesystemslib],
//! `encrypted`.
//!
//! [go-securesystemslib]: https://github.com/secure-systems-lab/go-securesystemslib/tree/main/encrypted

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_secretbox::aead::Aead as _;
use crypto_secretbox::{KeyInit as _, XSalsa20Poly1305};
use scrypt::{Params, scrypt};
use serde::Deserialize;

use crate::key::KeyError;

#[derive(Deserialize)]
struct Encrypted {
    kdf: Derivation,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Deserialize)]
struct Derivation {
    name: String,
    params: Cost,
    salt: String,
}

#[derive(Deserialize)]
struct Cost {
    #[serde(rename = "N")]
    cpu: u32,
    r: u32,
    p: u32,
}

#[derive(Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

/// `cosign` writes 2^16, 8 and 1; a file may not ask for more memory than 1 GiB.
const MOST_MEMORY: u64 = 1 << 30;
const MOST_PASSES: u32 = 16;

/// The private key in `document`, as PKCS#8.
pub(crate) fn open(document: &[u8], password: &str) -> Result<Vec<u8>, KeyError> {
    let wrong = |what: &str| KeyError::Encrypted(what.to_owned());
    // What the parser says would quote the text.
    let encrypted: Encrypted = serde_json::from_slice(document)
        .map_err(|_| wrong("it is not the JSON that cosign writes"))?;
    if encrypted.kdf.name != "scrypt" || encrypted.cipher.name != "nacl/secretbox" {
        return Err(wrong("it uses neither scrypt nor nacl/secretbox"));
    }
    let decoded = |text: &str| STANDARD.decode(text).map_err(|_| wrong("it is no base64"));
    let salt = decoded(&encrypted.kdf.salt)?;
    let nonce: [u8; 24] = decoded(&encrypted.cipher.nonce)?
        .try_into()
        .map_err(|_| wrong("its nonce has not 24 bytes"))?;
    let mut key = [0; 32];
    scrypt(
        password.as_bytes(),
        &salt,
        &cost(&encrypted.kdf.params)?,
        &mut key,
    )
    .map_err(|error| KeyError::Encrypted(error.to_string()))?;
    XSalsa20Poly1305::new(&key.into())
        .decrypt(&nonce.into(), decoded(&encrypted.ciphertext)?.as_slice())
        .map_err(|_| KeyError::Password)
}

fn cost(stated: &Cost) -> Result<Params, KeyError> {
    let Cost { cpu, r, p } = *stated;
    let memory = u64::from(cpu) * u64::from(r) * 128;
    if !cpu.is_power_of_two() || memory > MOST_MEMORY || p > MOST_PASSES {
        let what = format!("its scrypt parameters N={cpu}, r={r}, p={p} are out of bounds");
        return Err(KeyError::Encrypted(what));
    }
    let log = u8::try_from(cpu.trailing_zeros()).unwrap_or(u8::MAX);
    Params::new(log, r, p).map_err(|error| KeyError::Encrypted(error.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_that_asks_for_too_much_memory_is_refused_before_it_gets_any() {
        let document = br#"{"kdf": {"name": "scrypt", "salt": "",
            "params": {"N": 2147483648, "r": 8, "p": 1}},
            "cipher": {"name": "nacl/secretbox",
                "nonce": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
            "ciphertext": ""}"#;
        let error = open(document, "").unwrap_err().to_string();
        assert!(error.contains("out of bounds"), "{error}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_without_panic(bytes: Vec<u8>) {
            prop_assert!(open(&bytes, "").is_err());
        }
    }
}
