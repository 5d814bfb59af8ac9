//! All that strikes one request, and how it is carried out.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::Response;

use super::credentials;
use super::impaired::{Ended, Impairment};
use super::rule::{Fault, RefusalStatus};
use crate::collect::Call;
use crate::connection::Peer;
use crate::protocol::{Obstacle, Protocol};
use crate::state::State;
use crate::trail::Note;

/// What strikes one request. Of faults that exclude each other the first counts.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    latency: Duration,
    expire: bool,
    outcome: Option<Outcome>,
    request: Impairment,
    response: Impairment,
    /// Whether the request's body has failed.
    request_ended: Ended,
}

/// What there is in place of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Refusal(RefusalStatus, Option<u32>),
    Dropped { handled: bool },
    HalfClosed { handled: bool },
}

impl Plan {
    /// Adds what a rule does.
    pub(super) fn add(&mut self, fault: &Fault) {
        match *fault {
            Fault::Latency { milliseconds } => self.latency += Duration::from_millis(milliseconds),
            Fault::Bandwidth { request, response } => {
                self.request.rate = self.request.rate.or(request);
                self.response.rate = self.response.rate.or(response);
            }
            Fault::Refuse {
                status,
                retry_after_seconds,
            } => self.end(Outcome::Refusal(status, retry_after_seconds)),
            Fault::Drop { handled } => self.end(Outcome::Dropped { handled }),
            Fault::HalfClose { handled } => self.end(Outcome::HalfClosed { handled }),
            Fault::TruncateResponse { after_bytes } => {
                self.response.end.get_or_insert(after_bytes);
            }
            Fault::CorruptResponse { at_byte } => {
                self.response.corrupt.get_or_insert(at_byte);
            }
            Fault::CutRequest { after_bytes } => {
                self.request.end.get_or_insert(after_bytes);
            }
            Fault::ExpireCredentials {} => self.expire = true,
        }
    }

    fn end(&mut self, outcome: Outcome) {
        self.outcome.get_or_insert(outcome);
    }

    /// Whether anything happens at all.
    pub(super) fn is_something(&self) -> bool {
        let is_delayed = self.latency > Duration::ZERO || self.expire;
        let is_impaired = [self.request, self.response] != [Impairment::default(); 2];
        is_delayed || is_impaired || self.outcome.is_some()
    }

    /// What happens before the request is handled.
    pub(crate) async fn delay(&self, state: &Arc<State>, parts: &Parts) {
        if self.latency > Duration::ZERO {
            tokio::time::sleep(self.latency).await;
        }
        if self.expire {
            let (state, parts) = (Arc::clone(state), parts.clone());
            let expired =
                tokio::task::spawn_blocking(move || credentials::expire(&state, &parts)).await;
            if let Ok(Err(error)) = expired {
                tracing::warn!(%error, "no credentials expired");
            }
        }
    }

    /// The answer in place of the handler's: the request is not handled.
    pub(crate) fn prevents(
        &self,
        protocol: Protocol,
        state: &State,
        parts: &Parts,
        note: &Note,
    ) -> Option<Response> {
        match self.outcome? {
            Outcome::Refusal(status, retry_after) => {
                let mut response = protocol.refuse(status.obstacle(), state, parts, note);
                if let Some(seconds) = retry_after {
                    let value = HeaderValue::from(seconds);
                    response.headers_mut().insert(header::RETRY_AFTER, value);
                }
                Some(response)
            }
            Outcome::Dropped { handled: false } | Outcome::HalfClosed { handled: false } => {
                Some(Response::default())
            }
            Outcome::Dropped { .. } | Outcome::HalfClosed { .. } => None,
        }
    }

    /// The request's body on its way to the handler.
    pub(crate) fn impair_request(&mut self, body: Body) -> Body {
        let (body, ended) = self.request.impair(body);
        self.request_ended = ended;
        body
    }

    /// The request of a call, which has arrived, as if it arrived impaired.
    pub(crate) async fn impair_call(&mut self, mut call: Call) -> Result<Call, (Parts, Obstacle)> {
        let body = self.impair_request(Body::from(call.body.clone()));
        match axum::body::to_bytes(body, usize::MAX).await {
            Ok(bytes) => {
                call.body = bytes;
                Ok(call)
            }
            Err(_) => Err((call.parts, Obstacle::BrokenOff)),
        }
    }

    /// The answer on its way to the client. Where there is to be none, this does
    /// not return: the connection ends.
    pub(crate) async fn impair_response(self, response: Response, peer: &Peer) -> Response {
        match self.outcome {
            Some(Outcome::HalfClosed { .. }) => {
                peer.half_close();
                response
            }
            Some(Outcome::Dropped { .. }) => peer.cut().await,
            _ if self.request_ended.is_so() => peer.cut().await,
            _ => response.map(|body| self.response.impair(body).0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_add_up_and_of_two_ends_the_first_counts() {
        let mut plan = Plan::default();
        assert!(!plan.is_something());
        plan.add(&Fault::Latency { milliseconds: 20 });
        plan.add(&Fault::Latency { milliseconds: 30 });
        plan.add(&Fault::Drop { handled: true });
        plan.add(&Fault::HalfClose { handled: false });
        plan.add(&Fault::TruncateResponse { after_bytes: 5 });
        plan.add(&Fault::CorruptResponse { at_byte: 3 });
        assert!(plan.is_something());
        assert_eq!(plan.latency, Duration::from_millis(50));
        assert_eq!(plan.outcome, Some(Outcome::Dropped { handled: true }));
        assert_eq!(
            (plan.response.end, plan.response.corrupt),
            (Some(5), Some(3))
        );
    }
}
