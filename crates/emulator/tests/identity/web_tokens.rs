//! JSON Web Tokens that anybody could write.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A key of somebody.
pub(crate) struct Forger(RsaKeyPair);

impl Forger {
    pub(crate) fn new() -> Self {
        Self(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    /// The key set in which `kid` names the key.
    pub(crate) fn key_set(&self, kid: &str) -> Value {
        let public = self.0.public_key();
        let n = public.modulus().big_endian_without_leading_zero();
        let e = public.exponent().big_endian_without_leading_zero();
        let [n, e] = [n, e].map(|number| URL_SAFE_NO_PAD.encode(number));
        json!({ "keys": [{ "kty": "RSA", "kid": kid, "use": "sig", "n": n, "e": e }] })
    }

    /// A token with this header and payload, signed by RS256 whatever it says.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = unsigned(header, claims);
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                message.as_bytes(),
                &mut signature,
            )
            .unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Header and payload.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let encoded = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", encoded(header), encoded(claims))
}

/// A token whose key is the text of a public one, by HS256.
pub(crate) fn confused(kid: &str, claims: &Value, public_key: &[u8]) -> String {
    let header = json!({ "alg": "HS256", "typ": "JWT", "kid": kid });
    let message = unsigned(&header, claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, public_key);
    let tag = hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// The parts of a token: header, payload, signature.
pub(crate) fn parts(token: &str) -> (Value, Value, String) {
    let mut parts = token.split('.');
    let mut json = || {
        let part = URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
        serde_json::from_slice(&part).unwrap()
    };
    let (header, claims) = (json(), json());
    (header, claims, parts.next().unwrap().to_owned())
}

/// The key of a set as a DER `SubjectPublicKeyInfo` (RFC 5280, section 4.1).
pub(crate) fn public_der(set: &Value) -> Vec<u8> {
    const RSA: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    let integer = |name: &str| {
        let text = set["keys"][0][name].as_str().unwrap();
        let number = URL_SAFE_NO_PAD.decode(text).unwrap();
        element(0x02, &[&[0], number.as_slice()].concat())
    };
    let numbers = element(0x30, &[integer("n"), integer("e")].concat());
    let bits = element(0x03, &[&[0], numbers.as_slice()].concat());
    element(0x30, &[RSA, &bits].concat())
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x82], length.as_slice(), content].concat()
}
