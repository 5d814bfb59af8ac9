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
pub(super) fn log_in(state: Arc<State>, parts: &Parts, note: Note) -> Result<Visit, RegistryError> {
    note.through_registry();
    note.unrecorded("ecr.amazonaws.com", "RegistryLogin");
    let header = parts.headers.get(header::AUTHORIZATION);
    let verified = match header.map(|value| value.to_str()) {
        Some(Err(_)) => Err(LoginError::Malformed),
        Some(Ok(text)) => login::verify(&state, &host(parts), Some(text)),
        None => login::verify(&state, &host(parts), None),
    };
    match verified {
        Ok((caller, registry)) => {
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
