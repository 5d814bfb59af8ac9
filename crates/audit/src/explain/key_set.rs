//! The key set of an issuer (RFC 7517), and whether one of its keys signed a token
//! (RFC 7515), as STS would have it. Nothing is fetched, and nothing of the token is
//! quoted but the names of its key and its algorithm.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// Keys of each kind that STS takes at most (IAM User Guide, "Create an OpenID
/// Connect (OIDC) identity provider in IAM").
const MOST_KEYS: usize = 100;

/// Characters of a name that a message repeats.
const MOST_CHARS: usize = 64;

/// The keys of an issuer.
#[derive(Debug, Clone)]
pub struct KeySet {
    keys: Vec<Key>,
}

/// Why a text is no key set that STS takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// Not JSON, or not `{"keys": [..]}`.
    #[error("it is not `{{\"keys\": [..]}}`: line {line}, column {column}")]
    NotAKeySet {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// More keys of one kind than STS takes.
    #[error("it has more than 100 keys of the kind {0}, and STS takes no more")]
    TooManyKeys(String),
}

/// Which key signed a token, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The key's id.
    pub key: String,
    /// `RS256`, ..
    pub algorithm: &'static str,
}

/// Why no key of the set signed a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSigned {
    /// The token's header cannot be read, or asks for extensions.
    Header,
    /// The token says that nobody signed it (`alg` is `none`).
    ByNobody,
    /// An algorithm that STS does not take.
    Algorithm(String),
    /// The third part of the token is missing.
    Stripped,
    /// The header names no key.
    NoKeyId,
    /// The set has no key of that id, but these.
    UnknownKey {
        /// The id that the token names.
        id: String,
        /// The ids of the set.
        known: Vec<String>,
    },
    /// The key of that id is not one for the token's algorithm.
    OtherKind(String),
    /// The key of that id did not sign these claims.
    OtherKey(String),
}

/// A key as it stands in a set; what it has beside this does not matter.
#[derive(Debug, Clone, Deserialize)]
struct Key {
    kty: String,
    kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<serde_json::Value>,
}

/// An algorithm that STS takes (STS API Reference, `AssumeRoleWithWebIdentity`).
struct Algorithm {
    name: &'static str,
    how: How,
}

enum How {
    Rsa(&'static RsaParameters),
    /// With the curve's name and the bytes of a coordinate.
    Curve(&'static str, usize, &'static dyn VerificationAlgorithm),
}

const ALGORITHMS: [Algorithm; 6] = [
    Algorithm {
        name: "RS256",
        how: How::Rsa(&RSA_PKCS1_2048_8192_SHA256),
    },
    Algorithm {
        name: "RS384",
        how: How::Rsa(&RSA_PKCS1_2048_8192_SHA384),
    },
    Algorithm {
        name: "RS512",
        how: How::Rsa(&RSA_PKCS1_2048_8192_SHA512),
    },
    Algorithm {
        name: "ES256",
        how: How::Curve("P-256", 32, &ECDSA_P256_SHA256_FIXED),
    },
    Algorithm {
        name: "ES384",
        how: How::Curve("P-384", 48, &ECDSA_P384_SHA384_FIXED),
    },
    Algorithm {
        name: "ES512",
        how: How::Curve("P-521", 66, &ECDSA_P521_SHA512_FIXED),
    },
];

impl KeySet {
    /// Reads a key set as an issuer serves it.
    pub fn parse(text: &str) -> Result<Self, KeySetError> {
        #[derive(Deserialize)]
        struct Served {
            keys: Vec<Key>,
        }
        let served: Served =
            serde_json::from_str(text).map_err(|error| KeySetError::NotAKeySet {
                line: error.line(),
                column: error.column(),
            })?;
        for kind in ["RSA", "EC"] {
            let of_kind = served.keys.iter().filter(|key| key.kty == kind);
            if of_kind.count() > MOST_KEYS {
                return Err(KeySetError::TooManyKeys(kind.to_owned()));
            }
        }
        Ok(Self { keys: served.keys })
    }

