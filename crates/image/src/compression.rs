//! How layers are compressed, and by which rule.

use std::fmt;
use std::io::Write as _;
use std::str::FromStr;

use flate2::GzBuilder;
use oci::media_type;
use serde::{Deserialize, Serialize};

mod rule;

pub use rule::{Choice, GzipReason, Runtime, Wishes};

/// A compressor and its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Compression {
    /// Zstandard (RFC 8878): read by containerd from 1.5, Docker Engine from
    /// 23.0, podman, buildah and skopeo.
    Zstd {
        /// 1 to 22.
        level: u8,
    },
    /// Gzip (RFC 1952): read by everything.
    Gzip {
        /// 1 to 9.
        level: u8,
    },
}

/// Level 3 takes a ninth of gzip's time at level 6 and gives fewer bytes; the
/// next levels take twice the time for 4 percent less.
const ZSTD_LEVEL: u8 = 3;
/// Level 6 is where zlib's ratio flattens.
const GZIP_LEVEL: u8 = 6;

impl Compression {
    /// Zstandard at its default level.
    pub const ZSTD: Self = Self::Zstd { level: ZSTD_LEVEL };
    /// Gzip at its default level.
    pub const GZIP: Self = Self::Gzip { level: GZIP_LEVEL };

    /// The media type of a layer compressed so.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Zstd { .. } => media_type::LAYER_ZSTD,
            Self::Gzip { .. } => media_type::LAYER_GZIP,
        }
    }

    /// One block as a whole frame or member. A pure function: the same block
    /// gives the same bytes, on any thread and after any other block, for which
    /// reason each gets a fresh compressor.
    pub(crate) fn compress(self, block: &[u8]) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Zstd { level } => zstd::bulk::compress(block, level.into()),
            Self::Gzip { level } => {
                // What is random takes zlib longest and gains nothing.
                let level = if looks_random(block)? { 0 } else { level };
                let level = flate2::Compression::new(level.into());
                // No name, no time, and 255 for the operating system: "unknown".
                let room = Vec::with_capacity(block.len() / 2);
                let gzip = GzBuilder::new().mtime(0).operating_system(255);
                let mut member = gzip.write(room, level);
                member.write_all(block)?;
                member.finish()
            }
        }
    }
}

impl Default for Compression {
    fn default() -> Self {
        Self::ZSTD
    }
}

/// Whether samples from all over the block do not compress. Zstandard finds that
/// out by itself, at ten times the speed of what does compress.
fn looks_random(block: &[u8]) -> std::io::Result<bool> {
    const SAMPLES: usize = 8;
    const SAMPLE_BYTES: usize = 16 << 10;
    if block.len() < SAMPLES * SAMPLE_BYTES {
        return Ok(false);
    }
    let mut samples = Vec::with_capacity(SAMPLES * SAMPLE_BYTES);
    for part in block.chunks(block.len().div_ceil(SAMPLES)) {
        samples.extend_from_slice(&part[..part.len().min(SAMPLE_BYTES)]);
    }
    let compressed = zstd::bulk::compress(&samples, 1)?;
    Ok(compressed.len() * 100 > samples.len() * 97)
}

/// Why a text does not name a compression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no compression: `zstd`, `gzip`, or one of them with a level, as `zstd:19` (to 22) or `gzip:9`"
)]
pub struct CompressionError(String);

impl FromStr for Compression {
    type Err = CompressionError;

    fn from_str(text: &str) -> Result<Self, CompressionError> {
        let wrong = || CompressionError(text.chars().take(40).collect());
        let (name, level) = match text.split_once(':') {
            Some((name, level)) => (name, Some(level.parse().map_err(|_| wrong())?)),
            None => (text, None),
        };
        match (name, level) {
            ("zstd", None) => Ok(Self::ZSTD),
            ("gzip", None) => Ok(Self::GZIP),
            ("zstd", Some(level @ 1..=22)) => Ok(Self::Zstd { level }),
            ("gzip", Some(level @ 1..=9)) => Ok(Self::Gzip { level }),
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<String> for Compression {
    type Error = CompressionError;

    fn try_from(text: String) -> Result<Self, CompressionError> {
        text.parse()
    }
}

impl From<Compression> for String {
    fn from(compression: Compression) -> Self {
        compression.to_string()
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zstd { level } => write!(formatter, "zstd:{level}"),
            Self::Gzip { level } => write!(formatter, "gzip:{level}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use proptest::prelude::*;

    use super::*;

    fn decompressed(compression: Compression, bytes: &[u8]) -> Vec<u8> {
        let mut all = Vec::new();
        match compression {
            Compression::Zstd { .. } => all = zstd::decode_all(bytes).unwrap(),
            Compression::Gzip { .. } => {
                let mut members = flate2::read::MultiGzDecoder::new(bytes);
                members.read_to_end(&mut all).unwrap();
            }
        }
        all
    }

    #[test]
    fn texts_name_compressions_and_levels_within_bounds() {
        for right in ["zstd", "gzip", "zstd:1", "zstd:22", "gzip:9"] {
            let compression: Compression = right.parse().unwrap();
            assert_eq!(compression.to_string().parse(), Ok(compression));
        }
        for wrong in [
            "", "xz", "zstd:", "zstd:0", "zstd:23", "gzip:10", "gzip:-1", "zstd:3:3",
        ] {
            assert!(wrong.parse::<Compression>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_random_is_stored_and_what_is_not_is_compressed() {
        let random = crate::fixture::noise(1 << 20, 1);
        let text = b"longshore ".repeat(100_000);
        for compression in [Compression::ZSTD, Compression::GZIP] {
            let stored = compression.compress(&random).unwrap();
            assert!(stored.len() < random.len() + 1000, "{compression}");
            assert!(compression.compress(&text).unwrap().len() < text.len() / 50);
        }
        assert!(looks_random(&random).unwrap());
        assert!(!looks_random(&text).unwrap());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn blocks_one_after_the_other_decompress_to_what_they_were(
            blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..3000), 1..4),
        ) {
            for compression in [Compression::ZSTD, Compression::GZIP] {
                let compressed: Vec<u8> = blocks
                    .iter()
                    .flat_map(|block| compression.compress(block).unwrap())
                    .collect();
                prop_assert_eq!(decompressed(compression, &compressed), blocks.concat());
            }
        }

        #[test]
        fn any_text_is_a_compression_or_refused(text: String) {
            let _ = text.parse::<Compression>();
        }
    }
}
