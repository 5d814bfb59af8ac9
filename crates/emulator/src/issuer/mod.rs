//! GitHub's token issuer: discovery, keys, and the protocol by which a job asks
//! for its token.
//!
//! It knows nothing of AWS: what a token is good for is decided elsewhere, by
//! who reads it.

mod fidelity;
mod key;
mod runs;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use axum::Json;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::collect::Call;
use crate::random;
use crate::state::State;
use crate::trail::Note;
pub(crate) use fidelity::fidelity;
pub(crate) use key::{KeyError, SigningKey};
use runs::RunError;
pub(crate) use runs::{Registration, register};

/// Under which path the issuer answers.
pub(crate) const PREFIX: &str = "/github";

const DISCOVERY: &str = "/.well-known/openid-configuration";
const KEYS: &str = "/.well-known/jwks";
const SOURCE: &str = github::ISSUER_HOST;

/// The issuer of the emulator.
#[derive(Debug)]
pub(crate) struct Issuer {
    data: PathBuf,
    key: OnceLock<SigningKey>,
    making: Mutex<()>,
}

impl Issuer {
    /// Opens the issuer of a data directory, which need not have a key yet.
    pub(crate) fn open(data: &Path) -> Result<Self, KeyError> {
        Ok(Self {
            data: data.to_owned(),
            key: SigningKey::read(data)?
                .map(OnceLock::from)
                .unwrap_or_default(),
            making: Mutex::default(),
        })
    }

    /// The key that signs and verifies. The first one who asks in a new directory
    /// waits until it is made: a start does not.
    pub(crate) fn key(&self) -> Result<&SigningKey, KeyError> {
        if let Some(key) = self.key.get() {
            return Ok(key);
        }
        let _one_at_a_time = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = self.key.get() {
            return Ok(key);
        }
        let key = SigningKey::make(&self.data)?;
        Ok(self.key.get_or_init(|| key))
    }
}

/// Whether the host of a request is GitHub's issuer: the name may be made to
/// point here.
pub(crate) fn is_at(headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let name = host.map(|host| host.split_once(':').map_or(host, |(name, _)| name));
    name.is_some_and(|name| name.eq_ignore_ascii_case(github::ISSUER_HOST))
}

/// The path below the issuer's own address.
fn own_path(parts: &Parts) -> &str {
    let path = parts.uri.path();
    path.strip_prefix(PREFIX).unwrap_or(path)
}

/// Where the run of `registration` asks for its tokens, of the emulator at
/// `base`. The address already has a query, as GitHub's has: clients append
/// `&audience=`.
pub(crate) fn request_url(base: &str, registration: &Registration) -> String {
    format!(
        "{base}{PREFIX}/runs/{}/idtoken?api-version=2.0",
        registration.id
    )
}

/// Signs `claims` as GitHub's issuer would, with its issuer, AWS's audience and
/// the usual times where they say nothing else.
pub(crate) fn sign(state: &State, claims: Map<String, Value>) -> Result<String, KeyError> {
    let now = state.clock.now().as_second();
    let mut all = Map::from_iter([
        ("iss".to_owned(), json!(github::ISSUER)),
        ("aud".to_owned(), json!(github::AWS_AUDIENCE)),
        ("jti".to_owned(), json!(random::uuid())),
    ]);
    all.extend(github::times(now));
    all.extend(claims);
    state.issuer.key()?.sign(&all)
}

