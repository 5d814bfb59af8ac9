//! What can go wrong between this machine and a registry.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use http::Method;
use oci::{Digest, DistributionError, ErrorCode, ErrorEnvelope};
use url::Url;

use crate::Unreachable;

/// What was being asked of the registry; `Display` completes "failed to ...".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Ask the registry's token service for a token.
    GetToken,
    /// Ask whether a blob is there.
    CheckBlob,
    /// Ask for a place to upload to.
    StartUpload,
    /// Send the bytes of a blob.
    UploadBlob,
    /// Give up an upload.
    CancelUpload,
    /// Ask which manifest a reference names.
    ResolveManifest,
    /// Read a manifest.
    GetManifest,
    /// Write a manifest, under its digest or a tag.
    PutManifest,
    /// List tags.
    ListTags,
    /// Read a blob.
    GetBlob,
    /// List what refers to a manifest.
    ListReferrers,
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::GetToken => "get a token",
            Self::CheckBlob => "check whether a blob exists",
            Self::StartUpload => "start an upload",
            Self::UploadBlob => "upload a blob",
            Self::CancelUpload => "cancel an upload",
            Self::ResolveManifest => "resolve a manifest",
            Self::GetManifest => "read a manifest",
            Self::PutManifest => "write a manifest",
            Self::ListTags => "list tags",
            Self::GetBlob => "read a blob",
            Self::ListReferrers => "list referrers",
        })
    }
}

/// An answer that says no.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// What was asked.
    pub step: Step,
    /// The method of the request.
    pub method: Method,
    /// Its URL, without the values of its query.
    pub url: String,
    /// Whether nobody was logged in.
    pub anonymous: bool,
    /// The HTTP status.
    pub status: u16,
    /// The errors that the answer carries; a HEAD never carries any.
    pub errors: Vec<DistributionError>,
    /// The body where it is not the specification's envelope; cut, may be empty.
    pub body: String,
    /// How long the registry asks to wait.
    pub retry_after: Option<Duration>,
}

/// What is told of a page for browsers: that it is one, and its title.
fn page(text: &str) -> Option<String> {
    // The same length, so that places in it are places in the text.
    let lower = text.to_ascii_lowercase();
    let begins = |with| lower.trim_start().starts_with(with);
    if !begins("<!doctype html") && !begins("<html") {
        return None;
    }
    let start = lower.find("<title>").map(|start| start + "<title>".len());
    let end = lower.find("</title>");
    let title = start.zip(end).and_then(|(start, end)| text.get(start..end));
    let words: Vec<_> = title.unwrap_or_default().split_whitespace().collect();
    Some(match words.join(" ").as_str() {
        "" => "a page of HTML".to_owned(),
        title => format!("a page of HTML, `{title}`"),
    })
}

/// Text of strangers is quoted in messages, but never without bound.
const LONGEST_QUOTE: usize = 1000;

impl Refusal {
    /// Reads `body` as the specification's envelope, or keeps a piece of it.
    pub(crate) fn read_body(&mut self, body: &[u8]) {
        match serde_json::from_slice::<ErrorEnvelope>(body) {
            Ok(envelope) if !envelope.errors.is_empty() => self.errors = envelope.errors,
            _ => {
                let text = String::from_utf8_lossy(body);
                let text = page(&text).unwrap_or_else(|| text.trim().to_owned());
                self.body = text.chars().take(LONGEST_QUOTE).collect();
            }
        }
    }

    fn has_code(&self, code: &ErrorCode) -> bool {
        self.errors.iter().any(|error| error.code == *code)
    }

    fn is_denial(&self) -> bool {
        matches!(self.status, 401 | 403)
            || self.has_code(&ErrorCode::Denied)
            || self.has_code(&ErrorCode::Unauthorized)
    }

    fn is_throttled(&self) -> bool {
        self.status == 429
            || self.has_code(&ErrorCode::TooManyRequests)
            || self.body.contains("ThrottlingException")
    }

    fn is_retryable(&self) -> bool {
        let busy = self.status == 408 || self.is_throttled();
        !self.is_denial() && (busy || self.status >= 500)
    }

    /// ECR's words for a login that is older than twelve hours; it comes as DENIED.
    fn is_expired_login(&self) -> bool {
        self.errors
            .iter()
            .any(|error| error.message.contains("authorization token has expired"))
    }

