//! Refusals as the registry sends them.

use axum::body::Body;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use oci::{ErrorCode, ErrorEnvelope};

use super::behaviour::Behaviour;
use super::response::set;
use crate::blobs::BlobError;
use crate::ecr::{EcrError, KeepError, code};
use crate::login::LoginError;
use crate::store::StoreError;
use crate::trail::Note;

/// A refusal: one error of the envelope, and the status that goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RegistryError {
    kind: Kind,
    pub(super) message: String,
    /// ECR's exception behind it.
    exception: Option<&'static str>,
    /// The `Range` header, where a chunk was out of place.
    range: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// The same in every behaviour.
    As(u16, ErrorCode),
    /// `Behaviour::bad_manifest`.
    BadManifest,
    /// `Behaviour::wrong_digest`.
    WrongDigest,
    /// The client is asked to log in.
    Challenge,
}

impl RegistryError {
    pub(super) fn new(status: u16, code: ErrorCode, message: String) -> Self {
        Self::of(Kind::As(status, code), message)
    }

    fn of(kind: Kind, message: String) -> Self {
        Self {
            kind,
            message,
            exception: None,
            range: None,
        }
    }

    /// 405 to what is not done here.
    pub(super) fn unsupported() -> Self {
        let message = "The operation is unsupported.".to_owned();
        Self::new(405, ErrorCode::Unsupported, message)
    }

    /// A chunk does not begin where the upload ends; `range` is what is said
    /// of the upload.
    pub(super) fn out_of_place(message: String, range: String) -> Self {
        Self {
            range: Some(range),
            ..Self::new(416, ErrorCode::BlobUploadInvalid, message)
        }
    }

    /// A handler panicked: the emulator's fault.
    pub(super) fn crashed() -> Self {
        Self::server("the emulator failed to answer this request".to_owned())
    }

    fn server(message: String) -> Self {
        Self::new(500, ErrorCode::Unknown("UNKNOWN".to_owned()), message)
    }

    /// The status, the code and ECR's sentence for it.
    fn wire(&self, behaviour: &Behaviour) -> (u16, ErrorCode, Option<&'static str>) {
        let refusal = match &self.kind {
            Kind::As(status, code) => return (*status, code.clone(), None),
            Kind::Challenge => return (401, ErrorCode::Unauthorized, None),
            Kind::BadManifest => &behaviour.bad_manifest,
            Kind::WrongDigest => &behaviour.wrong_digest,
        };
        (refusal.status, refusal.code.clone(), refusal.sentence)
    }

    #[cfg(test)]
    pub(super) fn code(&self, behaviour: &Behaviour) -> ErrorCode {
        self.wire(behaviour).1
    }

    /// What ECR's own operation fails with, which is what CloudTrail records.
    /// The batch operations behind a search do not fail when they find nothing.
    fn exception(&self, code: &ErrorCode, method: &Method) -> Option<String> {
        if let Some(exception) = self.exception {
            return Some(exception.to_owned());
        }
        let exception = match code {
            ErrorCode::BlobUnknown if method == Method::HEAD => return None,
            ErrorCode::ManifestUnknown => return None,
            ErrorCode::BlobUnknown => code::LAYERS_NOT_FOUND,
            ErrorCode::BlobUploadUnknown => "UploadNotFoundException",
            ErrorCode::BlobUploadInvalid | ErrorCode::SizeInvalid => "InvalidLayerPartException",
            ErrorCode::DigestInvalid => "InvalidLayerException",
            other => other.as_str(),
        };
        Some(exception.to_owned())
    }

    /// The response, noted.
    pub(super) fn respond(&self, parts: &Parts, note: &Note, behaviour: &Behaviour) -> Response {
        let (status, code, sentence) = self.wire(behaviour);
        if sentence.is_some() {
            note.because(self.message.clone());
        }
        let message = sentence.unwrap_or(&self.message);
        note.shown(code.as_str(), message);
        if let Some(exception) = self.exception(&code, &parts.method) {
            note.error(&exception, message);
        }
        let mut response = if self.kind == Kind::Challenge && behaviour.plain_challenge {
            with_body(b"Not Authorized\n".to_vec(), "text/plain", &parts.method)
        } else {
            let envelope = ErrorEnvelope::one(code, message);
            let body = serde_json::to_vec(&envelope).unwrap_or_default();
            with_body(body, "application/json", &parts.method)
        };
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if self.kind == Kind::Challenge {
            set(&mut response, header::WWW_AUTHENTICATE, &challenge(parts));
        }
        if let Some(range) = &self.range {
            set(&mut response, header::RANGE, range);
        }
        response
    }
}

/// ECR's challenge, to the letter.
fn challenge(parts: &Parts) -> String {
    let host = parts
        .headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default()
        .replace(['"', '\\'], "");
    format!("Basic realm=\"https://{host}/\",service=\"ecr.amazonaws.com\"")
}