    /// Whether a key of the set signed `token`, in compact form.
    pub fn verify(&self, token: &str) -> Result<Signed, NotSigned> {
        let (message, signature) = token.rsplit_once('.').ok_or(NotSigned::Header)?;
        let header = message.split('.').next().and_then(header);
        let header = header.ok_or(NotSigned::Header)?;
        if header.alg.eq_ignore_ascii_case("none") {
            return Err(NotSigned::ByNobody);
        }
        let algorithm = ALGORITHMS.iter().find(|known| known.name == header.alg);
        let algorithm = algorithm.ok_or_else(|| NotSigned::Algorithm(shown(&header.alg)))?;
        if signature.is_empty() {
            return Err(NotSigned::Stripped);
        }
        let id = header.kid.ok_or(NotSigned::NoKeyId)?;
        let named: Vec<&Key> = self.keys.iter().filter(|key| key.is(&id)).collect();
        if named.is_empty() {
            return Err(NotSigned::UnknownKey {
                known: self.ids(),
                id: shown(&id),
            });
        }
        let mut fitting = named
            .iter()
            .filter(|key| key.fits(&algorithm.how))
            .peekable();
        if fitting.peek().is_none() {
            return Err(NotSigned::OtherKind(shown(&id)));
        }
        let signature = bytes(signature).unwrap_or_default();
        if fitting.any(|key| key.signed(&algorithm.how, message.as_bytes(), &signature)) {
            Ok(Signed {
                key: shown(&id),
                algorithm: algorithm.name,
            })
        } else {
            Err(NotSigned::OtherKey(shown(&id)))
        }
    }

    fn ids(&self) -> Vec<String> {
        let ids = self.keys.iter().filter_map(|key| key.kid.as_deref());
        ids.map(shown).collect()
    }
}

impl Key {
    fn is(&self, id: &str) -> bool {
        self.kid.as_deref() == Some(id)
    }

    fn fits(&self, how: &How) -> bool {
        match how {
            How::Rsa(_) => self.kty == "RSA",
            How::Curve(curve, ..) => self.kty == "EC" && self.crv.as_deref() == Some(curve),
        }
    }

    fn signed(&self, how: &How, message: &[u8], signature: &[u8]) -> bool {
        match how {
            How::Rsa(parameters) => {
                let (Some(n), Some(e)) = (number(self.n.as_ref()), number(self.e.as_ref())) else {
                    return false;
                };
                let key = RsaPublicKeyComponents { n: &n, e: &e };
                key.verify(parameters, message, signature).is_ok()
            }
            How::Curve(_, size, verification) => {
                let coordinate = |text: Option<&String>| {
                    let bytes = bytes(text?)?;
                    (bytes.len() == *size).then_some(bytes)
                };
                let (Some(x), Some(y)) = (coordinate(self.x.as_ref()), coordinate(self.y.as_ref()))
                else {
                    return false;
                };
                // An uncompressed point.
                let point = [&[4][..], &x, &y].concat();
                let key = UnparsedPublicKey::new(*verification, point);
                key.verify(message, signature).is_ok()
            }
        }
    }
}

fn header(part: &str) -> Option<Header> {
    let header: Header = serde_json::from_slice(&bytes(part)?).ok()?;
    header.crit.is_none().then_some(header)
}

fn bytes(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()
}

/// A number without the zeros before it.
fn number(text: Option<&String>) -> Option<Vec<u8>> {
    let bytes = bytes(text?)?;
    let first = bytes.iter().position(|byte| *byte != 0)?;
    Some(bytes[first..].to_vec())
}

/// A name out of a token or a file, fit to be printed.
fn shown(name: &str) -> String {
    let printable = name.chars().filter(|char| !char.is_control());
    printable.take(MOST_CHARS).collect()
}

#[cfg(test)]
mod tests;
