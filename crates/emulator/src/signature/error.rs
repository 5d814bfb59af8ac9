//! Why a signature is refused, in AWS's words for both protocols.

use crate::error::AwsError;
use crate::store::StoreError;

/// A refused signature.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignatureError {
    /// Nothing in the request claims to be a signature.
    #[error("Request is missing Authentication Token")]
    Missing,
    /// A part of the signature is missing or unreadable.
    #[error("{0}")]
    Incomplete(String),
    /// The key is not known here, or its session token is not the right one.
    #[error("The security token included in the request is invalid.")]
    InvalidToken,
    /// The session is over.
    #[error("The security token included in the request is expired")]
    ExpiredToken,
    /// The signature is not of this request, this service or this time.
    #[error("{0}")]
    Mismatch(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SignatureError {
    /// AWS's sentence for a signature that is simply wrong.
    pub(crate) const DOES_NOT_MATCH: &'static str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";

    /// The error of the Query protocol (STS and IAM API Reference, "Common
    /// Errors").
    pub(crate) fn in_query(&self) -> AwsError {
        let (status, code) = match self {
            Self::Missing => (403, "MissingAuthenticationToken"),
            Self::Incomplete(_) => (400, "IncompleteSignature"),
            Self::InvalidToken => (403, "InvalidClientTokenId"),
            Self::ExpiredToken => (403, "ExpiredToken"),
            Self::Mismatch(_) => (403, "SignatureDoesNotMatch"),
            Self::Store(_) => (500, "InternalFailure"),
        };
        AwsError::new(status, code, self.to_string())
    }

    /// The error of the JSON protocols, whose names differ and whose status is
    /// 400 throughout (inferred from services other than ECR).
    pub(crate) fn in_json(&self) -> AwsError {
        let (status, code) = match self {
            Self::Missing => (400, "MissingAuthenticationTokenException"),
            Self::Incomplete(_) => (400, "IncompleteSignatureException"),
            Self::InvalidToken => (400, "UnrecognizedClientException"),
            Self::ExpiredToken => (400, "ExpiredTokenException"),
            Self::Mismatch(_) => (400, "InvalidSignatureException"),
            Self::Store(_) => (500, "ServerException"),
        };
        AwsError::new(status, code, self.to_string())
    }
}