/// A response whose length is told, and whose body is sent unless to `HEAD`.
fn with_body(body: Vec<u8>, kind: &str, method: &Method) -> Response {
    let length = HeaderValue::from(body.len());
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        Body::from(body)
    };
    let mut response = Response::new(body);
    let kind = format!("{kind}; charset=utf-8");
    set(&mut response, header::CONTENT_TYPE, &kind);
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, length);
    response
}

impl From<LoginError> for RegistryError {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Missing | LoginError::Unknown => {
                Self::of(Kind::Challenge, "Not Authorized".to_owned())
            }
            // ECR answers 400 to credentials it cannot read, which people meet
            // as "login attempt failed with status: 400 Bad Request"; the
            // envelope is inferred.
            LoginError::Malformed => Self::new(400, ErrorCode::Denied, "Not Authorized".to_owned()),
            // The sentence is AWS's; the status is inferred.
            LoginError::Expired(_) => Self::new(
                403,
                ErrorCode::Denied,
                "Your authorization token has expired. Reauthenticate and try again.".to_owned(),
            ),
            // Documented as `403 (Forbidden)`; the sentence is inferred.
            LoginError::OtherRegion { .. } => {
                Self::new(403, ErrorCode::Denied, "Not Authorized".to_owned())
            }
            LoginError::Store(error) => error.into(),
        }
    }
}

impl From<EcrError> for RegistryError {
    /// ECR's registry shows the sentence of the exception under a code of the
    /// distribution protocol. Statuses are inferred, except 403.
    fn from(error: EcrError) -> Self {
        let (status, code) = match error.code {
            code::ACCESS_DENIED => (403, ErrorCode::Denied),
            code::REPOSITORY_NOT_FOUND => (404, ErrorCode::NameUnknown),
            code::IMAGE_TAG_ALREADY_EXISTS => (400, ErrorCode::TagInvalid),
            code::IMAGE_DIGEST_DOES_NOT_MATCH => (400, ErrorCode::DigestInvalid),
            code::LAYERS_NOT_FOUND | code::REFERENCED_IMAGES_NOT_FOUND => {
                (404, ErrorCode::ManifestBlobUnknown)
            }
            code::IMAGE_NOT_FOUND => (404, ErrorCode::ManifestUnknown),
            code::IMAGE_REFERENCED => (405, ErrorCode::Unsupported),
            code::INVALID_PARAMETER => {
                return Self {
                    exception: Some(error.code),
                    ..Self::of(Kind::BadManifest, error.message)
                };
            }
            _ => (error.status, ErrorCode::Unknown("UNKNOWN".to_owned())),
        };
        Self {
            exception: Some(error.code),
            ..Self::new(status, code, error.message)
        }
    }
}

impl From<BlobError> for RegistryError {
    fn from(error: BlobError) -> Self {
        let message = error.to_string();
        match error {
            BlobError::UploadUnknown => Self::new(404, ErrorCode::BlobUploadUnknown, message),
            BlobError::UploadBusy => Self::new(409, ErrorCode::BlobUploadInvalid, message),
            BlobError::Interrupted => Self::new(400, ErrorCode::BlobUploadInvalid, message),
            BlobError::Length { .. } => Self::new(400, ErrorCode::SizeInvalid, message),
            BlobError::TooLarge { .. } => Self::new(413, ErrorCode::SizeInvalid, message),
            BlobError::Digest { .. } => Self {
                exception: Some("InvalidLayerException"),
                ..Self::of(Kind::WrongDigest, message)
            },
            BlobError::Full { .. } => {
                Self::new(507, ErrorCode::Unknown("UNKNOWN".to_owned()), message)
            }
            BlobError::Damaged { .. } | BlobError::Disk { .. } => Self::server(message),
        }
    }
}

impl From<KeepError> for RegistryError {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Blob(error) => error.into(),
            KeepError::Store(error) => error.into(),
            KeepError::NoRepository(error) => error.into(),
            KeepError::PartTooSmall => Self {
                exception: Some("LayerPartTooSmallException"),
                ..Self::new(400, ErrorCode::BlobUploadInvalid, error.to_string())
            },
        }
    }
}

impl From<StoreError> for RegistryError {
    fn from(error: StoreError) -> Self {
        EcrError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::super::behaviour::ECR;
    use super::*;

    #[test]
    fn a_full_disk_is_a_server_error_that_says_so() {
        let full = BlobError::from(io::Error::from(io::ErrorKind::StorageFull));
        let error = RegistryError::from(full);
        assert_eq!(error.wire(&ECR).0, 507);
        assert!(
            error
                .message
                .starts_with("nothing was stored: the disk of the emulator is full")
        );
    }
}
