//! What a request says of its own signature: in the `Authorization` header, or
//! in the query of a presigned address.
//!
//! Sentences are those that AWS was seen to answer; where a comment says
//! "inferred", none is known.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};

use super::canonical::pairs;
use super::{Received, SignatureError};

/// What begins every algorithm of Signature Version 4.
const FAMILY: &str = "AWS4-";
/// The part of a presigned address that makes it one.
const QUERY_ALGORITHM: &str = "X-Amz-Algorithm";

/// The claim that a request is signed, not yet verified.
#[derive(Debug)]
pub(super) struct Authorization {
    pub(super) algorithm: String,
    /// `KEY/DAY/REGION/SERVICE/aws4_request`, as it was written.
    pub(super) credential: String,
    /// Names in lower case, sorted, each once: the order that is signed.
    pub(super) signed_headers: Vec<String>,
    /// Hexadecimal.
    pub(super) signature: String,
    /// `YYYYMMDDTHHMMSSZ`.
    pub(super) date: String,
    pub(super) time: Timestamp,
    pub(super) session_token: Option<String>,
}

impl Authorization {
    /// Finds the signature of a request.
    pub(super) fn find(received: &Received<'_>) -> Result<Self, SignatureError> {
        let header = single(received.headers, "authorization")?;
        let query = pairs(received.query);
        let presigned = query
            .iter()
            .any(|(name, _)| name == QUERY_ALGORITHM.as_bytes());
        match header {
            Some(_) if presigned => Err(SignatureError::Mismatch(format!(
                "Found both '{QUERY_ALGORITHM}' as a query-string param and 'Authorization' as HTTP header."
            ))),
            Some(header) if header.trim_start().starts_with(FAMILY) => {
                Self::of_header(header.trim(), received.headers)
            }
            None if presigned => Self::of_query(&query),
            _ => Err(SignatureError::Missing),
        }
    }

    fn of_header(header: &str, headers: &HeaderMap) -> Result<Self, SignatureError> {
        let (algorithm, fields) = header.split_once(' ').unwrap_or((header, ""));
        if algorithm.contains('=') {
            let message = "Authorization header must begin with the algorithm name, which cannot include an equal-sign";
            return Err(SignatureError::Incomplete(message.to_owned()));
        }
        let fields = Fields::read(header, fields)?;
        let mut missing = Vec::new();
        let mut field = |name: &str| {
            fields.find(name).unwrap_or_else(|| {
                missing.push(format!(
                    "Authorization header requires '{name}' parameter. "
                ));
                String::new()
            })
        };
        let credential = field("Credential");
        let signature = field("Signature");
        let signed_headers = field("SignedHeaders");
        let date = match single(headers, "x-amz-date")? {
            Some(date) => Some(date),
            None => single(headers, "date")?,
        };
        if date.is_none() {
            missing.push(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ".to_owned(),
            );
        }
        if !missing.is_empty() {
            return Err(SignatureError::Incomplete(format!(
                "{}(Hashed with SHA-256 and encoded with Base64) Authorization={}",
                missing.concat(),
                hashed(header)
            )));
        }
        Self::assemble(Parts {
            algorithm: algorithm.to_owned(),
            credential,
            signed_headers,
            signature,
            date: date.unwrap_or_default(),
            session_token: single(headers, "x-amz-security-token")?,
        })
    }

