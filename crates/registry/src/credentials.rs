//! Who logs in to the registry.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

/// A password. It has no `Display`, and its `Debug` prints `***`.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// Takes the text into custody.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// The user whose password is an identity token: one that is exchanged for bearer
/// tokens and never sent to the registry itself ([Docker's credential helpers]).
///
/// [Docker's credential helpers]: https://docs.docker.com/reference/cli/docker/login/#credential-helper-protocol
const TOKEN_USER: &str = "<token>";

/// A user and a password; for ECR, `AWS` and what `GetAuthorizationToken` gave.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user's name.
    pub username: String,
    /// The password.
    pub password: Password,
}

impl Credentials {
    /// An identity token, as `docker login` keeps it at some registries.
    pub fn of_identity_token(token: impl Into<String>) -> Self {
        Self {
            username: TOKEN_USER.to_owned(),
            password: Password::new(token),
        }
    }

    /// Whether the password is an identity token.
    pub fn is_identity_token(&self) -> bool {
        self.username == TOKEN_USER
    }

    /// The identity token, where it is one.
    pub(crate) fn identity_token(&self) -> Option<&str> {
        self.is_identity_token().then_some(&*self.password.0)
    }

    /// The `Basic` form (RFC 7617), marked so that no log shows it.
    pub(crate) fn basic(&self) -> HeaderValue {
        let pair = format!("{}:{}", self.username, self.password.0);
        sensitive(&format!("Basic {}", STANDARD.encode(pair)))
            .expect("base64 has only characters that a header may hold")
    }
}

/// A header value that `Debug` hides; `None` where a header cannot hold it.
pub(crate) fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_password_and_the_header_made_of_it() {
        let credentials = Credentials {
            username: "AWS".to_owned(),
            password: Password::new("hunter2"),
        };
        let shown = format!("{credentials:?} {:?}", credentials.basic());
        assert!(
            !shown.contains("hunter2") && !shown.contains("QVdT"),
            "{shown}"
        );
        assert_eq!(credentials.basic(), "Basic QVdTOmh1bnRlcjI=");
    }
}
