//! Logging in: `Basic` sent before it is asked for, which is all that ECR takes,
//! and bearer tokens for registries that ask for them.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};

use http::header::AUTHORIZATION;
use http::{HeaderValue, Method};
use serde::Deserialize;

use crate::challenge::BearerChallenge;
use crate::credentials::sensitive;
use crate::exchange::{Answer, Call, Scope};
use crate::{Registry, RegistryError, Step};

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
        bearer.or_else(|| Some(self.credentials()?.basic()))
    }

    /// Gets a token for `scope` from the service that the registry names in
    /// `refused`, and keeps it. The login goes there, so the way must be private.
    pub(crate) async fn renew_token(
        &self,
        refused: &Answer,
        challenge: &BearerChallenge,
        scope: &Scope,
    ) -> Result<(), RegistryError> {
        let mut url = refused.linked(&challenge.realm)?;
        if let Some(service) = &challenge.service {
            url.query_pairs_mut().append_pair("service", service);
        }
        let wanted = format!("repository:{}:{}", scope.repository, scope.actions);
        url.query_pairs_mut().append_pair("scope", &wanted);
        let call = Call::new(Step::GetToken, Method::GET, url, scope.clone());
        let mut request = reqwest::Request::new(call.method.clone(), call.url.clone());
        if let Some(credentials) = self.credentials() {
            request
                .headers_mut()
                .insert(AUTHORIZATION, credentials.basic());
        }
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
