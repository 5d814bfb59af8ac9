//! Paths of the distribution protocol. What is foreign in a path is a value
//! that cannot be wrong, or refused, before anything else sees it.

use http::request::Parts;
use http::{HeaderMap, Method, header};
use oci::{Algorithm, Digest, ErrorCode, ManifestReference, NameError, RepositoryName};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::error::RegistryError;

/// What a path below `/v2/` names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `/v2/`
    Version,
    /// `/v2/_catalog`
    Catalog,
    /// `/v2/NAME/tags/list`
    Tags { name: RepositoryName },
    /// `/v2/NAME/referrers/DIGEST`
    Referrers {
        name: RepositoryName,
        subject: Digest,
    },
    /// `/v2/NAME/manifests/REFERENCE`
    Manifest {
        name: RepositoryName,
        reference: ManifestReference,
    },
    /// `/v2/NAME/blobs/DIGEST`
    Blob {
        name: RepositoryName,
        digest: Digest,
    },
    /// `/v2/NAME/blobs/uploads/`
    Uploads { name: RepositoryName },
    /// `/v2/NAME/blobs/uploads/ID`
    Upload(UploadAddress),
}

/// An upload that a client names: it may not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UploadAddress {
    pub(super) name: RepositoryName,
    pub(super) id: String,
}

impl Route {
    /// Parses the path of a request, still percent-encoded. Digests are by one
    /// of `algorithms`.
    pub(super) fn parse(path: &str, algorithms: &[Algorithm]) -> Result<Self, RegistryError> {
        let path = percent_decode_str(path)
            .decode_utf8()
            .map_err(|_| unknown_path())?;
        let rest = path.strip_prefix("/v2").ok_or_else(unknown_path)?;
        let segments: Vec<&str> = rest.split('/').skip(1).collect();
        match segments.as_slice() {
            [] | [""] => Ok(Self::Version),
            ["_catalog"] => Ok(Self::Catalog),
            [name @ .., "tags", "list"] => Ok(Self::Tags {
                name: repository(&name.join("/"))?,
            }),
            [name @ .., "blobs", "uploads" | "uploads/"] | [name @ .., "blobs", "uploads", ""] => {
                Ok(Self::Uploads {
                    name: repository(&name.join("/"))?,
                })
            }
            [name @ .., "blobs", "uploads", id] => Ok(Self::Upload(UploadAddress {
                name: repository(&name.join("/"))?,
                id: (*id).to_owned(),
            })),
            [name @ .., "blobs", digest] => Ok(Self::Blob {
                name: repository(&name.join("/"))?,
                digest: parse_digest(digest, algorithms)?,
            }),
            [name @ .., "referrers", digest] => Ok(Self::Referrers {
                name: repository(&name.join("/"))?,
                subject: parse_digest(digest, algorithms)?,
            }),
            [name @ .., "manifests", text] => Ok(Self::Manifest {
                name: repository(&name.join("/"))?,
                reference: parse_reference(text, algorithms)?,
            }),
            _ => Err(unknown_path()),
        }
    }

    /// What the trail keeps of a request: the parameters of the operation that
    /// ECR performs for it.
    pub(super) fn parameters(&self, parts: &Parts) -> Value {
        match self {
            Self::Version => Value::Null,
            Self::Catalog => json!({}),
            Self::Tags { name } | Self::Uploads { name } => json!({ "repositoryName": name }),
            Self::Referrers { name, subject } => {
                json!({ "repositoryName": name, "subjectId": { "imageDigest": subject } })
            }
            Self::Blob { name, digest } if parts.method == Method::HEAD => {
                json!({ "repositoryName": name, "layerDigests": [digest] })
            }
            Self::Blob { name, digest } => json!({ "repositoryName": name, "layerDigest": digest }),
            Self::Upload(UploadAddress { name, id }) => {
                json!({ "repositoryName": name, "uploadId": id })
            }
            Self::Manifest { name, reference } => {
                let (member, value) = match reference {
                    ManifestReference::Tag(tag) => ("imageTag", json!(tag)),
                    ManifestReference::Digest(digest) => ("imageDigest", json!(digest)),
                };
                if parts.method == Method::PUT {
                    json!({ "repositoryName": name, member: value })
                } else if parts.method == Method::DELETE {
                    json!({ "repositoryName": name, "imageIds": [{ member: value }] })
                } else {
                    json!({
                        "repositoryName": name,
                        "imageIds": [{ member: value }],
                        "acceptedMediaTypes": accepted(&parts.headers),
                    })
                }
            }
        }
    }
}

/// The media types that a client accepts, without their weights.
fn accepted(headers: &HeaderMap) -> Vec<&str> {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|part| part.split(';').next())
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

/// The name of a repository, from a path or a query.
pub(super) fn repository(text: &str) -> Result<RepositoryName, RegistryError> {
    text.parse().map_err(|error: NameError| {
        RegistryError::new(400, ErrorCode::NameInvalid, error.to_string())
    })
}

