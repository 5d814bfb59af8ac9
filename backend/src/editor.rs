//! What editors may do, with a token (`/api/v1/editor`).

pub(crate) mod audit;
pub(crate) mod documents;
pub(crate) mod messages;

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use crate::app::AppState;
use crate::problem::Problem;
use crate::tokens::{self, Scope};

/// A scope as a type, so that a handler says in its arguments what it needs.
pub(crate) trait Needed {
    const SCOPE: Scope;
}

macro_rules! needed {
    ($($name:ident),*) => {$(
        #[derive(Debug)]
        pub(crate) struct $name;
        impl Needed for $name {
            const SCOPE: Scope = Scope::$name;
        }
    )*};
}
needed!(ContentWrite, ContactRead, ContactDelete, AuditRead);

/// Whoever sent the request, with a token of the scope. It is looked at before the
/// body is read.
#[derive(Debug)]
pub(crate) struct Editor<S> {
    /// The name and the id of the token, as the audit says it.
    pub(crate) actor: String,
    scope: PhantomData<S>,
}

impl<S: Needed> FromRequestParts<AppState> for Editor<S> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let presented = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        let token = match presented {
            Some(token) => tokens::authenticate(&state.database, token, &state.now()).await?,
            None => None,
        };
        let token = token.ok_or_else(Problem::unauthorized)?;
        if !token.scopes.contains(&S::SCOPE) {
            return Err(Problem::forbidden(S::SCOPE));
        }
        Ok(Self {
            actor: format!("{} ({})", token.name, token.id),
            scope: PhantomData,
        })
    }
}
