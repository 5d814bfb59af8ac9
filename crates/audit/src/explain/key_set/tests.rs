//! Tokens signed here by real keys, and spoiled.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaEncoding,
    RsaKeyPair,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn rsa() -> RsaKeyPair {
    RsaKeyPair::generate(KeySize::Rsa2048).unwrap()
}

fn rsa_key(id: &str, pair: &RsaKeyPair) -> Value {
    // DER of the modulus behind nine bytes of lengths and tags, and of 65537.
    let der = pair.public_key().as_ref();
    let n = encoded(&der[9..9 + 256]);
    let e = encoded(&der[der.len() - 3..]);
    // Beside what matters, what GitHub's keys also have.
    json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": id, "n": n, "e": e, "x5c": ["x"] })
}

fn set(keys: &[Value]) -> KeySet {
    KeySet::parse(&json!({ "keys": keys }).to_string()).unwrap()
}

fn message(header: &Value) -> String {
    format!(
        "{}.{}",
        encoded(header.to_string()),
        encoded(r#"{"sub":"s"}"#)
    )
}

fn signed_by_rsa(pair: &RsaKeyPair, how: &'static dyn RsaEncoding, header: &Value) -> String {
    let message = message(header);
    let mut signature = vec![0; pair.public_modulus_len()];
    let random = SystemRandom::new();
    pair.sign(how, &random, message.as_bytes(), &mut signature)
        .unwrap();
    format!("{message}.{}", encoded(signature))
}

#[test]
fn every_kind_of_signature_that_sts_takes_is_verified() {
    let pair = rsa();
    let keys = set(&[rsa_key("one", &pair)]);
    for (algorithm, how) in [
        ("RS256", &RSA_PKCS1_SHA256 as &'static dyn RsaEncoding),
        ("RS512", &RSA_PKCS1_SHA512),
    ] {
        let token = signed_by_rsa(&pair, how, &json!({ "alg": algorithm, "kid": "one" }));
        let signed = keys.verify(&token).unwrap();
        assert_eq!((signed.key.as_str(), signed.algorithm), ("one", algorithm));
    }
    for (algorithm, curve, how) in [
        ("ES256", "P-256", &ECDSA_P256_SHA256_FIXED_SIGNING),
        ("ES512", "P-521", &ECDSA_P521_SHA512_FIXED_SIGNING),
    ] {
        by_curve(algorithm, curve, how);
    }
}

fn by_curve(algorithm: &str, curve: &str, how: &'static EcdsaSigningAlgorithm) {
    let pair = EcdsaKeyPair::generate(how).unwrap();
    let point = &pair.public_key().as_ref()[1..];
    let (x, y) = point.split_at(point.len() / 2);
    let key = json!({ "kty": "EC", "crv": curve, "kid": "one", "x": encoded(x), "y": encoded(y) });
    let message = message(&json!({ "alg": algorithm, "kid": "one" }));
    let signature = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    let token = format!("{message}.{}", encoded(signature));
    assert!(set(&[key]).verify(&token).is_ok(), "{algorithm}");
}

#[test]
fn each_way_not_to_be_signed_is_told_apart() {
    let (pair, other) = (rsa(), rsa());
    let header = json!({ "alg": "RS256", "kid": "one" });
    let token = signed_by_rsa(&pair, &RSA_PKCS1_SHA256, &header);
    let keys = set(&[rsa_key("one", &pair), rsa_key("two", &other)]);
    assert!(keys.verify(&token).is_ok());
    let refused = |token: &str| keys.verify(token).unwrap_err();

    let (unsigned, _) = token.rsplit_once('.').unwrap();
    assert_eq!(refused(&format!("{unsigned}.")), NotSigned::Stripped);
    let with = |header: Value| format!("{}.c2ln", message(&header));
    assert_eq!(
        refused(&with(json!({ "alg": "None" }))),
        NotSigned::ByNobody
    );
    for alg in ["HS256", "PS256", "rs256"] {
        let other = NotSigned::Algorithm(alg.to_owned());
        assert_eq!(refused(&with(json!({ "alg": alg, "kid": "one" }))), other);
    }
    assert_eq!(
        refused(&with(json!({ "alg": "RS256" }))),
        NotSigned::NoKeyId
    );
    let unknown = NotSigned::UnknownKey {
        id: "three".to_owned(),
        known: vec!["one".to_owned(), "two".to_owned()],
    };
    assert_eq!(
        refused(&with(json!({ "alg": "RS256", "kid": "three" }))),
        unknown
    );
    assert_eq!(
        refused(&with(json!({ "alg": "ES256", "kid": "one" }))),
        NotSigned::OtherKind("one".to_owned())
    );
    for other in [
        "a.b.c".to_owned(),
        with(json!({ "alg": "RS256", "kid": "one", "crit": ["x"] })),
    ] {
        assert_eq!(refused(&other), NotSigned::Header);
    }

    // Signed by another key, or over other claims.
    let other_key = NotSigned::OtherKey("one".to_owned());
    let by_other = signed_by_rsa(&other, &RSA_PKCS1_SHA256, &header);
    assert_eq!(refused(&by_other), other_key);
    let (_, signature) = token.rsplit_once('.').unwrap();
    let changed = format!(
        "{}.{}.{signature}",
        encoded(header.to_string()),
        encoded("{}")
    );
    assert_eq!(refused(&changed), other_key);
    assert_eq!(refused(&format!("{unsigned}.c2ln")), other_key);
}

#[test]
fn what_is_no_key_set_is_refused() {
    for text in ["", "[]", "{}", r#"{"keys": 1}"#, "<html>"] {
        let error = KeySet::parse(text).unwrap_err();
        assert!(matches!(error, KeySetError::NotAKeySet { .. }), "{text}");
    }
    let many = vec![json!({ "kty": "RSA" }); 101];
    assert_eq!(
        KeySet::parse(&json!({ "keys": many }).to_string()).unwrap_err(),
        KeySetError::TooManyKeys("RSA".to_owned())
    );
}

proptest! {
    #[test]
    fn any_key_set_and_any_token_are_judged_without_panic(
        text: String,
        alg in "RS256|ES256|ES512|none|x",
        numbers in prop::collection::vec("[A-Za-z0-9_-]{0,90}", 4),
        signature in "[A-Za-z0-9_-]{0,90}",
    ) {
        let _ = KeySet::parse(&text);
        let keys = set(&[
            json!({ "kty": "RSA", "kid": "k", "n": numbers[0], "e": numbers[1] }),
            json!({ "kty": "EC", "crv": "P-256", "kid": "k", "x": numbers[2], "y": numbers[3] }),
            json!({ "kty": "OKP", "kid": "k" }),
        ]);
        prop_assert!(keys.verify(&text).is_err());
        let message = message(&json!({ "alg": alg, "kid": "k" }));
        let token = format!("{message}.{signature}");
        prop_assert!(keys.verify(&token).is_err());
    }
}
