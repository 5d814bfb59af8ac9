//! The JSON Web Token of a web identity: read, then verified piece by piece in
//! the order of STS.
//!
//! The keys are the issuer's own, as they are known here: what the token says
//! of keys (`jku`, `jwk`, `x5c`) is never looked at.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::key_set::{self, KeySet};
use crate::error::AwsError;

const CODE: &str = "InvalidIdentityToken";
const LONGEST_SUBJECT: usize = 255;
const NOT_A_TOKEN: &str = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";
/// AWS's sentence has two spaces before "please".
const NO_KEY: &str = "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements";
/// Inferred: no public report shows AWS's sentence.
const TOO_MANY_KEYS: &str = "Invalid JSON web key set: it has more than 100 RSA or EC keys";
/// Inferred likewise.
const BAD_SIGNATURE: &str = "The ID Token signature is invalid";

/// A refusal, with what AWS's sentence leaves out.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) error: AwsError,
    pub(super) reason: String,
}

impl Refused {
    pub(super) fn invalid(message: &str, reason: impl Into<String>) -> Self {
        Self {
            error: AwsError::invalid(CODE, message),
            reason: reason.into(),
        }
    }
}

/// A token that can be read; nothing in it is proven.
#[derive(Debug)]
pub(super) struct Token<'a> {
    text: &'a str,
    header: Header,
    claims: Map<String, Value>,
    issuer: String,
    subject: String,
    /// One, or several where the issuer lists them.
    audiences: Vec<String>,
    times: Times,
}

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood (RFC 7515, section 4.1.11).
    crit: Option<Value>,
}

#[derive(Debug)]
struct Times {
    expires: i64,
    issued: i64,
    not_before: Option<i64>,
}

impl<'a> Token<'a> {
    /// Reads a token in compact form.
    pub(super) fn read(text: &'a str) -> Result<Self, Refused> {
        let mut parts = text.split('.');
        let (Some(header), Some(claims), Some(_signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refused::invalid(
                NOT_A_TOKEN,
                "the token does not have three parts",
            ));
        };
        let header = json::<Header>(header)
            .ok_or_else(|| Refused::invalid(NOT_A_TOKEN, "the token's header is not readable"))?;
        let claims = json::<Map<String, Value>>(claims)
            .ok_or_else(|| Refused::invalid(NOT_A_TOKEN, "the token's payload is not readable"))?;
        Ok(Self {
            text,
            header,
            issuer: text_claim(&claims, "iss")?,
            subject: subject(&claims)?,
            audiences: audiences(&claims)?,
            times: Times::of(&claims)?,
            claims,
        })
    }

    pub(super) fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn subject(&self) -> &str {
        &self.subject
    }

    /// Whom the token is for: `azp` where there is one, otherwise `aud`.
    pub(super) fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// Verifies the signature under `keys`; `None` when the provider's keys
    /// cannot be had.
    pub(super) fn verify_signature(&self, keys: Option<&KeySet>) -> Result<(), Refused> {
        let Some(keys) = keys else {
            return Err(Refused::invalid(
                NO_KEY,
                format!("the keys of {} cannot be had here", self.issuer),
            ));
        };
        if keys.is_too_large() {
            return Err(Refused::invalid(
                TOO_MANY_KEYS,
                "the issuer's key set has more than 100 keys of one kind",
            ));
        }
        let alg = self.header.alg.as_str();
        if !key_set::is_known(alg) || self.header.crit.is_some() {
            return Err(Refused::invalid(
                BAD_SIGNATURE,
                format!(
                    "STS takes RS256 to RS512 and ES256 to ES512, without extensions, the token says {alg:?}"
                ),
            ));
        }
        let Some(kid) = self.header.kid.as_deref().filter(|kid| keys.has(kid)) else {
            return Err(Refused::invalid(
                NO_KEY,
                "the issuer's key set has no key of the token's kid",
            ));
        };
        let (message, signature) = self.text.rsplit_once('.').unwrap_or_default();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        if keys.verifies(kid, alg, message.as_bytes(), &signature) {
            return Ok(());
        }
        Err(Refused::invalid(
            BAD_SIGNATURE,
            "the signature is not one of the issuer's key over this header and payload",
        ))
    }

