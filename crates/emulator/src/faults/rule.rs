//! What a rule says: which requests it is about, how often it strikes them, and
//! what happens then.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::asked::Asked;
use super::credentials::Claimed;
use super::schedule::Schedule;
use crate::ecr::matches_wildcard;
use crate::protocol::Obstacle;

/// Longer than a client waits, and shorter than a connection may be silent.
const LONGEST_LATENCY: Duration = Duration::from_mins(4);
/// Longest name, in bytes.
const NAME_LIMIT: usize = 64;

/// A rule, as it is posted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// Letters, digits, `.`, `_` and `-`.
    #[serde(default, skip_serializing)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) when: When,
    #[serde(default)]
    pub(super) schedule: Schedule,
    pub(super) fault: Fault,
}

/// Patterns, in which `*` is any run of characters. All that are given hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct When {
    /// As in the trail: `ecr.amazonaws.com`.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    /// As in the trail: `PutImage`.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    /// Such as `PUT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    /// Such as `/v2/*/manifests/*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// Of the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<String>,
    /// The caller's role: its name or its ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
}

/// What happens to a request that is struck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Fault {
    /// The request is handled later.
    Latency { milliseconds: u64 },
    /// Bodies move no faster than so many bytes per second.
    Bandwidth {
        request: Option<NonZeroU32>,
        response: Option<NonZeroU32>,
    },
    /// The request is refused as AWS does it, unhandled.
    Refuse {
        status: RefusalStatus,
        retry_after_seconds: Option<u32>,
    },
    /// The connection ends instead of an answer.
    Drop {
        /// Whether the request is handled before.
        #[serde(default)]
        handled: bool,
    },
    /// The emulator's side of the connection ends instead of an answer; what the
    /// client sends is still taken.
    HalfClose {
        /// Whether the request is handled before.
        #[serde(default)]
        handled: bool,
    },
    /// The connection ends in the answer's body, after so many bytes of it. The
    /// answer's head announces all of them.
    TruncateResponse { after_bytes: u64 },
    /// One bit of this byte of the answer's body is flipped; where the body is
    /// shorter, of this byte modulo its length.
    CorruptResponse { at_byte: u64 },
    /// The request's body ends after so many bytes, as if the client had gone.
    CutRequest { after_bytes: u64 },
    /// The credentials of the caller expire now.
    ExpireCredentials {},
}

/// The statuses that [`Fault::Refuse`] knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub(super) enum RefusalStatus {
    TooManyRequests,
    InternalError,
    Unavailable,
}

impl RefusalStatus {
    pub(super) fn obstacle(self) -> Obstacle {
        match self {
            Self::TooManyRequests => Obstacle::Throttled,
            Self::InternalError => Obstacle::InternalError,
            Self::Unavailable => Obstacle::Unavailable,
        }
    }
}

impl TryFrom<u16> for RefusalStatus {
    type Error = String;

    fn try_from(status: u16) -> Result<Self, String> {
        match status {
            429 => Ok(Self::TooManyRequests),
            500 => Ok(Self::InternalError),
            503 => Ok(Self::Unavailable),
            other => Err(format!("the status {other} is not 429, 500 or 503")),
        }
    }
}

impl From<RefusalStatus> for u16 {
    fn from(status: RefusalStatus) -> Self {
        match status {
            RefusalStatus::TooManyRequests => 429,
            RefusalStatus::InternalError => 500,
            RefusalStatus::Unavailable => 503,
        }
    }
}

/// Why a rule is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadRule {
    /// The name does not fit a path.
    #[error("a name has 1 to {NAME_LIMIT} letters, digits, `.`, `_` and `-`")]
    Name,
    /// The probability is none.
    #[error("a probability is a number from 0 to 1")]
    Probability,
    /// The latency is too long.
    #[error("a latency is at most {} milliseconds", LONGEST_LATENCY.as_millis())]
    Latency,
    /// There are too many rules.
    #[error("there are {} rules already", super::MOST)]
    TooMany,
}

impl Rule {
    /// Refuses what could not do what it says.
    pub(super) fn check(&self) -> Result<(), BadRule> {
        let is_name = |name: &String| {
            let fits = (1..=NAME_LIMIT).contains(&name.len());
            fits && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        };
        if !self.name.as_ref().is_none_or(is_name) {
            return Err(BadRule::Name);
        }
        let is_share = |share: f64| (0.0..=1.0).contains(&share);
        if !self.schedule.probability.is_none_or(is_share) {
            return Err(BadRule::Probability);
        }
        match self.fault {
            Fault::Latency { milliseconds }
                if Duration::from_millis(milliseconds) > LONGEST_LATENCY =>
            {
                Err(BadRule::Latency)
            }
            _ => Ok(()),
        }
    }

