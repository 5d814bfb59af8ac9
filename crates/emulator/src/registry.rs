//! The registry: the OCI distribution protocol, as ECR speaks it or as its
//! specification says (`behaviour`).
//!
//! Every request logs in by HTTP Basic and is decided by the policy engine
//! under the IAM action that ECR demands for it. Records are `ecr`'s; bytes
//! are `blobs`'. No layer is ever held in memory.

mod authentication;
mod behaviour;
mod blob;
mod body;
mod catalog;
mod conditional;
mod download;
mod error;
mod fidelity;
mod manifest;
mod operation;
mod range;
mod referrers;
mod response;
mod route;
mod tags;
mod upload;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::Method;
use http::request::Parts;

pub(crate) use behaviour::Behaviour;
pub(crate) use download::download;
use error::RegistryError;
pub(crate) use fidelity::fidelity;
pub(crate) use operation::operation;
use route::Route;

use crate::caller::Caller;
use crate::ecr::{self, Call};
use crate::state::State;
use crate::trail::Note;

/// Answers a request below `/v2/`.
pub(crate) async fn handle(state: Arc<State>, request: Request, note: Note) -> Response {
    let (parts, body) = request.into_parts();
    let behaviour = state.behaviour;
    let answered = match authentication::log_in(state, &parts, note.clone()) {
        Ok(visit) => {
            visit.catch_up().await;
            route(&visit, &parts, body).await
        }
        Err(error) => Err(error),
    };
    response::finish(answered.unwrap_or_else(|error| error.respond(&parts, &note, behaviour)))
}

/// The answer to a request that was not looked at: status, code and sentence.
pub(crate) fn refuse(
    (status, code, message): (u16, &str, &str),
    behaviour: &Behaviour,
    parts: &Parts,
    note: &Note,
) -> Response {
    let code = oci::ErrorCode::from(code.to_owned());
    let error = RegistryError::new(status, code, message.to_owned());
    response::finish(error.respond(parts, note, behaviour))
}

/// What every handler works with: who is there, and on which state.
struct Visit {
    state: Arc<State>,
    caller: Arc<Caller>,
    registry: Arc<ecr::Registry>,
    note: Note,
}

impl Visit {
    /// How the registry speaks.
    fn behaviour(&self) -> &'static Behaviour {
        self.state.behaviour
    }

    /// Lets lifecycle policies do what is due, so that every handler finds the
    /// repositories as they have left them.
    async fn catch_up(&self) {
        if ecr::lifecycle_is_due(&self.state) {
            let state = self.state.clone();
            let done = tokio::task::spawn_blocking(move || ecr::catch_up(&state));
            if let Err(error) = done.await {
                tracing::error!(%error, "lifecycle policies were not carried out");
            }
        }
    }

    /// Runs `work`, which only looks things up in the store: that takes no longer
    /// than to go to another thread and back.
    fn reading<R>(
        &self,
        work: impl FnOnce(Call<'_>) -> Result<R, RegistryError>,
    ) -> Result<R, RegistryError> {
        work(Call {
            state: &self.state,
            caller: &self.caller,
            registry: &self.registry,
            note: &self.note,
        })
    }

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

async fn route(visit: &Visit, parts: &Parts, body: Body) -> Result<Response, RegistryError> {
    let route = Route::parse(parts.uri.path(), visit.behaviour().algorithms)?;
    visit.note.parameters(route.parameters(parts));
    if matches!(parts.method, Method::GET | Method::HEAD) {
        read(visit, route, parts).await
    } else {
        write(visit, route, parts, body).await
    }
}

async fn read(visit: &Visit, route: Route, parts: &Parts) -> Result<Response, RegistryError> {
    match route {
        Route::Version => Ok(response::version()),
        Route::Catalog => catalog::list(visit, parts).await,
        Route::Tags { name } => tags::list(visit, name, parts).await,
        Route::Referrers { name, subject } => referrers::list(visit, name, subject, parts).await,
        Route::Blob { name, digest } if parts.method == Method::HEAD => {
            blob::head(visit, name, digest, parts)
        }
        Route::Blob { name, digest } => blob::get(visit, name, digest, parts).await,
        Route::Manifest { name, reference } => manifest::get(visit, name, reference, parts).await,
        Route::Upload(address) if parts.method == Method::GET => {
            upload::status(visit, address, parts).await
        }
        Route::Upload(_) | Route::Uploads { .. } => Err(RegistryError::unsupported()),
    }
}

async fn write(
    visit: &Visit,
    route: Route,
    parts: &Parts,
    body: Body,
) -> Result<Response, RegistryError> {
    match (&parts.method, route) {
        (&Method::PUT, Route::Manifest { name, reference }) => {
            manifest::put(visit, name, reference, parts, body).await
        }
        (&Method::DELETE, Route::Manifest { name, reference }) => {
            manifest::delete(visit, name, reference).await
        }
        (&Method::DELETE, Route::Blob { name, digest }) if visit.behaviour().blob_deletion => {
            blob::delete(visit, name, digest).await
        }
        (&Method::POST, Route::Uploads { name }) => upload::start(visit, name, parts, body).await,
        (&Method::PATCH, Route::Upload(address)) => {
            upload::patch(visit, address, parts, body).await
        }
        (&Method::PUT, Route::Upload(address)) => upload::finish(visit, address, parts, body).await,
        (&Method::DELETE, Route::Upload(address)) => upload::cancel(visit, address).await,
        _ => Err(RegistryError::unsupported()),
    }
}

/// As `crate::reads_target`.
#[cfg(fuzzing)]
pub(crate) fn reads_target(target: &str, range: &str) -> bool {
    let Ok(request) = http::Request::builder().uri(target).body(()) else {
        return false;
    };
    let (parts, ()) = request.into_parts();
    let algorithms = behaviour::SPECIFICATION.algorithms;
    let _ = catalog::Listing::read(&parts);
    if let Some(chunk) = range::chunk_range(range) {
        assert!(chunk.length > 0);
    }
    if let range::Wanted::Part { first, length } = range::wanted(Some(range), 1000) {
        assert!(length > 0 && first + length <= 1000);
    }
    Route::parse(parts.uri.path(), algorithms).is_ok_and(|route| {
        let names = route.parameters(&parts).to_string();
        assert!(!names.contains("..") || !names.contains("../"));
        true
    })
}
