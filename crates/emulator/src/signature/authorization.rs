//! What a request says of its own signature: in the `Authorization` header, or
//! in the query of a presigned address.

use axum::http::HeaderMap;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::canonical::decoded_query;
use super::{Received, SignatureError};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A presigned address is good for a week at most.
const LONGEST_PRESIGNED_SECONDS: i64 = 604_800;

/// The claim that a request is signed, not yet verified.
#[derive(Debug)]
pub(super) struct Authorization {
    pub(super) access_key_id: String,
    /// The scope's day, `YYYYMMDD`.
    pub(super) scope_day: String,
    pub(super) region: String,
    pub(super) service: String,
    /// Names in lower case, in the order of the signature.
    pub(super) signed_headers: Vec<String>,
    /// Hexadecimal.
    pub(super) signature: String,
    /// The date as it was written, `YYYYMMDDTHHMMSSZ`.
    pub(super) date: String,
    pub(super) time: Timestamp,
    pub(super) session_token: Option<String>,
    /// How long a presigned address is good; `None` for a signed header.
    pub(super) lifetime: Option<SignedDuration>,
}

impl Authorization {
    /// Finds the signature of a request.
    pub(super) fn find(received: &Received<'_>) -> Result<Self, SignatureError> {
        let header = single(received.headers, "authorization")?;
        let query = decoded_query(received.query);
        let presigned = query.iter().any(|(name, _)| name == "X-Amz-Algorithm");
        match (header, presigned) {
            (Some(_), true) => Err(SignatureError::Incomplete(
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header should be specified".to_owned(),
            )),
            (Some(header), false) => Self::of_header(&header, received.headers),
            (None, true) => Self::of_query(&query),
            (None, false) => Err(SignatureError::Missing),
        }
    }

    fn of_header(header: &str, headers: &HeaderMap) -> Result<Self, SignatureError> {
        let Some((ALGORITHM, fields)) = header.split_once(' ') else {
            return Err(SignatureError::Incomplete(format!(
                "Unsupported AWS 'algorithm': '{}'.",
                header.split(' ').next().unwrap_or_default()
            )));
        };
        let field = |name: &str| {
            fields
                .split(',')
                .filter_map(|field| field.trim().split_once('='))
                .find(|(found, _)| *found == name)
                .map(|(_, value)| value.to_owned())
                .ok_or_else(|| {
                    SignatureError::Incomplete(format!(
                        "Authorization header requires '{name}' parameter."
                    ))
                })
        };
        let date = single(headers, "x-amz-date")?.ok_or_else(|| {
            SignatureError::Incomplete(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.".to_owned(),
            )
        })?;
        Self::assemble(Parts {
            credential: field("Credential")?,
            signed_headers: field("SignedHeaders")?,
            signature: field("Signature")?,
            date,
            session_token: single(headers, "x-amz-security-token")?,
            lifetime: None,
        })
    }

    fn of_query(query: &[(String, String)]) -> Result<Self, SignatureError> {
        let find = |name: &str| {
            let mut values = query.iter().filter(|(found, _)| found == name);
            let first = values.next().map(|(_, value)| value.clone());
            first.filter(|_| values.next().is_none())
        };
        let required = |name: &str| {
            find(name).ok_or_else(|| {
                SignatureError::Incomplete(format!(
                    "AWS query-string parameters must include '{name}'."
                ))
            })
        };
        if required("X-Amz-Algorithm")? != ALGORITHM {
            return Err(SignatureError::Incomplete(
                "Unsupported AWS 'algorithm'.".to_owned(),
            ));
        }
        let seconds = required("X-Amz-Expires")?
            .parse::<i64>()
            .ok()
            .filter(|seconds| (1..=LONGEST_PRESIGNED_SECONDS).contains(seconds))
            .ok_or_else(|| {
                SignatureError::Incomplete(
                    "X-Amz-Expires must be a number of seconds up to a week".to_owned(),
                )
            })?;
        Self::assemble(Parts {
            credential: required("X-Amz-Credential")?,
            signed_headers: required("X-Amz-SignedHeaders")?,
            signature: required("X-Amz-Signature")?,
            date: required("X-Amz-Date")?,
            session_token: find("X-Amz-Security-Token"),
            lifetime: Some(SignedDuration::from_secs(seconds)),
        })
    }

    fn assemble(parts: Parts) -> Result<Self, SignatureError> {
        let scope: Vec<&str> = parts.credential.split('/').collect();
        let [access_key_id, day, region, service, "aws4_request"] = scope[..] else {
            return Err(SignatureError::Incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{}'",
                parts.credential
            )));
        };
        let signed_headers: Vec<String> = parts
            .signed_headers
            .split(';')
            .map(str::to_ascii_lowercase)
            .collect();
        let time = DateTime::strptime("%Y%m%dT%H%M%SZ", &parts.date)
            .and_then(|time| time.to_zoned_datetime(TimeZone::UTC))
            .map_err(|_| {
                SignatureError::Incomplete(format!(
                    "Date must be in ISO-8601 'basic format'. Got '{}'.",
                    parts.date
                ))
            })?
            .timestamp();
        Ok(Self {
            access_key_id: access_key_id.to_owned(),
            scope_day: day.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            signed_headers,
            signature: parts.signature,
            date: parts.date,
            time,
            session_token: parts.session_token,
            lifetime: parts.lifetime,
        })
    }

    /// What is signed: the algorithm, the date, the scope and the hash of the
    /// canonical request.
    pub(super) fn string_to_sign(&self, canonical_request: &str) -> String {
        format!(
            "{ALGORITHM}\n{}\n{}/{}/{}/aws4_request\n{}",
            self.date,
            self.scope_day,
            self.region,
            self.service,
            hex::encode(Sha256::digest(canonical_request))
        )
    }
}

/// The parts of a signature as texts, wherever they stood.
struct Parts {
    credential: String,
    signed_headers: String,
    signature: String,
    date: String,
    session_token: Option<String>,
    lifetime: Option<SignedDuration>,
}

/// The value of a header that may come at most once: of two, a proxy and the
/// emulator might read different ones.
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
