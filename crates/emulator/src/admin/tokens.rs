//! `POST /_longshore/tokens`: GitHub's tokens without a run that asks for them.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use github::{AWS_AUDIENCE, Caller, CallerKind, Event, Minting, Repository, Run, SubjectForm};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Refusal, body};
use crate::collect::Call;
use crate::state::State;
use crate::{issuer, random};

/// What the token is to say.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wanted {
    /// Exactly these claims: what no run of GitHub would carry can be tried too.
    /// What is absent and every token has is filled in.
    Claims(Map<String, Value>),
    /// What GitHub mints for a kind of caller of a repository.
    Caller(Box<Described>),
}

/// A caller beside the run that publishes `repository` from `git_ref`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    kind: CallerKind,
    repository: Repository,
    #[serde(default = "main_branch")]
    git_ref: String,
    environment: Option<String>,
    form: SubjectForm,
    audience: Option<String>,
}

fn main_branch() -> String {
    "refs/heads/main".to_owned()
}

pub(super) fn mint(state: &State, call: &Call) -> Result<Response, Refusal> {
    let claims = match body(call)? {
        Wanted::Claims(claims) => claims,
        Wanted::Caller(described) => described.claims(state.clock.now().as_second())?,
    };
    let token = issuer::sign(state, claims).map_err(|error| Refusal::failed(&error))?;
    Ok(Json(json!({ "value": token })).into_response())
}

impl Described {
    fn claims(self, now: i64) -> Result<Map<String, Value>, Refusal> {
        let (kind, form) = (self.kind, self.form);
        let audience = self.audience.clone();
        let Caller { run, .. } = Caller::beside(&self.publisher(), kind);
        if !run.gets_token() {
            return Err(Refusal::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "GitHub mints no token for the pull request of a fork",
            ));
        }
        let minting = Minting {
            issuer: github::ISSUER.to_owned(),
            audience: Some(audience.unwrap_or_else(|| AWS_AUDIENCE.to_owned())),
            form,
            issued_at: now,
            token_id: random::uuid(),
        };
        Ok(github::claims(&run, &minting))
    }

    /// The run of the publisher. What identifies a single run decides nothing.
    fn publisher(self) -> Run {
        Run {
            repository: self.repository,
            event: Event::Push {
                git_ref: self.git_ref,
            },
            environment: self.environment,
            workflow: "publish".to_owned(),
            workflow_path: ".github/workflows/publish.yml".to_owned(),
            actor: "octocat".to_owned(),
            actor_id: "583231".to_owned(),
            sha: "0".repeat(40),
            run_id: 1,
            run_number: 1,
            run_attempt: 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(kind: &str) -> Result<Map<String, Value>, Refusal> {
        let wanted = json!({ "caller": {
            "kind": kind, "form": "name",
            "repository": {
                "owner": "acme", "owner_id": "11", "name": "api", "id": "22",
                "visibility": "private",
            },
        } });
        match serde_json::from_value(wanted).unwrap() {
            Wanted::Caller(described) => described.claims(1_000),
            Wanted::Claims(_) => unreachable!("a caller was described"),
        }
    }

    #[test]
    fn a_described_caller_is_given_the_claims_of_its_kind() {
        let publisher = claims("publisher").unwrap();
        assert_eq!(publisher["sub"], "repo:acme/api:ref:refs/heads/main");
        assert_eq!(publisher["aud"], AWS_AUDIENCE);
        let request = claims("pull-request").unwrap();
        assert_eq!(request["sub"], "repo:acme/api:pull_request");
        assert_eq!(claims("fork-pull-request").unwrap_err().status, 422);
    }
}
