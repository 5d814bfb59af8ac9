//! When gzip is used though zstd is the default.

use std::fmt;

use oci::media_type;
use serde::{Deserialize, Serialize};

use super::Compression;

/// A runtime that reads no zstd, for naming in `longshore.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Runtime {
    /// Docker Engine before 23.0, such as the 20.10 of Debian 12 and of Amazon
    /// Linux 2: it takes zstd for a broken tar (moby/moby#41759 added it).
    #[serde(rename = "docker-20.10")]
    Docker20,
    /// containerd before 1.5.
    #[serde(rename = "containerd-1.4")]
    Containerd14,
    /// AWS Lambda. Inferred: its page names no layer compression, and it refuses
    /// layers that it does not know with `UnsupportedImageLayerDetected`.
    #[serde(rename = "aws-lambda")]
    Lambda,
}

impl fmt::Display for Runtime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Docker20 => "Docker Engine before 23.0",
            Self::Containerd14 => "containerd before 1.5",
            Self::Lambda => "AWS Lambda",
        })
    }
}

/// What speaks for one compression or the other.
#[derive(Debug, Clone, Default)]
pub struct Wishes<'a> {
    /// What `longshore.toml` asks for, if it does.
    pub requested: Option<Compression>,
    /// The media type of the base's manifest, if there is a base.
    pub base: Option<&'a str>,
    /// The runtimes named in `longshore.toml`.
    pub runtimes: &'a [Runtime],
    /// Whether the registry has refused a manifest with zstd layers.
    pub registry_refuses: bool,
}

/// Why it is gzip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GzipReason {
    /// A runtime that cannot read zstd will run the image.
    Runtime(Runtime),
    /// The registry does not take zstd layers.
    Registry,
    /// The base is in Docker's own format, which knows no zstd: whoever keeps to
    /// it may have clients that know nothing else.
    Base,
}

impl fmt::Display for GzipReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runtime(runtime) => write!(formatter, "{runtime} reads no zstd"),
            Self::Registry => formatter.write_str("the registry refuses zstd layers"),
            Self::Base => formatter.write_str("the base is in Docker's format, which has no zstd"),
        }
    }
}

/// A compression, and why it is not the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// The compression.
    pub compression: Compression,
    /// Why it is gzip, where nobody asked for gzip.
    pub because: Option<GzipReason>,
}

impl Wishes<'_> {
    /// The rule: what was asked for; else gzip if a runtime, the registry or the
    /// base needs it; else zstd.
    pub fn choose(&self) -> Choice {
        if let Some(compression) = self.requested {
            return Choice {
                compression,
                because: None,
            };
        }
        let runtime = self.runtimes.first().copied().map(GzipReason::Runtime);
        let registry = self.registry_refuses.then_some(GzipReason::Registry);
        let base = self.base.filter(|media_type| {
            matches!(
                *media_type,
                media_type::DOCKER_MANIFEST | media_type::DOCKER_MANIFEST_LIST
            )
        });
        let because = runtime.or(registry).or(base.map(|_| GzipReason::Base));
        let compression = match because {
            Some(_) => Compression::GZIP,
            None => Compression::ZSTD,
        };
        Choice {
            compression,
            because,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_said_is_zstd() {
        let choice = Wishes::default().choose();
        assert_eq!(choice.compression, Compression::ZSTD);
        assert_eq!(choice.because, None);
        let oci = Wishes {
            base: Some(media_type::MANIFEST),
            ..Wishes::default()
        };
        assert_eq!(oci.choose().compression, Compression::ZSTD);
    }

    #[test]
    fn a_runtime_a_registry_or_a_docker_base_makes_it_gzip_and_says_why() {
        let runtimes = [Runtime::Docker20];
        for (wishes, because) in [
            (
                Wishes {
                    runtimes: &runtimes,
                    ..Wishes::default()
                },
                "Docker Engine before 23.0 reads no zstd",
            ),
            (
                Wishes {
                    registry_refuses: true,
                    ..Wishes::default()
                },
                "the registry refuses zstd layers",
            ),
            (
                Wishes {
                    base: Some(media_type::DOCKER_MANIFEST),
                    ..Wishes::default()
                },
                "the base is in Docker's format, which has no zstd",
            ),
        ] {
            let choice = wishes.choose();
            assert_eq!(choice.compression, Compression::GZIP);
            assert_eq!(choice.because.unwrap().to_string(), because);
        }
    }

    #[test]
    fn what_was_asked_for_is_done() {
        let runtimes = [Runtime::Docker20];
        let wishes = Wishes {
            requested: Some(Compression::Zstd { level: 19 }),
            runtimes: &runtimes,
            registry_refuses: true,
            base: Some(media_type::DOCKER_MANIFEST),
        };
        let choice = wishes.choose();
        assert_eq!(choice.compression, Compression::Zstd { level: 19 });
        assert_eq!(choice.because, None);
    }
}
