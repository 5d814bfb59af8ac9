//! Content digests (image-spec descriptor.md, "Digests").

use std::fmt;
use std::io;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256, Sha512};

/// The algorithms that the specification registers, in its order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-256, which every implementation has, and which Longshore writes.
    #[default]
    Sha256,
    /// SHA-512, which an implementation may have.
    Sha512,
}

impl Algorithm {
    /// The name in a digest: `sha256`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Hexadecimal digits of a digest.
    fn digits(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A content digest, printed as `<algorithm>:<lower-case hex digits>`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(Bytes);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Bytes {
    Sha256([u8; 32]),
    Sha512([u8; 64]),
}

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// The algorithm is missing or is not a registered one.
    #[error("`{0}` is not a digest: it must start with `sha256:` or `sha512:`")]
    Algorithm(String),
    /// What follows the algorithm is not so many lower-case hexadecimal digits.
    #[error(
        "`{text}` is not a {algorithm} digest: {} lower-case hexadecimal digits must follow \
         `{algorithm}:`",
        algorithm.digits()
    )]
    Encoded {
        /// The algorithm that the text names.
        algorithm: Algorithm,
        /// The text.
        text: String,
    },
}

impl Digest {
    /// The SHA-256 digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self::with(Algorithm::Sha256, bytes)
    }

    /// The digest of `bytes` by `algorithm`.
    pub fn with(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// How the digest was computed.
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            Bytes::Sha256(_) => Algorithm::Sha256,
            Bytes::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// The hexadecimal digits without the algorithm.
    pub fn hex(&self) -> String {
        hex::encode(self.bytes())
    }

    /// The first twelve hexadecimal digits: enough for people, never for machines.
    pub fn short(&self) -> String {
        hex::encode(&self.bytes()[..6])
    }

    fn bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::Sha256(bytes) => bytes,
            Bytes::Sha512(bytes) => bytes,
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 2 * 64];
        let digits = &mut digits[..self.algorithm().digits()];
        hex::encode_to_slice(self.bytes(), digits).map_err(|_| fmt::Error)?;
        let digits = std::str::from_utf8(digits).map_err(|_| fmt::Error)?;
        formatter.write_str(self.algorithm().as_str())?;
        formatter.write_str(":")?;
        formatter.write_str(digits)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (algorithm, encoded) = match text.split_once(':') {
            Some(("sha256", encoded)) => (Algorithm::Sha256, encoded),
            Some(("sha512", encoded)) => (Algorithm::Sha512, encoded),
            _ => return Err(DigestError::Algorithm(shortened(text))),
        };
        let wrong = || DigestError::Encoded {
            algorithm,
            text: shortened(text),
        };
        if encoded.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(wrong());
        }
        let bytes = match algorithm {
            Algorithm::Sha256 => decoded(encoded).map(Bytes::Sha256),
            Algorithm::Sha512 => decoded(encoded).map(Bytes::Sha512),
        };
        bytes.map(Self).ok_or_else(wrong)
    }
}

fn decoded<const LENGTH: usize>(encoded: &str) -> Option<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    hex::decode_to_slice(encoded, &mut bytes).ok()?;
    Some(bytes)
}

/// Foreign text is quoted in messages, but never without bound.
fn shortened(text: &str) -> String {
    text.chars().take(100).collect()
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Computes a digest from bytes that arrive in pieces; SHA-256 by default.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// A hasher that has seen no bytes.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::default()),
            Algorithm::Sha512 => State::Sha512(Sha512::default()),
        })
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// The digest of all bytes added.
    pub fn finish(self) -> Digest {
        Digest(match self.0 {
            State::Sha256(state) => Bytes::Sha256(state.finalize().into()),
            State::Sha512(state) => Bytes::Sha512(state.finalize().into()),
        })
    }
}

/// Adds what is written: `io::copy` hashes what it reads.
impl io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new(Algorithm::default())
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hasher")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digest_of_nothing_is_the_known_constant() {
        assert_eq!(
            Digest::of(b"").to_string(),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn other_algorithms_upper_case_and_wrong_lengths_are_refused() {
        let digits = "a".repeat(64);
        assert!(format!("sha256:{digits}").parse::<Digest>().is_ok());
        assert!(format!("sha512:{digits}{digits}").parse::<Digest>().is_ok());
        for wrong in [
            format!("sha512:{digits}"),
            format!("sha256:{digits}{digits}"),
            format!("sha384:{digits}"),
            format!("sha256:{}", digits.to_uppercase()),
            format!("sha256:{digits}a"),
            "sha256:".to_owned(),
            digits,
            String::new(),
        ] {
            assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
        }
    }

    const ALGORITHMS: [Algorithm; 2] = [Algorithm::Sha256, Algorithm::Sha512];

    proptest! {
        #[test]
        fn printing_and_parsing_are_inverse(bytes: Vec<u8>) {
            for algorithm in ALGORITHMS {
                let digest = Digest::with(algorithm, &bytes);
                prop_assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
                prop_assert_eq!(digest.algorithm(), algorithm);
                prop_assert_eq!(digest.hex().len(), algorithm.digits());
            }
        }

        #[test]
        fn pieces_hash_like_the_whole(pieces: Vec<Vec<u8>>) {
            for algorithm in ALGORITHMS {
                let mut hasher = Hasher::new(algorithm);
                for piece in &pieces {
                    hasher.update(piece);
                }
                prop_assert_eq!(hasher.finish(), Digest::with(algorithm, &pieces.concat()));
            }
        }

        #[test]
        fn any_text_parses_or_is_refused_without_panic(text: String) {
            let _ = text.parse::<Digest>();
        }
    }
}
