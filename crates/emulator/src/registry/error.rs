//! Refusals as the registry sends them.

use axum::body::Body;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use oci::{ErrorCode, ErrorEnvelope};

use crate::blobs::BlobError;
use crate::ecr::{EcrError, KeepError, code};
use crate::login::LoginError;
use crate::store::StoreError;
use crate::trail::Note;

/// A refusal: status and one error of the envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RegistryError {
    pub(super) status: u16,
    pub(super) code: ErrorCode,
    pub(super) message: String,
    /// Whether the client is asked to log in.
    challenge: bool,
    /// ECR's exception behind it.
    exception: Option<&'static str>,
    /// The `Range` header, where a chunk was out of place.
    range: Option<String>,
}

impl RegistryError {
    pub(super) fn new(status: u16, code: ErrorCode, message: String) -> Self {
        Self {
            status,
            code,
            message,
            challenge: false,
            exception: None,
            range: None,
        }
    }

    /// ECR answers 405 to what it does not do, bad manifests included.
    pub(super) fn unsupported(message: String) -> Self {
        Self::new(405, ErrorCode::Unsupported, message)
    }

    /// A chunk does not begin where the upload ends; `range` is what ECR says
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

    /// What ECR's own operation fails with, which is what CloudTrail records.
    /// The batch operations behind a search do not fail when they find nothing.
    fn exception(&self, method: &Method) -> Option<&str> {
        if self.exception.is_some() {
            return self.exception;
        }
        match self.code {
            ErrorCode::BlobUnknown if method == Method::HEAD => None,
            ErrorCode::ManifestUnknown => None,
            ErrorCode::BlobUnknown => Some(code::LAYERS_NOT_FOUND),
            ErrorCode::BlobUploadUnknown => Some("UploadNotFoundException"),
            ErrorCode::BlobUploadInvalid | ErrorCode::SizeInvalid => {
                Some("InvalidLayerPartException")
            }
            ErrorCode::DigestInvalid => Some("InvalidLayerException"),
            ref other => Some(other.as_str()),
        }
    }

    /// The response, noted.
    pub(super) fn respond(&self, parts: &Parts, note: &Note) -> Response {
        note.shown(self.code.as_str(), &self.message);
        if let Some(exception) = self.exception(&parts.method) {
            note.error(exception, &self.message);
        }
        let mut response = if self.challenge {
            challenge(parts)
        } else {
            let envelope = ErrorEnvelope::one(self.code.clone(), self.message.clone());
            let body = serde_json::to_vec(&envelope).unwrap_or_default();
            let mut response = with_body(body, &parts.method);
            response.headers_mut().insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json; charset=utf-8"),
            );
            response
        };
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Some(Ok(range)) = self.range.as_deref().map(HeaderValue::from_str) {
            response.headers_mut().insert(header::RANGE, range);
        }
        response
    }
}

/// ECR's challenge, to the letter, and its body of 15 bytes.
fn challenge(parts: &Parts) -> Response {
    let host = parts
        .headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default()
        .replace(['"', '\\'], "");
    let mut response = with_body(b"Not Authorized\n".to_vec(), &parts.method);
    let headers = response.headers_mut();
    let realm = format!("Basic realm=\"https://{host}/\",service=\"ecr.amazonaws.com\"");
    if let Ok(realm) = HeaderValue::from_str(&realm) {
        headers.insert(header::WWW_AUTHENTICATE, realm);
    }
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

/// A response whose length is told, and whose body is sent unless to `HEAD`.
fn with_body(body: Vec<u8>, method: &Method) -> Response {
    let length = HeaderValue::from(body.len());
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        Body::from(body)
    };
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, length);
    response
}

impl From<LoginError> for RegistryError {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Missing | LoginError::Unknown => Self {
                challenge: true,
                ..Self::new(401, ErrorCode::Unauthorized, "Not Authorized".to_owned())
            },
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
    /// distribution protocol. Statuses are inferred, except 403 and 405.
    fn from(error: EcrError) -> Self {
        let (status, code) = match error.code {
            code::ACCESS_DENIED => (403, ErrorCode::Denied),
            code::REPOSITORY_NOT_FOUND => (404, ErrorCode::NameUnknown),
            code::IMAGE_TAG_ALREADY_EXISTS => (400, ErrorCode::TagInvalid),
            code::IMAGE_DIGEST_DOES_NOT_MATCH => (400, ErrorCode::DigestInvalid),
            code::LAYERS_NOT_FOUND | code::REFERENCED_IMAGES_NOT_FOUND => {
                (404, ErrorCode::ManifestBlobUnknown)
            }
            code::INVALID_PARAMETER => (405, ErrorCode::Unsupported),
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
            BlobError::TooLarge { .. } => Self::new(413, ErrorCode::SizeInvalid, message),
            BlobError::Digest { .. } => Self::new(400, ErrorCode::DigestInvalid, message),
            BlobError::Full { .. } => Self {
                status: 507,
                ..Self::server(message)
            },
            BlobError::Disk { .. } => Self::server(message),
        }
    }
}

impl From<KeepError> for RegistryError {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Blob(error) => error.into(),
            KeepError::Store(error) => error.into(),
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

    use super::*;

    #[test]
    fn a_full_disk_is_a_server_error_that_says_so() {
        let full = BlobError::from(io::Error::from(io::ErrorKind::StorageFull));
        let error = RegistryError::from(full);
        assert_eq!(error.status, 507);
        assert!(
            error
                .message
                .starts_with("the disk of the emulator is full")
        );
    }
}
