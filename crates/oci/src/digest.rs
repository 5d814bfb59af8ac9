//! Content digests (image-spec descriptor.md, "Digests").

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// A SHA-256 content digest, printed as `sha256:<64 lower-case hex digits>`.
///
/// The specification registers SHA-512 too; ECR accepts SHA-256 only, and so
/// does Longshore.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// The algorithm is missing or is not `sha256`.
    #[error("`{0}` is not a sha256 digest: it must start with `sha256:`")]
    Algorithm(String),
    /// What follows the algorithm is not 64 lower-case hexadecimal digits.
    #[error("`{0}` is not a sha256 digest: 64 lower-case hexadecimal digits must follow `sha256:`")]
    Encoded(String),
}

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The hexadecimal digits without the algorithm.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }

    /// The first twelve hexadecimal digits: enough for people, never for machines.
    pub fn short(&self) -> String {
        hex::encode(&self.0[..6])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "sha256:{}", self.hex())
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
        let encoded = text
            .strip_prefix("sha256:")
            .ok_or_else(|| DigestError::Algorithm(shortened(text)))?;
        let mut bytes = [0; 32];
        if encoded.bytes().any(|byte| byte.is_ascii_uppercase())
            || hex::decode_to_slice(encoded, &mut bytes).is_err()
        {
            return Err(DigestError::Encoded(shortened(text)));
        }
        Ok(Self(bytes))
    }
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

/// Computes a digest from bytes that arrive in pieces.
#[derive(Clone, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all bytes added.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
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
        for wrong in [
            format!("sha512:{digits}"),
            format!("sha256:{}", digits.to_uppercase()),
            format!("sha256:{digits}a"),
            "sha256:".to_owned(),
            digits,
            String::new(),
        ] {
            assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn printing_and_parsing_are_inverse(bytes: Vec<u8>) {
            let digest = Digest::of(&bytes);
            prop_assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
        }

        #[test]
        fn pieces_hash_like_the_whole(pieces: Vec<Vec<u8>>) {
            let mut hasher = Hasher::default();
            for piece in &pieces {
                hasher.update(piece);
            }
            prop_assert_eq!(hasher.finish(), Digest::of(&pieces.concat()));
        }

        #[test]
        fn any_text_parses_or_is_refused_without_panic(text: String) {
            let _ = text.parse::<Digest>();
        }
    }
}