/// A digest from a path or a query, by one of `algorithms`.
pub(super) fn parse_digest(text: &str, algorithms: &[Algorithm]) -> Result<Digest, RegistryError> {
    let digest: Digest = text.parse().map_err(|error: oci::DigestError| {
        RegistryError::new(400, ErrorCode::DigestInvalid, error.to_string())
    })?;
    if algorithms.contains(&digest.algorithm()) {
        return Ok(digest);
    }
    Err(RegistryError::new(
        400,
        ErrorCode::DigestInvalid,
        format!("digests by {} are not understood", digest.algorithm()),
    ))
}

fn parse_reference(
    text: &str,
    algorithms: &[Algorithm],
) -> Result<ManifestReference, RegistryError> {
    if text.contains(':') {
        return Ok(ManifestReference::Digest(parse_digest(text, algorithms)?));
    }
    text.parse().map_err(|error| wrong_reference(&error))
}

fn wrong_reference(error: &NameError) -> RegistryError {
    let code = match error {
        NameError::Digest(_) => ErrorCode::DigestInvalid,
        NameError::Tag(_) | NameError::Repository(_) => ErrorCode::TagInvalid,
    };
    RegistryError::new(400, code, error.to_string())
}

fn unknown_path() -> RegistryError {
    RegistryError::new(
        404,
        ErrorCode::NameUnknown,
        "the path is not one of the distribution protocol".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::behaviour::{ECR, SPECIFICATION};
    use super::*;

    const ALL: &[Algorithm] = SPECIFICATION.algorithms;

    #[test]
    fn ecr_does_not_understand_sha512() {
        let path = format!("/v2/ab/blobs/{}", Digest::with(Algorithm::Sha512, b""));
        assert!(Route::parse(&path, ALL).is_ok());
        assert!(Route::parse(&path, ECR.algorithms).is_err());
    }

    fn name(text: &str) -> RepositoryName {
        text.parse().unwrap()
    }

    #[test]
    fn paths_of_the_protocol_are_told_apart_even_with_awkward_names() {
        let digest = Digest::of(b"");
        for (path, route) in [
            ("/v2/", Route::Version),
            ("/v2", Route::Version),
            ("/v2/_catalog", Route::Catalog),
            (
                "/v2/tags/list/tags/list",
                Route::Tags {
                    name: name("tags/list"),
                },
            ),
            ("/v2/ab/blobs/uploads/", Route::Uploads { name: name("ab") }),
            ("/v2/ab/blobs/uploads", Route::Uploads { name: name("ab") }),
            (
                "/v2/ab/blobs/uploads/1",
                Route::Upload(UploadAddress {
                    name: name("ab"),
                    id: "1".to_owned(),
                }),
            ),
            (
                &format!(
                    "/v2/blobs/uploads/blobs/{}",
                    digest.to_string().replace(':', "%3A")
                ),
                Route::Blob {
                    name: name("blobs/uploads"),
                    digest,
                },
            ),
            (
                &format!("/v2/ab/referrers/{digest}"),
                Route::Referrers {
                    name: name("ab"),
                    subject: digest,
                },
            ),
            (
                "/v2/a/b/manifests/v1",
                Route::Manifest {
                    name: name("a/b"),
                    reference: "v1".parse().unwrap(),
                },
            ),
        ] {
            assert_eq!(Route::parse(path, ALL).unwrap(), route, "{path}");
        }
    }

    #[test]
    fn odd_names_and_climbing_paths_are_refused() {
        for (path, code) in [
            ("/v2/../etc/manifests/v1", ErrorCode::NameInvalid),
            ("/v2/%2e%2e/%2e%2e/tags/list", ErrorCode::NameInvalid),
            ("/v2/a%2f..%2fb/tags/list", ErrorCode::NameInvalid),
            ("/v2/App/tags/list", ErrorCode::NameInvalid),
            ("/v2//tags/list", ErrorCode::NameInvalid),
            ("/v2/tags/list", ErrorCode::NameInvalid),
            (
                "/v2/ab/blobs/sha256:..%2f..%2fstate.redb",
                ErrorCode::NameUnknown,
            ),
            ("/v2/ab/blobs/sha256:short", ErrorCode::DigestInvalid),
            ("/v2/ab/manifests/.hidden", ErrorCode::TagInvalid),
            ("/v2/ab/manifests/sha512:00", ErrorCode::DigestInvalid),
            ("/v2/%ff", ErrorCode::NameUnknown),
            ("/v2/ab", ErrorCode::NameUnknown),
        ] {
            let error = Route::parse(path, ALL).unwrap_err();
            assert_eq!(error.code(&SPECIFICATION), code, "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_path_is_parsed_or_refused_without_panic(path in "(/v2)?[ -~]{0,60}") {
            let _ = Route::parse(&path, ALL);
        }
    }
}
