//! The registry: the OCI distribution protocol as ECR speaks it, deviations
//! included.
//!
//! Every request logs in by HTTP Basic and is decided by the policy engine
//! under the IAM action that ECR demands for it. Records are `ecr`'s; bytes
//! are `blobs`'. No layer is ever held in memory.

mod authentication;
mod blob;
mod body;
mod catalog;
mod error;
mod manifest;
mod range;
mod referrers;
mod response;
mod route;
mod tags;
mod upload;

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use http::Method;
use http::request::Parts;

pub(crate) use blob::download;
use error::RegistryError;
use route::Route;

use crate::caller::Caller;
use crate::ecr::{self, Call};
use crate::state::State;
use crate::trail::Note;

/// Answers a request below `/v2/`.
pub(crate) async fn handle(state: Arc<State>, request: Request, note: Note) -> Response {
    let (parts, body) = request.into_parts();
    let visit = match authentication::log_in(state, &parts, note.clone()).await {
        Ok(caller) => caller,
        Err(error) => return response::finish(error.respond(&parts, &note)),
    };
    let answered = match Route::parse(parts.uri.path()) {
        Ok(route) => {
            note.parameters(route.parameters(&parts));
            answer(&visit, route, &parts, body).await
        }
        Err(error) => Err(error),
    };
    response::finish(answered.unwrap_or_else(|error| error.respond(&parts, &note)))
}

/// What every handler works with: who is there, and on which state.
struct Visit {
    state: Arc<State>,
    caller: Arc<Caller>,
    registry: Arc<ecr::Registry>,
    note: Note,
}

impl Visit {
    /// Runs `work`, which may block on the disk, where blocking is allowed.
    async fn blocking<R: Send + 'static>(
        &self,
        work: impl FnOnce(Call<'_>) -> Result<R, RegistryError> + Send + 'static,
    ) -> Result<R, RegistryError> {
        let (state, note) = (self.state.clone(), self.note.clone());
        let (caller, registry) = (self.caller.clone(), self.registry.clone());
        let task = tokio::task::spawn_blocking(move || {
            work(Call {
                state: &state,
                caller: &caller,
                registry: &registry,
                note: &note,
            })
        });
        task.await.unwrap_or_else(|_| Err(RegistryError::crashed()))
    }
}

async fn answer(
    visit: &Visit,
    route: Route,
    parts: &Parts,
    body: axum::body::Body,
) -> Result<Response, RegistryError> {
    let read = matches!(parts.method, Method::GET | Method::HEAD);
    match (&parts.method, route) {
        (_, Route::Version) if read => Ok(response::version()),
        (&Method::GET, Route::Catalog) => catalog::list(visit, parts).await,
        (&Method::GET, Route::Tags { name }) => tags::list(visit, name, parts).await,
        (&Method::GET, Route::Referrers { name, subject }) => {
            referrers::list(visit, name, subject, parts).await
        }
        (&Method::HEAD, Route::Blob { name, digest }) => blob::head(visit, name, digest).await,
        (&Method::GET, Route::Blob { name, digest }) => blob::get(visit, name, digest).await,
        (_, Route::Manifest { name, reference }) if read => {
            manifest::get(visit, name, reference, parts.method == Method::HEAD).await
        }
        (&Method::PUT, Route::Manifest { name, reference }) => {
            manifest::put(visit, name, reference, parts, body).await
        }
        (&Method::POST, Route::Uploads { name }) => upload::start(visit, name, parts, body).await,
        (&Method::GET, Route::Upload(address)) => upload::status(visit, address, parts).await,
        (&Method::PATCH, Route::Upload(address)) => {
            upload::patch(visit, address, parts, body).await
        }
        (&Method::PUT, Route::Upload(address)) => upload::finish(visit, address, parts, body).await,
        (&Method::DELETE, Route::Upload(address)) => upload::cancel(visit, address).await,
        // Images are deleted through `BatchDeleteImage` only (inferred for the
        // answer to an HTTP deletion).
        _ => Err(RegistryError::unsupported(
            "The operation is unsupported.".to_owned(),
        )),
    }
}