    /// Whether it matters who asks.
    pub(super) fn wants_caller(&self) -> bool {
        self.when.access_key_id.is_some() || self.when.role.is_some()
    }

    /// Whether the rule is about a request.
    pub(super) fn is_about(&self, asked: &Asked<'_>, caller: Option<&Claimed>) -> bool {
        let key = caller.and_then(|caller| caller.access_key_id.as_deref());
        let role = caller.and_then(|caller| caller.role_arn.as_deref());
        let role_name = role.and_then(|arn| arn.rsplit('/').next());
        let fits = |wanted: &Option<String>, found: Option<&str>| match wanted {
            None => true,
            Some(pattern) => found.is_some_and(|found| matches_wildcard(pattern, found)),
        };
        let when = &self.when;
        fits(&when.service, Some(&asked.service))
            && fits(&when.operation, Some(&asked.operation))
            && fits(&when.method, Some(asked.parts.method.as_str()))
            && fits(&when.path, Some(asked.parts.uri.path()))
            && fits(&when.access_key_id, key)
            && (fits(&when.role, role) || fits(&when.role, role_name))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn rule(text: &str) -> Rule {
        serde_json::from_str(text).unwrap()
    }

    fn is_about(when: &str, caller: Option<&Claimed>) -> bool {
        let request = Request::put("/v2/portfolio/backend/manifests/v1").body(());
        let (parts, ()) = request.unwrap().into_parts();
        let asked = Asked {
            service: "ecr.amazonaws.com".to_owned(),
            operation: "PutImage".to_owned(),
            parts: &parts,
        };
        let text = format!(r#"{{"when": {when}, "fault": {{"drop": {{}}}}}}"#);
        rule(&text).is_about(&asked, caller)
    }

    #[test]
    fn a_rule_is_about_what_meets_all_that_it_says() {
        for when in [
            "{}",
            r#"{"service": "ecr.amazonaws.com", "operation": "PutImage"}"#,
            r#"{"operation": "Put*", "method": "PUT", "path": "/v2/*/manifests/*"}"#,
            r#"{"path": "/v2/portfolio/backend/manifests/v1"}"#,
        ] {
            assert!(is_about(when, None), "{when}");
        }
        for when in [
            r#"{"operation": "PutImage", "method": "GET"}"#,
            r#"{"operation": "put*"}"#,
            r#"{"path": "/v2/*/manifests"}"#,
            r#"{"access_key_id": "*"}"#,
            r#"{"role": "*"}"#,
        ] {
            assert!(!is_about(when, None), "{when}");
        }
    }

    #[test]
    fn a_caller_is_met_by_key_and_by_name_or_arn_of_the_role() {
        let caller = Claimed {
            access_key_id: Some("ASIA1".to_owned()),
            role_arn: Some("arn:aws:iam::123456789012:role/ci/publisher".to_owned()),
        };
        for when in [
            r#"{"access_key_id": "ASIA*"}"#,
            r#"{"role": "publisher"}"#,
            r#"{"role": "arn:aws:iam::123456789012:role/ci/publisher"}"#,
        ] {
            assert!(is_about(when, Some(&caller)), "{when}");
        }
        for when in [r#"{"access_key_id": "AKIA*"}"#, r#"{"role": "publish"}"#] {
            assert!(!is_about(when, Some(&caller)), "{when}");
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for text in [
            r#"{"fault": {"explode": {}}}"#,
            r#"{"fault": {"refuse": {"status": 418}}}"#,
            r#"{"fault": {"latency": {"milliseconds": 1, "seconds": 1}}}"#,
            r#"{"fault": {"bandwidth": {"request": 0}}}"#,
            r#"{"when": {"verb": "GET"}, "fault": {"drop": {}}}"#,
            r#"{"schedule": {"every": 0}, "fault": {"drop": {}}}"#,
            r#"{"times": 1, "fault": {"drop": {}}}"#,
            r#"{"when": {}}"#,
        ] {
            assert!(serde_json::from_str::<Rule>(text).is_err(), "{text}");
        }
        let check = |text: &str| rule(text).check();
        assert_eq!(
            check(r#"{"name": "a/b", "fault": {"drop": {}}}"#),
            Err(BadRule::Name)
        );
        assert_eq!(
            check(r#"{"schedule": {"probability": 1.5}, "fault": {"drop": {}}}"#),
            Err(BadRule::Probability)
        );
        assert_eq!(
            check(r#"{"fault": {"latency": {"milliseconds": 240001}}}"#),
            Err(BadRule::Latency)
        );
        assert_eq!(check(r#"{"name": "a.b-1", "fault": {"drop": {}}}"#), Ok(()));
    }
}
