//! What can go wrong between this machine and AWS.

use std::path::PathBuf;

use crate::Secret;

/// A call that AWS, GitHub or a metadata service answered with an error.
#[derive(Debug, thiserror::Error)]
#[error("{service} {operation} answered {}{}", self.outcome(), self.explanation())]
pub struct ServiceError {
    /// Who answered: `STS`, `ECR`, `GitHub`, ...
    pub service: &'static str,
    /// What was asked: `AssumeRoleWithWebIdentity`, ...
    pub operation: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The error code, where the answer carried one: `AccessDenied`.
    pub code: Option<String>,
    /// The sentence that came with it, cut to a bounded length; may be empty.
    pub message: String,
    /// What AWS support asks for.
    pub request_id: Option<String>,
}

impl ServiceError {
    fn outcome(&self) -> String {
        let request = match &self.request_id {
            Some(id) => format!(", request id {id}"),
            None => String::new(),
        };
        match &self.code {
            Some(code) => format!("{code} (HTTP {}{request})", self.status),
            None => format!("HTTP {}{request}", self.status),
        }
    }

    fn explanation(&self) -> String {
        match self.message.as_str() {
            "" => String::new(),
            message => format!(": {message}"),
        }
    }

    /// Codes that AWS's SDKs treat as throttling (their shared retry specification).
    fn is_throttling(&self) -> bool {
        self.status == 429
            || self.code.as_deref().is_some_and(|code| {
                code.starts_with("Throttl")
                    || matches!(
                        code,
                        "TooManyRequestsException"
                            | "RequestThrottled"
                            | "RequestThrottledException"
                            | "RequestLimitExceeded"
                            | "SlowDown"
                            | "PriorRequestNotComplete"
                    )
            })
    }

    /// AWS asks to repeat these two; the first hides behind a code that is
    /// otherwise final (AssumeRoleWithWebIdentity, "Errors").
    fn is_transient_provider_failure(&self) -> bool {
        match self.code.as_deref() {
            Some("IDPCommunicationError") => true,
            Some("InvalidIdentityToken") => self
                .message
                .starts_with("Couldn't retrieve verification key"),
            _ => false,
        }
    }

    fn is_retryable(&self) -> bool {
        self.status >= 500 || self.is_throttling() || self.is_transient_provider_failure()
    }

    fn is_denial(&self) -> bool {
        let refused = self
            .code
            .as_deref()
            .is_some_and(|code| code.starts_with("AccessDenied"));
        !self.is_retryable() && (refused || matches!(self.status, 401 | 403))
    }
}

/// Why an AWS call has no result.
#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    /// The job cannot ask GitHub for an identity.
    #[error(
        "the environment has no `{missing}`: the job lacks `permissions: id-token: write`, \
         or it runs for a pull request of a fork, which GitHub gives no identity"
    )]
    NoGithubToken {
        /// The variable that is not there.
        missing: &'static str,
    },
    /// No region was configured anywhere.
    #[error("no AWS region: set `AWS_REGION`, or `region` in the profile")]
    NoRegion,
    /// The service answered, with an error.
    #[error(transparent)]
    Service(Box<ServiceError>),
    /// The service could not be reached, or the connection broke.
    #[error("{service} {operation} got no answer")]
    Transport {
        /// Who was called.
        service: &'static str,
        /// What for.
        operation: &'static str,
        /// Without the URL, whose query may carry what should not be printed.
        #[source]
        source: reqwest::Error,
    },
    /// The answer is not what the service documents.
    #[error("{service} {operation} answered something unexpected: {reason}")]
    Malformed {
        /// Who answered.
        service: &'static str,
        /// What was asked.
        operation: &'static str,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The whole chain was walked and held nothing.
    #[error("no AWS credentials found; tried {}", tried.join("; "))]
    NoCredentials {
        /// Each source, and why it had none.
        tried: Vec<String>,
    },
    /// The profile cannot give credentials.
    #[error("the AWS profile `{profile}` gives no credentials: {reason}")]
    Profile {
        /// The profile's name.
        profile: String,
        /// Why, with the way out where there is one.
        reason: String,
    },
    /// A file that the configuration names cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A setting cannot be used as it stands.
    #[error("cannot use the configured {what}: {reason}")]
    Setting {
        /// What the setting is.
        what: &'static str,
        /// Why not.
        reason: String,
    },
    /// No HTTP client could be made: usually, no certificates are installed.
    #[error("cannot prepare TLS: are CA certificates installed?")]
    NoHttpClient {
        /// What the TLS stack says.
        #[source]
        source: reqwest::Error,
    },
}

impl AwsError {
    /// AWS understood and said no. Asking again cannot help: nothing retries this.
    pub fn is_denial(&self) -> bool {
        matches!(self, Self::Service(error) if error.is_denial())
    }

    /// The same call may succeed a moment later. The client has by then already
    /// retried within its budget.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Service(error) => error.is_retryable(),
            Self::Transport { source, .. } => !source.is_builder(),
            _ => false,
        }
    }

    /// Removes secrets that a service quoted back: STS cites a wrong token in its
    /// validation errors, and a signature mismatch cites the signed headers.
    pub(crate) fn without(mut self, secrets: &[&Secret]) -> Self {
        if let Self::Service(error) = &mut self {
            for secret in secrets.iter().filter(|secret| !secret.expose().is_empty()) {
                error.message = error.message.replace(secret.expose(), "***");
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, code: &str, message: &str) -> AwsError {
        AwsError::Service(Box::new(ServiceError {
            service: "STS",
            operation: "AssumeRoleWithWebIdentity",
            status,
            code: Some(code.to_owned()),
            message: message.to_owned(),
            request_id: Some("6c1e".to_owned()),
        }))
    }

    #[test]
    fn the_sentence_names_who_what_why_and_the_request() {
        assert_eq!(
            answered(403, "AccessDenied", "Not authorized").to_string(),
            "STS AssumeRoleWithWebIdentity answered AccessDenied (HTTP 403, request id 6c1e): \
             Not authorized"
        );
    }

    #[test]
    fn denials_are_final_and_throttles_and_missing_keys_are_not() {
        let cases = [
            (answered(403, "AccessDenied", "no"), true, false),
            (answered(400, "AccessDeniedException", "no"), true, false),
            (
                answered(400, "InvalidIdentityToken", "Incorrect token audience"),
                false,
                false,
            ),
            (
                answered(
                    400,
                    "InvalidIdentityToken",
                    "Couldn't retrieve verification key from",
                ),
                false,
                true,
            ),
            (answered(400, "IDPCommunicationError", ""), false, true),
            (answered(400, "Throttling", ""), false, true),
            (answered(400, "ThrottlingException", ""), false, true),
            (answered(403, "RequestThrottled", ""), false, true),
            (answered(500, "InternalFailure", ""), false, true),
            (answered(400, "ExpiredTokenException", ""), false, false),
        ];
        for (error, denial, retryable) in cases {
            assert_eq!(
                (error.is_denial(), error.is_retryable()),
                (denial, retryable),
                "{error}"
            );
        }
    }

    #[test]
    fn secrets_that_a_service_quotes_are_taken_out() {
        let token = Secret::new("eyJhbGciOi");
        let error = answered(
            400,
            "ValidationError",
            "Value 'eyJhbGciOi' at 'webIdentityToken'",
        );
        let shown = error.without(&[&token, &Secret::new("")]).to_string();
        assert!(shown.contains("Value '***' at"), "{shown}");
    }
}