    /// Checks expiry, issue and validity by the emulator's clock. No leeway is
    /// given (inferred).
    pub(super) fn check_times(&self, now: Timestamp) -> Result<(), Refused> {
        let now = now.as_second();
        let Times {
            expires,
            issued,
            not_before,
        } = self.times;
        if now >= expires {
            let message = format!(
                "Token expired: current date/time {now} must be before the expiration date/time {expires}"
            );
            return Err(Refused {
                reason: format!(
                    "the token expired {} seconds ago",
                    now.saturating_sub(expires)
                ),
                error: AwsError::invalid("ExpiredTokenException", message),
            });
        }
        let begins = not_before.map_or(issued, |not_before| not_before.max(issued));
        if now < begins {
            return Err(Refused::invalid(
                &format!(
                    "Token not yet valid: current date/time {now} must not be before {begins}"
                ),
                "the token was issued in the future, or is not to be used yet",
            ));
        }
        Ok(())
    }
}

impl Times {
    fn of(claims: &Map<String, Value>) -> Result<Self, Refused> {
        let number = |name: &str| claims.get(name).and_then(Value::as_i64);
        let not_before = match claims.get("nbf") {
            None => None,
            Some(value) => Some(value.as_i64().ok_or_else(|| missing("nbf"))?),
        };
        Ok(Self {
            expires: number("exp").ok_or_else(|| missing("exp"))?,
            issued: number("iat").ok_or_else(|| missing("iat"))?,
            not_before,
        })
    }
}

fn json<T: serde::de::DeserializeOwned>(part: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// The answer has room for 255 characters (service model); that STS refuses a
/// longer one is inferred.
fn subject(claims: &Map<String, Value>) -> Result<String, Refused> {
    let subject = text_claim(claims, "sub")?;
    if subject.chars().count() <= LONGEST_SUBJECT {
        return Ok(subject);
    }
    Err(Refused::invalid(
        "The ID Token's subject is too long",
        format!("the claim sub has more than {LONGEST_SUBJECT} characters"),
    ))
}

/// `azp` takes the place of `aud` (IAM User Guide, "Available keys for AWS OIDC
/// federation"). Kubernetes writes a list.
fn audiences(claims: &Map<String, Value>) -> Result<Vec<String>, Refused> {
    let claim = claims.get("azp").or_else(|| claims.get("aud"));
    let texts: Option<Vec<String>> = match claim {
        Some(Value::String(text)) => Some(vec![text.clone()]),
        Some(Value::Array(list)) => list
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    };
    texts
        .filter(|texts| !texts.is_empty())
        .ok_or_else(|| missing("aud"))
}

fn text_claim(claims: &Map<String, Value>, name: &str) -> Result<String, Refused> {
    claims
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
        .ok_or_else(|| missing(name))
}

/// The sentence is inferred.
fn missing(claim: &str) -> Refused {
    Refused::invalid(
        &format!("Missing a required claim: {claim}"),
        format!("the claim {claim} is missing or has the wrong type"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in any::<String>()) {
            let _ = Token::read(&text);
        }
    }

    fn compact(claims: &Value) -> String {
        let part = |value: &str| URL_SAFE_NO_PAD.encode(value);
        format!(
            "{}.{}.x",
            part(r#"{"alg":"RS256"}"#),
            part(&claims.to_string())
        )
    }

    #[test]
    fn claims_of_the_wrong_type_are_named() {
        let good = serde_json::json!({"iss": "i", "sub": "s", "aud": "a", "exp": 2, "iat": 1});
        assert!(Token::read(&compact(&good)).is_ok());
        let mut listed = good.clone();
        listed["aud"] = Value::from(vec!["a", "b"]);
        assert_eq!(
            Token::read(&compact(&listed)).unwrap().audiences(),
            ["a", "b"]
        );
        listed["azp"] = Value::from("c");
        assert_eq!(Token::read(&compact(&listed)).unwrap().audiences(), ["c"]);
        for (claim, value) in [
            ("exp", Value::from("2")),
            ("exp", Value::from(2.5)),
            ("iat", Value::Null),
            ("aud", Value::from(vec![1])),
            ("aud", Value::Array(Vec::new())),
            ("sub", Value::from(7)),
            ("nbf", Value::from("0")),
        ] {
            let mut claims = good.clone();
            claims[claim] = value;
            let refused = Token::read(&compact(&claims)).unwrap_err();
            assert!(refused.error.message.ends_with(claim), "{refused:?}");
        }
    }

    #[test]
    fn the_last_valid_second_is_the_one_before_expiry() {
        let claims =
            serde_json::json!({"iss": "i", "sub": "s", "aud": "a", "exp": 20, "iat": 10, "nbf": 5});
        let text = compact(&claims);
        let token = Token::read(&text).unwrap();
        let at = |second| token.check_times(Timestamp::from_second(second).unwrap());
        assert!(at(10).is_ok() && at(19).is_ok());
        assert_eq!(at(20).unwrap_err().error.code, "ExpiredTokenException");
        assert_eq!(at(9).unwrap_err().error.code, "InvalidIdentityToken");
    }
}