    pub(crate) fn into_error(self) -> RegistryError {
        if self.is_expired_login() {
            RegistryError::AuthorizationExpired(Box::new(self))
        } else {
            RegistryError::Refused(Box::new(self))
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the registry refused to {}", self.step)?;
        if !self.errors.is_empty() || !self.body.is_empty() {
            write!(formatter, ":")?;
        }
        for DistributionError { code, message } in &self.errors {
            let message: String = message.chars().take(LONGEST_QUOTE).collect();
            write!(formatter, " {code}: {message}")?;
        }
        if !self.body.is_empty() {
            write!(formatter, " {}", self.body)?;
        }
        write!(
            formatter,
            " (HTTP {}, {} {})",
            self.status, self.method, self.url
        )
    }
}

/// Why a step has no result.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The endpoint cannot be used.
    #[error("`{endpoint}` cannot be used as a registry: {reason}")]
    Endpoint {
        /// The endpoint, without a password.
        endpoint: String,
        /// Why not.
        reason: &'static str,
    },
    /// No HTTP client could be made: usually, no certificates are installed.
    #[error("cannot prepare TLS: are CA certificates installed?")]
    NoHttpClient {
        /// What the TLS stack says.
        #[source]
        source: reqwest::Error,
    },
    /// The registry answered no.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The login is too old; a new one is needed, and nothing else is wrong.
    #[error("the login to the registry has expired: {0}")]
    AuthorizationExpired(Box<Refusal>),
    /// The registry could not be reached, or the connection broke.
    #[error("failed to {step}: no answer from {url}")]
    Transport {
        /// What was asked.
        step: Step,
        /// Where, without the values of its query.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The login has expired, and there is no other.
    #[error("the registry's login has expired, and another was not to be had")]
    NotRenewed {
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The connection stood still.
    #[error("failed to {step}: nothing moved for {silence:?} ({url})")]
    Stalled {
        /// What was asked.
        step: Step,
        /// Where, without the values of its query.
        url: String,
        /// For how long.
        silence: Duration,
    },
    /// The registry does not keep to the protocol.
    #[error("failed to {step}: the registry {problem} ({url})")]
    Protocol {
        /// What was asked.
        step: Step,
        /// Where, without the values of its query.
        url: String,
        /// What it does.
        problem: String,
    },
    /// The registry speaks of other bytes than those that were meant.
    #[error("failed to {step}: expected {expected}, but the registry says {actual} ({url})")]
    DigestMismatch {
        /// What was asked.
        step: Step,
        /// Where, without the values of its query.
        url: String,
        /// The digest that was asked for or sent.
        expected: Digest,
        /// The digest of the registry's answer.
        actual: Digest,
    },
    /// A manifest should be written under a digest that is not its own.
    #[error("the manifest is {actual} and cannot be written as {expected}")]
    WrongReference {
        /// The digest asked for.
        expected: Digest,
        /// The digest of the bytes.
        actual: Digest,
    },
    /// The file is not the blob that its descriptor describes.
    #[error("{} is not {expected}: {problem}", path.display())]
    Tampered {
        /// The file.
        path: PathBuf,
        /// What it should be.
        expected: Digest,
        /// How it differs.
        problem: String,
    },
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl RegistryError {
    /// The registry understood and said no. Asking again cannot help: nothing
    /// retries this. An expired login is not a denial.
    pub fn is_denial(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.is_denial())
    }

    /// The registry said no to somebody who is not logged in.
    pub fn is_denial_of_nobody(&self) -> bool {
        self.is_denial() && matches!(self, Self::Refused(refusal) if refusal.anonymous)
    }

    /// The same step may succeed a moment later. The client has by then already
    /// retried as often as its options say.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.is_retryable(),
            Self::Transport { source, .. } => {
                !source.is_builder() && self.unreachable() != Some(Unreachable::Certificate)
            }
            Self::Stalled { .. } => true,
            _ => false,
        }
    }

    /// What is in the way of a connection, where there is none and that can be told.
    pub fn unreachable(&self) -> Option<Unreachable> {
        Unreachable::within(self)
    }

    /// Whether the registry says no to whoever asks, whatever is asked.
    pub(crate) fn is_about_the_caller(&self) -> bool {
        self.is_denial() || self.is_throttled() || self.may_be_expired_login()
    }

    /// Whether the registry does not know the upload that it was asked to go on with.
    pub(crate) fn is_about_the_place(&self) -> bool {
        self.has_code(&ErrorCode::BlobUploadUnknown)
            || matches!(self, Self::Refused(refusal) if refusal.status == 404)
    }