    /// How long a presigned address is good is not in it: STS takes no notice
    /// of `X-Amz-Expires` (aws-sdk-go#2167), and no other service here is asked
    /// by such addresses.
    fn of_query(query: &[(Vec<u8>, Vec<u8>)]) -> Result<Self, SignatureError> {
        let find = |name: &str| {
            let mut values = query
                .iter()
                .filter(|(found, _)| found == name.as_bytes())
                .map(|(_, value)| String::from_utf8_lossy(value).into_owned());
            // Of two, readers might take different ones.
            let first = values.next().filter(|value| !value.is_empty());
            first.filter(|_| values.next().is_none())
        };
        let mut missing = Vec::new();
        let mut required = |name: &str| {
            find(name).unwrap_or_else(|| {
                missing.push(format!(
                    "AWS query-string parameters must include '{name}'. "
                ));
                String::new()
            })
        };
        let parts = Parts {
            algorithm: required(QUERY_ALGORITHM),
            credential: required("X-Amz-Credential"),
            signature: required("X-Amz-Signature"),
            signed_headers: required("X-Amz-SignedHeaders"),
            date: required("X-Amz-Date"),
            session_token: find("X-Amz-Security-Token"),
        };
        if !missing.is_empty() {
            missing.push("Re-examine the query-string parameters.".to_owned());
            return Err(SignatureError::Incomplete(missing.concat()));
        }
        Self::assemble(parts)
    }

    fn assemble(parts: Parts) -> Result<Self, SignatureError> {
        let mut signed_headers: Vec<String> = parts
            .signed_headers
            .split(';')
            .map(str::to_ascii_lowercase)
            .collect();
        signed_headers.sort();
        signed_headers.dedup();
        let time = time(&parts.date).ok_or_else(|| {
            SignatureError::Incomplete(format!(
                "Date must be in ISO-8601 'basic format'. Got '{}'. See http://en.wikipedia.org/wiki/ISO_8601",
                parts.date
            ))
        })?;
        Ok(Self {
            algorithm: parts.algorithm,
            credential: parts.credential,
            signed_headers,
            signature: parts.signature,
            date: basic(time),
            time,
            session_token: parts.session_token,
        })
    }
}

/// The parts of a signature as texts, wherever they stood.
struct Parts {
    algorithm: String,
    credential: String,
    signed_headers: String,
    signature: String,
    date: String,
    session_token: Option<String>,
}

/// The `name=value` fields of the header.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn read(header: &str, text: &str) -> Result<Self, SignatureError> {
        let mut fields: Vec<(String, String)> = Vec::new();
        for field in text
            .split(',')
            .map(str::trim)
            .filter(|field| !field.is_empty())
        {
            let Some((name, value)) = field.split_once('=') else {
                return Err(SignatureError::Incomplete(format!(
                    "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '{}'.",
                    hashed(header)
                )));
            };
            if fields.iter().any(|(known, _)| known == name) {
                // Inferred: readers might take different ones.
                return Err(SignatureError::Incomplete(format!(
                    "Authorization header has more than one '{name}' parameter."
                )));
            }
            fields.push((name.to_owned(), value.to_owned()));
        }
        Ok(Self(fields))
    }

    fn find(&self, wanted: &str) -> Option<String> {
        let found = self.0.iter().find(|(name, _)| name == wanted);
        found
            .map(|(_, value)| value.clone())
            .filter(|value| !value.is_empty())
    }
}

/// AWS does not repeat what it cannot read: it could be a secret.
fn hashed(header: &str) -> String {
    STANDARD.encode(Sha256::digest(header))
}

/// A time as signatures write it.
pub(super) fn basic(time: Timestamp) -> String {
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// The header `Date` is read in the form of HTTP too (IAM User Guide, "Create a
/// signed AWS API request").
fn time(text: &str) -> Option<Timestamp> {
    let basic = DateTime::strptime("%Y%m%dT%H%M%SZ", text)
        .and_then(|time| time.to_zoned_datetime(TimeZone::UTC))
        .map(|time| time.timestamp());
    basic
        .or_else(|_| rfc2822::parse(text).map(|time| time.timestamp()))
        .ok()
}

/// The value of a header that may come at most once: of two, a proxy and the
/// emulator might read different ones (inferred).
fn single(headers: &HeaderMap, name: &str) -> Result<Option<String>, SignatureError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = value.to_str().ok().filter(|_| values.next().is_none());
    match text {
        Some(text) => Ok(Some(text.to_owned())),
        None => Err(SignatureError::Incomplete(format!(
            "The header '{name}' must be given once, in ASCII."
        ))),
    }
}
