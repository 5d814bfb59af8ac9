//! Answers that are the same for everybody, kept for a moment. An edit through this
//! process empties it; what another process or the clock changes is seen after
//! [`LIFETIME`] at the latest.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::identifier::digest;
use crate::precondition;
use crate::problem::Problem;

const LIFETIME: Duration = Duration::from_secs(1);
/// How many answers are kept at once.
const MOST: usize = 256;

/// A finished answer.
#[derive(Debug)]
pub(crate) struct Answer {
    content_type: &'static str,
    etag: String,
    body: Bytes,
}

impl Answer {
    /// An answer of any type.
    pub(crate) fn new(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self {
            content_type,
            etag: format!("\"{}\"", &digest(&body)[..32]),
            body,
        }
    }

    /// An answer in JSON.
    pub(crate) fn json(value: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_vec(value).map_err(|_| Problem::internal())?;
        Ok(Self::new("application/json", body))
    }

    /// The answer, or 304 where the client has it (RFC 9110, section 13.1.2).
    fn respond(&self, request: &HeaderMap) -> Response {
        let headers = [
            (ETAG, self.etag.clone()),
            (CACHE_CONTROL, "no-cache".to_owned()),
        ];
        if precondition::names(request, &IF_NONE_MATCH, &self.etag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (
            headers,
            [(CONTENT_TYPE, self.content_type)],
            self.body.clone(),
        )
            .into_response()
    }
}

/// The answers that are kept.
#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    answers: HashMap<String, (Instant, Arc<Answer>)>,
    edits: u64,
}

impl Cache {
    /// The kept answer of this name, or the one that `make` makes.
    pub(crate) async fn respond(
        &self,
        name: String,
        request: &HeaderMap,
        make: impl Future<Output = Result<Answer, Problem>>,
    ) -> Result<Response, Problem> {
        let edits = {
            let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((made, answer)) = kept.answers.get(&name)
                && made.elapsed() < LIFETIME
            {
                return Ok(answer.respond(request));
            }
            kept.edits
        };
        let answer = Arc::new(make.await?);
        let response = answer.respond(request);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What was read before an edit must not outlive it.
        if kept.edits == edits {
            if kept.answers.len() >= MOST {
                kept.answers.clear();
            }
            kept.answers.insert(name, (Instant::now(), answer));
        }
        Ok(response)
    }

    /// Forgets everything: something was edited.
    pub(crate) fn clear(&self) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.answers.clear();
        kept.edits += 1;
    }
}
