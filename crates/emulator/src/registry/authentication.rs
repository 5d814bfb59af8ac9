//! Who is at the door: HTTP Basic with a password of `GetAuthorizationToken`.

use std::sync::Arc;

use http::header;
use http::request::Parts;

use super::Visit;
use super::error::RegistryError;
use crate::login::{self, LoginError};
use crate::state::State;
use crate::trail::Note;

/// Checks the credentials of a request and notes whose they are.
pub(super) async fn log_in(
    state: Arc<State>,
    parts: &Parts,
    note: Note,
) -> Result<Visit, RegistryError> {
    let header = parts
        .headers
        .get(header::AUTHORIZATION)
        .map(|value| value.to_str().map(str::to_owned));
    let host = host(parts);
    let task = tokio::task::spawn_blocking(move || {
        let header = match header {
            Some(Ok(text)) => Some(text),
            Some(Err(_)) => return Err(LoginError::Malformed),
            None => None,
        };
        let (caller, registry) = login::verify(&state, &host, header.as_deref())?;
        Ok((state, caller, registry))
    });
    note.through_registry();
    note.unrecorded("ecr.amazonaws.com", "RegistryLogin");
    match task.await.map_err(|_| RegistryError::crashed())? {
        Ok((state, caller, registry)) => {
            note.caller(&caller);
            Ok(Visit {
                state,
                caller: Arc::new(caller),
                registry: Arc::new(registry),
                note,
            })
        }
        Err(error) => {
            note.because(error.to_string());
            Err(error.into())
        }
    }
}

/// The host that the client asked: HTTP/2 has it in the address.
fn host(parts: &Parts) -> String {
    let header = parts.headers.get(header::HOST);
    let header = header.and_then(|host| host.to_str().ok());
    header
        .or_else(|| parts.uri.host())
        .unwrap_or_default()
        .to_ascii_lowercase()
}