    /// Whether the registry asks to be asked less often.
    pub(crate) fn is_throttled(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.is_throttled())
    }

    /// Whether the registry's answer carries `code`: `TagInvalid` for ECR's
    /// immutable tags, `NameUnknown` for a repository that is not there.
    pub fn has_code(&self, code: &ErrorCode) -> bool {
        match self {
            Self::Refused(refusal) | Self::AuthorizationExpired(refusal) => refusal.has_code(code),
            _ => false,
        }
    }

    /// The login may have expired: the registry says so, or refuses a HEAD, whose
    /// answer cannot say why.
    pub(crate) fn may_be_expired_login(&self) -> bool {
        match self {
            Self::AuthorizationExpired(_) => true,
            Self::Refused(refusal) => {
                refusal.method == Method::HEAD && matches!(refusal.status, 401 | 403)
            }
            _ => false,
        }
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after,
            _ => None,
        }
    }
}

/// The URL for messages: upload URLs carry signatures in their queries.
pub(crate) fn redacted(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    // Neither fails for http and https, which are all that is ever called.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    let names: Vec<_> = url
        .query_pairs()
        .map(|(name, _)| format!("{name}=***"))
        .collect();
    match names.as_slice() {
        [] => shown.to_string(),
        names => format!("{shown}?{}", names.join("&")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str) -> RegistryError {
        let mut refusal = Refusal {
            step: Step::StartUpload,
            method: Method::POST,
            url: "https://r.example/v2/a/blobs/uploads/".to_owned(),
            anonymous: false,
            status,
            errors: Vec::new(),
            body: String::new(),
            retry_after: None,
        };
        refusal.read_body(body.as_bytes());
        refusal.into_error()
    }

    fn envelope(code: &str, message: &str) -> String {
        format!(r#"{{"errors":[{{"code":"{code}","message":"{message}","detail":{{}}}}]}}"#)
    }

    #[test]
    fn the_sentence_names_step_code_message_and_request() {
        let sentence = "User: arn:aws:sts::1:assumed-role/r/s is not authorized";
        assert_eq!(
            refused(403, &envelope("DENIED", sentence)).to_string(),
            "the registry refused to start an upload: DENIED: User: arn:aws:sts::1:assumed-role/r/s \
             is not authorized (HTTP 403, POST https://r.example/v2/a/blobs/uploads/)"
        );
        let plain = refused(401, "Not Authorized\n").to_string();
        assert!(plain.contains(": Not Authorized (HTTP 401"), "{plain}");
        let silent = refused(401, "").to_string();
        assert!(silent.contains("start an upload (HTTP 401"), "{silent}");
    }

    #[test]
    fn of_a_page_for_browsers_only_its_title_is_told() {
        let page =
            "\n<!DOCTYPE html><html><head><Title>\n 404  Not Found</Title><style>p {}</style>";
        let error = refused(404, page).to_string();
        assert!(
            error.contains(": a page of HTML, `404 Not Found` (HTTP 404"),
            "{error}"
        );
        let bare = refused(404, "<html><body>Kein Anschluß").to_string();
        assert!(bare.contains(": a page of HTML (HTTP 404"), "{bare}");
        // What AWS sends is read on.
        let xml = refused(400, "<Error><Code>ThrottlingException</Code></Error>");
        assert!(xml.is_throttled(), "{xml}");
    }

    #[test]
    fn denials_expiry_and_passing_failures_are_told_apart() {
        let expired = "Your authorization token has expired. Reauthenticate and try again.";
        let cases = [
            (refused(403, &envelope("DENIED", "no")), true, false),
            (refused(500, &envelope("DENIED", "no")), true, false),
            (refused(401, ""), true, false),
            (refused(403, &envelope("DENIED", expired)), false, false),
            (refused(404, &envelope("NAME_UNKNOWN", "")), false, false),
            (refused(405, &envelope("UNSUPPORTED", "")), false, false),
            (refused(429, ""), false, true),
            (refused(400, &envelope("TOOMANYREQUESTS", "")), false, true),
            (refused(503, "<html>"), false, true),
        ];
        for (error, denial, retryable) in cases {
            assert_eq!(
                (error.is_denial(), error.is_retryable()),
                (denial, retryable),
                "{error}"
            );
        }
        let error = refused(403, &envelope("DENIED", expired));
        assert!(matches!(error, RegistryError::AuthorizationExpired(_)));
    }

    #[test]
    fn codes_that_nobody_specified_are_kept() {
        let error = refused(400, &envelope("ODD_ONE", "m"));
        assert!(error.has_code(&ErrorCode::Unknown("ODD_ONE".to_owned())));
    }

    #[test]
    fn a_shown_url_has_no_values_in_its_query() {
        let url = "https://u:p@r.example/v2/x?_state=secret&digest=sha256%3Aab#f";
        assert_eq!(
            redacted(&url.parse().unwrap()),
            "https://r.example/v2/x?_state=***&digest=***"
        );
    }
}
