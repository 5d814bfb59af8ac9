//! The token by which a workflow run proves who it is.

mod decode;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::Secret;

pub use decode::{TokenError, claims_of};

/// Claims that may be shown. Everything else in a token stays in it: new claims
/// appear without notice, and a message is no place to find out what they hold.
const SHOWN: [&str; 24] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nbf",
    "ref",
    "ref_type",
    "sha",
    "actor",
    "actor_id",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "repository_visibility",
    "environment",
    "event_name",
    "job_workflow_ref",
    "workflow",
    "workflow_ref",
    "run_id",
    "run_attempt",
    "runner_environment",
];

/// A JSON web token that STS may exchange for credentials. `Debug` hides it.
#[derive(Debug, Clone)]
pub struct WebIdentityToken(Secret);

impl WebIdentityToken {
    /// Wraps the token's text, without judging it: STS does.
    pub fn new(text: String) -> Self {
        Self(Secret::new(text))
    }

    /// The text, as a secret.
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    /// What the token says of the run, decoded but **not verified** here: for
    /// messages, and to be recorded once STS has accepted the token; never for a
    /// decision. Numbers are printed, several audiences are
    /// joined by commas; a text that is no token has no claims.
    pub fn claims(&self) -> BTreeMap<String, String> {
        let mut claims = self.decoded().unwrap_or_default();
        SHOWN
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), text_of(claims.remove(name)?)?)))
            .collect()
    }

    /// All claims, decoded but **not verified**: to compare them with a policy,
    /// not to print them.
    pub fn decoded(&self) -> Result<Map<String, Value>, TokenError> {
        decode::token(self.0.expose())
    }
}

fn text_of(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Array(items) => {
            let texts: Option<Vec<_>> = items.into_iter().map(text_of).collect();
            texts.map(|texts| texts.join(","))
        }
        Value::Null | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::*;

    fn token(payload: &str) -> WebIdentityToken {
        WebIdentityToken::new(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload)))
    }

    #[test]
    fn known_claims_are_shown_and_others_stay_hidden() {
        let token = token(
            r#"{"sub":"repo:acme/api:pull_request","aud":["a","b"],"exp":17,"secret":"x","ref":{}}"#,
        );
        let claims = token.claims();
        assert_eq!(claims["sub"], "repo:acme/api:pull_request");
        assert_eq!(claims["aud"], "a,b");
        assert_eq!(claims["exp"], "17");
        assert_eq!(claims.len(), 3);
    }

    #[test]
    fn debug_hides_the_token() {
        let token = token("{}");
        assert_eq!(format!("{token:?}"), "WebIdentityToken(***)");
    }

    proptest! {
        #[test]
        fn any_text_is_decoded_without_panic(text: String, payload: String) {
            let _ = WebIdentityToken::new(text).claims();
            let _ = token(&payload).claims();
        }
    }
}
