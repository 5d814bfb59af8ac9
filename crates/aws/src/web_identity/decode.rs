//! A token, or what people copy out of one, to its claims. Nothing is verified,
//! and no message quotes what was given.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// Longest token that STS takes, in characters (`AssumeRoleWithWebIdentity`,
/// `WebIdentityToken`).
const LONGEST: usize = 20_000;

/// Why a text has no claims.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There is nothing.
    #[error("there is nothing in it")]
    Empty,
    /// Longer than any token.
    #[error("it has {0} characters, and STS takes tokens of at most 20000")]
    TooLong(usize),
    /// Not `header.payload.signature`.
    #[error("a token has three parts with dots between them, and this has {0}")]
    Parts(usize),
    /// The payload is not base64url.
    #[error("its payload is not base64url")]
    NotBase64,
    /// The payload is not JSON.
    #[error("its payload is not JSON: line {line}, column {column}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// JSON, but no object.
    #[error("its payload is JSON, but not an object of claims")]
    NotAnObject,
}

/// The claims of a token in compact form.
pub(super) fn token(text: &str) -> Result<Map<String, Value>, TokenError> {
    bounded(text)?;
    let parts: Vec<&str> = text.split('.').collect();
    match parts.as_slice() {
        [_, payload, _] => object(&bytes(payload)?),
        parts => Err(TokenError::Parts(parts.len())),
    }
}

/// The claims in what people paste: a JSON object of claims, the same under
/// `claims`, the payload of a token in base64url, or a whole token. White space
/// and quotes around it do not matter.
pub fn claims_of(text: &str) -> Result<Map<String, Value>, TokenError> {
    let text = text.trim().trim_matches(['"', '\'', '`']).trim();
    bounded(text)?;
    if text.starts_with(['{', '[']) {
        let mut claims = object(text.as_bytes())?;
        let is_wrapped = claims.len() == 1 || !claims.contains_key("sub");
        return match claims.remove("claims") {
            Some(Value::Object(inner)) if is_wrapped => Ok(inner),
            Some(other) => {
                claims.insert("claims".to_owned(), other);
                Ok(claims)
            }
            None => Ok(claims),
        };
    }
    if text.contains('.') {
        return token(text);
    }
    object(&bytes(text)?)
}

fn bounded(text: &str) -> Result<(), TokenError> {
    match text.len() {
        0 => Err(TokenError::Empty),
        length if length > LONGEST => Err(TokenError::TooLong(length)),
        _ => Ok(()),
    }
}

fn bytes(part: &str) -> Result<Vec<u8>, TokenError> {
    // People and tools add padding, which a token has none of.
    let unpadded = part.trim_end_matches('=');
    URL_SAFE_NO_PAD
        .decode(unpadded)
        .map_err(|_| TokenError::NotBase64)
}

fn object(json: &[u8]) -> Result<Map<String, Value>, TokenError> {
    match serde_json::from_slice(json) {
        Ok(Value::Object(claims)) => Ok(claims),
        Ok(_) => Err(TokenError::NotAnObject),
        Err(error) => Err(TokenError::NotJson {
            line: error.line(),
            column: error.column(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(text: &str) -> String {
        URL_SAFE_NO_PAD.encode(text)
    }

    #[test]
    fn everything_that_people_paste_is_understood() {
        let payload = encoded(r#"{"sub":"s"}"#);
        for text in [
            r#"{"sub":"s"}"#.to_owned(),
            "\n {\"claims\": {\"sub\": \"s\"}} \n".to_owned(),
            format!("'{payload}'"),
            format!(" \"{payload}==\"\n"),
            format!("{}.{payload}.c2ln", encoded("{}")),
        ] {
            assert_eq!(claims_of(&text).unwrap()["sub"], "s", "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_nothing_is_quoted() {
        for (text, wanted) in [
            (String::new(), TokenError::Empty),
            ("x".repeat(20_001), TokenError::TooLong(20_001)),
            ("a.b".to_owned(), TokenError::Parts(2)),
            ("hunter2!".to_owned(), TokenError::NotBase64),
            (encoded("[1]"), TokenError::NotAnObject),
            (
                encoded("hunter2"),
                TokenError::NotJson { line: 1, column: 1 },
            ),
        ] {
            let error = claims_of(&text).unwrap_err();
            assert_eq!(error, wanted);
            assert!(!error.to_string().contains("hunter2"));
        }
        assert_eq!(token("eyJhbGciOiJSUzI1NiJ9"), Err(TokenError::Parts(1)));
    }

    proptest! {
        #[test]
        fn any_text_is_decoded_without_panic(text: String) {
            let _ = claims_of(&text);
            let _ = token(&text);
        }
    }
}
