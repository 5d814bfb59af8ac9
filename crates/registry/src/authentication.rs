//! Logging in: `Basic` sent before it is asked for, which is all that ECR takes,
//! and bearer tokens for registries that ask for them, in exchange for a password
//! ([token authentication]) or an identity token ([OAuth 2]).
//!
//! [token authentication]: https://distribution.github.io/distribution/spec/auth/token/
//! [OAuth 2]: https://distribution.github.io/distribution/spec/auth/oauth/

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use serde::Deserialize;
use url::{Url, form_urlencoded};

use crate::challenge::BearerChallenge;
use crate::credentials::sensitive;
use crate::exchange::{Answer, Call, Scope};
use crate::{Credentials, Registry, RegistryError, Step};

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    /// The same, under the name that OAuth 2 gives it.
    access_token: Option<String>,
}

impl Registry {
    /// The header that proves who we are for `scope`.
    pub(crate) fn authorization(&self, scope: &Scope) -> Option<HeaderValue> {
        let bearer = self.tokens().get(scope).cloned();
        bearer.or_else(|| {
            let credentials = self.credentials()?;
            (!credentials.is_identity_token()).then(|| credentials.basic())
        })
    }

    /// Gets a token for `scope` from the service that the registry names in
    /// `refused`, and keeps it. The login goes there, so the way must be private.
    pub(crate) async fn renew_token(
        &self,
        refused: &Answer,
        challenge: &BearerChallenge,
        scope: &Scope,
    ) -> Result<(), RegistryError> {
        let url = refused.linked(&challenge.realm)?;
        let service = challenge.service.as_deref();
        let service = service.map(|service| ("service", service));
        let credentials = self.credentials();
        let token = credentials.as_ref().and_then(Credentials::identity_token);
        let (call, request) = match token {
            Some(token) => by_identity_token(url, scope, service, token),
            None => by_password(url, scope, service, credentials.as_ref()),
        };
        let answer = self.transmit(&call, request).await?.accepted()?;
        // The parser's own message could quote the token.
        let token = serde_json::from_slice::<TokenAnswer>(&answer.body)
            .ok()
            .and_then(|body| body.token.or(body.access_token))
            .and_then(|token| sensitive(&format!("Bearer {token}")))
            .ok_or_else(|| answer.protocol("gives no token"))?;
        self.tokens().insert(scope.clone(), token);
        Ok(())
    }

    fn tokens(&self) -> MutexGuard<'_, HashMap<Scope, HeaderValue>> {
        // No panic can leave the map half changed, so a poisoned one is still good.
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The request of a token for a password, or for nobody.
fn by_password(
    mut url: Url,
    scope: &Scope,
    service: Option<(&str, &str)>,
    credentials: Option<&Credentials>,
) -> (Call, reqwest::Request) {
    let scopes = scope.texts();
    let scopes = scopes.iter().map(|text| ("scope", text.as_str()));
    url.query_pairs_mut()
        .extend_pairs(service.into_iter().chain(scopes));
    let call = Call::new(Step::GetToken, Method::GET, url, scope.clone());
    let mut request = reqwest::Request::new(call.method.clone(), call.url.clone());
    if let Some(credentials) = credentials {
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, credentials.basic());
    }
    (call, request)
}

/// The request of a token for an identity token, which OAuth 2 calls a refresh token.
fn by_identity_token(
    url: Url,
    scope: &Scope,
    service: Option<(&str, &str)>,
    token: &str,
) -> (Call, reqwest::Request) {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "refresh_token")
        .append_pair("client_id", "longshore")
        .extend_pairs(service)
        .append_pair("scope", &scope.texts().join(" "))
        .append_pair("refresh_token", token)
        .finish();
    let call = Call::new(Step::GetToken, Method::POST, url, scope.clone());
    let mut request = reqwest::Request::new(call.method.clone(), call.url.clone());
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, kind);
    *request.body_mut() = Some(form.into());
    (call, request)
}
