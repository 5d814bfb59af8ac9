//! Statements: a predicate about a digest (in-toto Statement v1).

use oci::Digest;
use serde_json::{Value, json};

/// The media type of a statement; also DSSE's name for what it wraps.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";

/// Something said about one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The image's name, for people; verifiers go by the digest.
    pub name: String,
    /// The image's digest.
    pub digest: Digest,
    /// What kind of thing is said: a URI.
    pub predicate_type: String,
    /// What is said.
    pub predicate: Value,
}

impl Statement {
    /// The statement as it is stored and signed.
    pub fn bytes(&self) -> Vec<u8> {
        json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{
                "name": self.name,
                "digest": digest_set(&self.digest),
            }],
            "predicateType": self.predicate_type,
            "predicate": self.predicate,
        })
        .to_string()
        .into_bytes()
    }
}

/// A digest as statements write it: `{"sha256": "..."}`.
pub(crate) fn digest_set(digest: &Digest) -> Value {
    json!({(digest.algorithm().to_string()): digest.hex()})
}
