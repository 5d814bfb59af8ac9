//! The JSON Web Token of a web identity: read, then verified piece by piece in
//! the order of STS.
//!
//! The only algorithm is RS256, the only key the issuer's own: what the token
//! says of keys (`jku`, `jwk`, `x5c`) is never looked at.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::AwsError;
use crate::issuer::SigningKey;

const CODE: &str = "InvalidIdentityToken";
const NOT_A_TOKEN: &str = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";
/// AWS's sentence has two spaces before "please".
const NO_KEY: &str = "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements";
/// Inferred: no public report shows AWS's sentence.
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
    audience: String,
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
        let audience = claims.get("azp").or_else(|| claims.get("aud"));
        Ok(Self {
            text,
            header,
            issuer: text_claim(&claims, "iss")?,
            subject: text_claim(&claims, "sub")?,
            audience: audience
                .and_then(Value::as_str)
                .map(str::to_owned)
                .ok_or_else(|| missing("aud"))?,
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

    /// `azp` where there is one, otherwise `aud`, which must then be one text.
    pub(super) fn audience(&self) -> &str {
        &self.audience
    }

    /// Verifies the signature under `key`; `None` when the provider's keys
    /// cannot be had.
    pub(super) fn verify_signature(&self, key: Option<&SigningKey>) -> Result<(), Refused> {
        let Some(key) = key else {
            return Err(Refused::invalid(
                NO_KEY,
                format!("the keys of {} cannot be had here", self.issuer),
            ));
        };
        if self.header.alg != "RS256" || self.header.crit.is_some() {
            return Err(Refused::invalid(
                BAD_SIGNATURE,
                format!(
                    "the issuer signs with RS256 without extensions, the token says {:?}",
                    self.header.alg
                ),
            ));
        }
        let named = self.header.kid.as_deref().and_then(|id| key.verifying(id));
        let Some(verifying) = named else {
            return Err(Refused::invalid(
                NO_KEY,
                "the issuer's key set has no key of the token's kid",
            ));
        };
        if is_signed_by(self.text, verifying) {
            Ok(())
        } else {
            Err(Refused::invalid(
                BAD_SIGNATURE,
                "the signature is not one of the issuer's key over this header and payload",
            ))
        }
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

/// Whether `key` signed the token; claims are judged elsewhere.
fn is_signed_by(token: &str, key: &DecodingKey) -> bool {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    jsonwebtoken::decode::<Value>(token, key, &validation).is_ok()
}

fn json<T: serde::de::DeserializeOwned>(part: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok()
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
        for (claim, value) in [
            ("exp", Value::from("2")),
            ("exp", Value::from(2.5)),
            ("iat", Value::Null),
            ("aud", Value::from(vec!["a"])),
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