/// Answers a request under [`PREFIX`].
pub(crate) fn handle(state: &State, call: &Call, note: &Note) -> Response {
    let path = own_path(&call.parts);
    if call.parts.method != Method::GET {
        return refused(note, StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
    }
    if let Some(operation) = operation(path) {
        note.unrecorded(SOURCE, operation);
    }
    match path {
        DISCOVERY => Json(discovery(state)).into_response(),
        KEYS => match state.issuer.key() {
            Ok(key) => Json(key.set()).into_response(),
            Err(error) => failed(note, &error),
        },
        path => match run_id(path) {
            Some(id) => mint(state, id, call, note),
            None => refused(note, StatusCode::NOT_FOUND, "Not Found"),
        },
    }
}

/// Service and operation that a request asks for, in the words of the trail.
pub(crate) fn event(parts: &Parts) -> Option<(String, String)> {
    let operation = operation(own_path(parts))?;
    Some((SOURCE.to_owned(), operation.to_owned()))
}

fn operation(path: &str) -> Option<&'static str> {
    match path {
        DISCOVERY => Some("GetOpenIdConfiguration"),
        KEYS => Some("GetKeys"),
        path => run_id(path).map(|_| "GetIdToken"),
    }
}

fn run_id(path: &str) -> Option<&str> {
    let id = path.strip_prefix("/runs/")?.strip_suffix("/idtoken")?;
    (!id.is_empty() && !id.contains('/')).then_some(id)
}

/// The discovery document. The issuer is GitHub's own name, as it stands in
/// tokens; the keys are at this emulator.
fn discovery(state: &State) -> Value {
    json!({
        "issuer": github::ISSUER,
        "jwks_uri": format!("{}{PREFIX}/.well-known/jwks", state.base_url),
        "subject_types_supported": ["public", "pairwise"],
        "response_types_supported": ["id_token"],
        "claims_supported": [
            "sub", "aud", "exp", "iat", "iss", "jti", "nbf", "ref", "sha", "repository",
            "repository_id", "repository_owner", "repository_owner_id", "enterprise",
            "enterprise_id", "run_id", "run_number", "run_attempt", "actor", "actor_id",
            "workflow", "workflow_ref", "workflow_sha", "head_ref", "base_ref", "event_name",
            "ref_type", "ref_protected", "environment", "environment_node_id",
            "job_workflow_ref", "job_workflow_sha", "repository_visibility",
            "runner_environment", "issuer_scope", "check_run_id"
        ],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid"],
    })
}

/// Mints a token for the run `id`, if the bearer holds its request token.
fn mint(state: &State, id: &str, call: &Call, note: &Note) -> Response {
    let query = call.parts.uri.query().unwrap_or_default();
    let audience = url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "audience")
        .map(|(_, value)| value.into_owned());
    note.parameters(json!({ "run": id, "audience": audience }));
    let now = state.clock.now();
    let bearer = bearer(&call.parts.headers).ok_or(RunError::Unauthorized);
    let found = bearer.and_then(|token| runs::find(&state.store, id, token, now));
    let (run, form) = match found {
        Ok(found) => found,
        Err(RunError::Store(error)) => return failed(note, &error),
        Err(error) => {
            note.because(error.to_string());
            return refused(note, StatusCode::UNAUTHORIZED, "Unauthorized");
        }
    };
    let minting = github::Minting {
        issuer: github::ISSUER.to_owned(),
        audience,
        form,
        issued_at: now.as_second(),
        token_id: random::uuid(),
    };
    let key = state.issuer.key();
    match key.and_then(|key| key.sign(&github::claims(&run, &minting))) {
        Ok(token) => Json(json!({ "count": token.len(), "value": token })).into_response(),
        Err(error) => failed(note, &error),
    }
}

fn failed(note: &Note, error: &dyn std::error::Error) -> Response {
    tracing::error!(%error, "the issuer failed");
    note.because(error.to_string());
    refused(note, StatusCode::INTERNAL_SERVER_ERROR, "Internal Error")
}

/// The token of `Authorization: Bearer ..`; the scheme's case does not matter
/// (RFC 9110, section 11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// An error in the form of GitHub's REST API (inferred for this endpoint).
fn refused(note: &Note, status: StatusCode, message: &str) -> Response {
    note.error(status.as_str(), message);
    (status, Json(json!({ "message": message }))).into_response()
}
