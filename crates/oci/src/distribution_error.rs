//! Errors as registries send them (distribution-spec, "Error Codes").

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The body of every registry error: `{"errors": [...]}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorEnvelope {
    /// One or more errors.
    pub errors: Vec<DistributionError>,
}

/// One error of the envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistributionError {
    /// The kind.
    pub code: ErrorCode,
    /// A sentence for people.
    #[serde(default)]
    pub message: String,
}

impl ErrorEnvelope {
    /// An envelope with one error.
    pub fn one(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            errors: vec![DistributionError {
                code,
                message: message.into(),
            }],
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// The codes of the specification, and whatever else a registry says.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum ErrorCode {
            $($(#[$doc])* $variant,)*
            /// A code that no specification names; kept as it came.
            Unknown(String),
        }

        impl ErrorCode {
            /// The code on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Unknown(text) => text,
                }
            }
        }

        impl From<String> for ErrorCode {
            fn from(text: String) -> Self {
                match text.as_str() {
                    $($text => Self::$variant,)*
                    _ => Self::Unknown(text),
                }
            }
        }
    };
}

codes! {
    /// The registry does not have the blob.
    BlobUnknown = "BLOB_UNKNOWN",
    /// An upload that cannot go on.
    BlobUploadInvalid = "BLOB_UPLOAD_INVALID",
    /// No such upload.
    BlobUploadUnknown = "BLOB_UPLOAD_UNKNOWN",
    /// The bytes are not those of the digest.
    DigestInvalid = "DIGEST_INVALID",
    /// The manifest names a blob that the registry does not have.
    ManifestBlobUnknown = "MANIFEST_BLOB_UNKNOWN",
    /// The manifest is not valid.
    ManifestInvalid = "MANIFEST_INVALID",
    /// No such manifest.
    ManifestUnknown = "MANIFEST_UNKNOWN",
    /// The repository name is not valid.
    NameInvalid = "NAME_INVALID",
    /// No such repository.
    NameUnknown = "NAME_UNKNOWN",
    /// The length is not the one announced.
    SizeInvalid = "SIZE_INVALID",
    /// The tag cannot be set; ECR's answer for an immutable tag.
    TagInvalid = "TAG_INVALID",
    /// Not logged in.
    Unauthorized = "UNAUTHORIZED",
    /// Logged in, and not allowed.
    Denied = "DENIED",
    /// The registry does not do this.
    Unsupported = "UNSUPPORTED",
    /// Too many requests.
    TooManyRequests = "TOOMANYREQUESTS",
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ErrorCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_nobody_specified_is_kept_as_it_came() {
        let body =
            r#"{"errors":[{"code":"ODD","message":"m","detail":{"x":1}},{"code":"DENIED"}]}"#;
        let envelope: ErrorEnvelope = serde_json::from_str(body).unwrap();
        assert_eq!(
            envelope.errors[0].code,
            ErrorCode::Unknown("ODD".to_owned())
        );
        assert_eq!(envelope.errors[1].code, ErrorCode::Denied);
        assert_eq!(envelope.errors[0].code.to_string(), "ODD");
    }
}
